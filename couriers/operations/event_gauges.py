"""Gauges of the events that wait for their position, read at each scrape."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Count, Min
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily, Metric

from couriers.models import Event

MEANING = "Events that have no position yet, so that nobody reads them or is sent them"


def event_gauges() -> Iterable[Metric]:
    """How many events wait for their position, and the age of the oldest in seconds."""
    waiting = Event.objects.filter(position__isnull=True)
    found = waiting.aggregate(count=Count("pk"), oldest=Min("created_at"))
    age = (timezone.now() - found["oldest"]).total_seconds() if found["count"] else 0
    return [
        GaugeMetricFamily("shipcrowd_events_waiting", MEANING, value=found["count"]),
        GaugeMetricFamily(
            "shipcrowd_events_waiting_oldest_seconds", f"Age of the oldest. {MEANING}", value=age
        ),
    ]
