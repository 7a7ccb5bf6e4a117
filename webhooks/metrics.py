"""Prometheus metrics of the inbox. Each courier's counter has the courier's code in its name."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from django.db.models import Count, F, Max, Min, Q
from django.utils import timezone
from prometheus_client import Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric

from couriers.contract.receiver import Topic
from couriers.contract.registry import CourierFactory
from couriers.models import CallbackTally, CourierAccount
from webhooks.models import EventState, WebhookEvent

REFUSED = Counter(
    "shipcrowd_webhook_refused", "Callbacks that were refused, not stored", ["courier", "reason"]
)
DISPATCH_FAILURES = Counter(
    "shipcrowd_webhook_dispatch_failures", "Times that the inbox's task could not be sent"
)
APPLY_SECONDS = Histogram(
    "shipcrowd_webhook_applied_seconds",
    "From a callback's receipt until it was applied",
    buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600),
)

EVENTS = Counter(
    "shipcrowd_courier_webhook_events",
    "Callbacks by topic and status",
    ["courier", "topic", "status"],
)

# The statuses of a callback that was received, and those of its processing: `failed` is tried
# again, `dead` is not.
RECEIVED = ("received_pending", "received_repeated", "received_dead")
STATUSES = ("processed", "waiting", "held", "failed", "dead")

_event_counters: dict[str, Counter] = {}
_lock = threading.Lock()


def count_received(courier: str, topic: Topic, result: str) -> None:
    """Count a callback that was just stored; `result` is a value of inbox.StoreResult."""
    for counter in _children(courier, topic.value, f"received_{result}"):
        counter.inc()


def count_processed(courier: str, topic: str, status: str, count: int) -> None:
    """Count callbacks whose processing ended with a status of STATUSES."""
    for counter in _children(courier, topic, status):
        counter.inc(count)


def declare_events() -> None:
    """Have the counters shown with 0 for each courier before its first callback."""
    for courier in CourierFactory.codes():
        if CourierFactory.receiver(courier):
            for topic, status in itertools.product(Topic, (*RECEIVED, *STATUSES)):
                _children(courier, topic.value, status)


@cache
def _children(courier: str, topic: str, status: str) -> tuple[Counter, Counter]:
    return EVENTS.labels(courier, topic, status), event_counter(courier).labels(topic, status)


def event_counter(courier: str) -> Counter:
    """Return the counter `<courier>_webhook_events_total{topic,status}`, created on first use.

    Web servers count with the statuses of RECEIVED, workers with those of STATUSES.
    """
    if courier not in _event_counters:
        with _lock:  # prometheus_client refuses a second counter of the same name
            if courier not in _event_counters:
                _event_counters[courier] = Counter(
                    f"{courier.replace('-', '_')}_webhook_events",
                    f"Callbacks of {courier} by topic and status",
                    ["topic", "status"],
                )
    return _event_counters[courier]


def inbox_gauges() -> Iterable[Metric]:
    """Yield the gauges of the table: due, waiting, age of the oldest due event, dead."""
    now = timezone.now()
    unfinished = WebhookEvent.objects.filter(state__in=[EventState.PENDING, EventState.FAILED])
    due = Q(next_attempt_at__lte=now)
    oldest = unfinished.aggregate(oldest=Min("next_attempt_at"))["oldest"]
    gauges = (
        ("backlog", "Callbacks that are due", unfinished.filter(due).count()),
        ("waiting", "Callbacks that wait for another attempt", unfinished.exclude(due).count()),
        (
            "oldest_due_seconds",
            "How long the oldest due callback has been due",
            max(0.0, (now - oldest).total_seconds()) if oldest else 0,
        ),
        (
            "dead_letters",
            "Callbacks that were given up and wait for an operator",
            WebhookEvent.objects.filter(state=EventState.DEAD).count(),
        ),
    )
    for name, meaning, value in gauges:
        yield GaugeMetricFamily(f"shipcrowd_inbox_{name}", meaning, value=value)


def tally_gauges() -> Iterable[Metric]:
    """Yield, by courier, the accounts whose callbacks are refused and the ages of the last ones.

    An age is left out where no callback was accepted, or none refused.
    """
    refused = GaugeMetricFamily(
        "shipcrowd_webhook_accounts_refused",
        "Accounts whose last callback was refused",
        labels=["courier"],
    )
    ages = {
        kind: GaugeMetricFamily(
            f"shipcrowd_webhook_last_{kind}_age_seconds",
            f"How long ago the last callback of any account was {kind}",
            labels=["courier"],
        )
        for kind in ("accepted", "refused")
    }
    now = timezone.now()
    is_refused = Q(refused_at__gt=F("accepted_at")) | Q(
        refused_at__isnull=False, accepted_at__isnull=True
    )
    found = {
        row["account__courier_id"]: row
        for row in CallbackTally.objects.values("account__courier_id")
        .annotate(
            accounts=Count("pk", filter=is_refused),
            accepted=Max("accepted_at"),
            refused=Max("refused_at"),
        )
        .order_by()
    }
    # Couriers without a refusal are listed with 0: without it an alert would not end.
    couriers = CourierAccount.objects.order_by().values_list("courier_id", flat=True).distinct()
    for courier in sorted(couriers):
        row: Mapping[str, Any] = found.get(courier, {"accounts": 0})
        refused.add_metric([courier], row["accounts"])
        for kind, gauge in ages.items():
            if at := row.get(kind):
                gauge.add_metric([courier], max(0.0, (now - at).total_seconds()))
    return [refused, *ages.values()]
