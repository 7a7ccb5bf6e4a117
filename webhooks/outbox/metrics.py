"""Prometheus metrics of the outbox. No label names a company or an endpoint: there is no end."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Min, Q
from django.utils import timezone
from prometheus_client import Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric

from webhooks.outbox.fan_out import oldest_unread
from webhooks.outbox.models import DeliveryState, DisabledBy, WebhookDelivery, WebhookEndpoint

RESULTS = ("delivered", "failed", "given_up")

DELIVERIES = Counter(
    "shipcrowd_outbox_deliveries", "Attempts to deliver an event, by what came of them", ["result"]
)
DISABLED = Counter(
    "shipcrowd_outbox_disabled", "Endpoints that the platform has disabled", ["reason"]
)
DELIVERED_SECONDS = Histogram(
    "shipcrowd_outbox_delivered_seconds",
    "From an event until an endpoint took it",
    buckets=(0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600, 86_400),
)


def declare_deliveries() -> None:
    """Have each result counted from 0 on."""
    for result in RESULTS:
        DELIVERIES.labels(result)
    for reason in (DisabledBy.GONE, DisabledBy.FAILING):
        DISABLED.labels(reason.value)


def outbox_gauges() -> Iterable[Metric]:
    """Yield how many deliveries wait, for how long, and for how many endpoints."""
    now = timezone.now()
    pending = WebhookDelivery.objects.filter(state=DeliveryState.PENDING)
    answering = Q(endpoint__enabled=True, endpoint__failing_since__isnull=True)
    due = pending.filter(answering, next_attempt_at__lte=now)
    live = WebhookEndpoint.objects.filter(is_test=False)
    waiting = (due.aggregate(oldest=Min("next_attempt_at"))["oldest"], oldest_unread())
    oldest = min((since for since in waiting if since), default=now)
    gauges = (
        ("backlog", "Deliveries that are due, to endpoints that answer", due.count()),
        ("pending", "Deliveries that have not ended, due or not", pending.count()),
        (
            "oldest_due_seconds",
            "How long the oldest event waits to be read or delivered for an endpoint that answers",
            max(0.0, (now - oldest).total_seconds()),
        ),
        (
            "endpoints_failing",
            "Enabled endpoints of live mode whose last delivery failed",
            live.filter(enabled=True, failing_since__isnull=False).count(),
        ),
        (
            "endpoints_disabled",
            "Endpoints of live mode that the platform has disabled, until a person decides",
            live.filter(disabled_by__in=[DisabledBy.GONE, DisabledBy.FAILING]).count(),
        ),
    )
    for name, meaning, value in gauges:
        yield GaugeMetricFamily(f"shipcrowd_outbox_{name}", meaning, value=value)
