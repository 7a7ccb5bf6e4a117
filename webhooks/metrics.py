"""What is counted of callbacks. A courier's counter carries its code in the name."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from functools import cache

from django.db.models import Min, Q
from django.utils import timezone
from prometheus_client import Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric

from couriers.contract.receiver import Topic
from webhooks.models import EventState, WebhookEvent

REFUSED = Counter(
    "shipcrowd_webhook_refused", "Callbacks that were not taken in", ["courier", "reason"]
)
NUDGES_FAILED = Counter(
    "shipcrowd_webhook_nudges_failed", "Workers that could not be told of new callbacks"
)
APPLIED_AFTER = Histogram(
    "shipcrowd_webhook_applied_seconds",
    "From a callback's receipt until it was applied",
    buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600),
)


_by_courier: dict[str, Counter] = {}
_lock = threading.Lock()


def events(courier: str) -> Counter:
    """`<courier>_webhook_events_total{topic,status}`, where workers and web servers count.

    The statuses of the web are `received_…`, those of a worker what became of the event.
    """
    if courier not in _by_courier:
        with _lock:  # Prometheus refuses the same counter a second time.
            if courier not in _by_courier:
                _by_courier[courier] = Counter(
                    f"{courier.replace('-', '_')}_webhook_events",
                    f"Callbacks of {courier} by what became of them",
                    ["topic", "status"],
                )
    return _by_courier[courier]


@cache
def received(courier: str, topic: Topic, taken: str) -> Counter:
    """The same for a callback that was just taken in."""
    return events(courier).labels(topic.value, f"received_{taken}")


def inbox() -> Iterable[Metric]:
    """What is due or waits in the inbox, how long the oldest has been due, and what is dead."""
    now = timezone.now()
    unfinished = WebhookEvent.objects.filter(state__in=[EventState.PENDING, EventState.FAILED])
    due = Q(next_attempt_at__lte=now)
    oldest = unfinished.aggregate(oldest=Min("next_attempt_at"))["oldest"]
    found = (
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
    for name, meaning, value in found:
        yield GaugeMetricFamily(f"shipcrowd_inbox_{name}", meaning, value=value)
