"""Gauges of the project: migrations that are not applied, under django-prometheus' name.

The library reads them once, when a process starts, and a process could not start without
PostgreSQL. Here they are read at each scrape.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection
from prometheus_client.core import GaugeMetricFamily, Metric

from couriers.operations.migrations_state import unapplied_migrations


def migration_gauges() -> Iterable[Metric]:
    """The migrations of this process' code that the database lacks."""
    gauge = GaugeMetricFamily(
        "django_migrations_unapplied_total",
        "Migrations that the database lacks",
        labels=["connection"],
    )
    gauge.add_metric([connection.alias], len(unapplied_migrations()))
    return [gauge]
