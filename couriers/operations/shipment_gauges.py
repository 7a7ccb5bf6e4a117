"""Gauges of the promise, read at each scrape: doubts, flags, circuits, jobs and open actions.

Test shipments are left out: nobody is woken for one.

Couriers without any are listed with 0: without it an alert would not end.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Count, Min, QuerySet
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily, Metric

from couriers.contract.registry import CourierFactory
from couriers.contract.statuses import Status
from couriers.models import BulkJob, CourierAccount, FlagKind, Shipment, ShipmentAction
from couriers.models.asked import AskedState
from couriers.models.flag import TWO_PARCELS, ShipmentFlag
from couriers.models.job import JobState
from couriers.resilience.circuit_breaker import CircuitBreaker

CIRCUIT_STATES = {"closed": 0, "open": 1, "half_open": 2}
MAX_ACCOUNTS = 1000  # of a courier, whose circuits are shown


def couriers_in_use() -> list[str]:
    """Return the codes of the couriers that have accounts, sorted."""
    codes = CourierAccount.objects.order_by().values_list("courier_id", flat=True)
    return sorted(codes.distinct())


def named(courier: str) -> str:
    """Return the courier's code as a metric's name may begin with it."""
    return courier.replace("-", "_")


def doubt_gauges() -> Iterable[Metric]:
    """Bookings in doubt and the age of the oldest, in seconds, by courier."""
    return _count_and_oldest(
        "shipcrowd_bookings_in_doubt",
        "Bookings whose outcome is unknown",
        Shipment.objects.filter(status=Status.IN_DOUBT, is_test=False),
        courier="courier_id",
        since="created_at",
    )


def flag_gauges() -> Iterable[Metric]:
    """Open flags by courier and kind, and those of them that say that an order has two parcels."""
    flags = GaugeMetricFamily(
        "shipcrowd_open_flags",
        "Problems of shipments that an operator must look at",
        labels=["courier", "kind"],
    )
    duplicates = GaugeMetricFamily(
        "shipcrowd_duplicate_bookings",
        "Open flags that say that an order has two parcels",
        labels=["courier"],
    )
    found = {
        (row["shipment__courier_id"], row["kind"]): row["count"]
        for row in ShipmentFlag.objects.open()
        .filter(shipment__is_test=False)
        .values("shipment__courier_id", "kind")
        .annotate(count=Count("pk"))
        .order_by()
    }
    for courier in couriers_in_use():
        for kind in FlagKind.values:
            flags.add_metric([courier, kind], found.get((courier, kind), 0))
        duplicates.add_metric([courier], sum(found.get((courier, k), 0) for k in TWO_PARCELS))
    return [flags, duplicates]


def circuit_gauges() -> Iterable[Metric]:
    """The state of each account's circuit, under the courier's own name and by courier."""
    meaning = "0 closed, 1 open, 2 half open"
    of_all = GaugeMetricFamily(
        "shipcrowd_courier_circuit_breaker_state", meaning, labels=["courier", "account"]
    )
    for courier in CourierFactory.codes():
        state = GaugeMetricFamily(
            f"{named(courier)}_circuit_breaker_state", meaning, labels=["account"]
        )
        accounts = CourierAccount.objects.filter(courier_id=courier).order_by("id")
        for account_id in accounts.values_list("id", flat=True)[:MAX_ACCOUNTS]:
            value = CIRCUIT_STATES[CircuitBreaker.of_account(courier, account_id).state()]
            state.add_metric([account_id], value)
            of_all.add_metric([courier, account_id], value)
        yield state
    yield of_all


def job_gauges() -> Iterable[Metric]:
    """Bulk jobs by state."""
    jobs = GaugeMetricFamily("shipcrowd_jobs", "Bulk jobs", labels=["state"])
    found = dict(
        BulkJob.objects.order_by().values_list("state").annotate(count=Count("pk")).order_by()
    )
    for state in JobState.values:
        jobs.add_metric([state], found.get(state, 0))
    return [jobs]


def action_gauges() -> Iterable[Metric]:
    """Actions that the courier has accepted and not ended, and the age of the oldest."""
    return _count_and_oldest(
        "shipcrowd_actions_open",
        "Actions that the courier has accepted and not ended",
        ShipmentAction.objects.filter(state=AskedState.ACCEPTED, shipment__is_test=False),
        courier="shipment__courier_id",
        since="asked_at",
    )


def _count_and_oldest(
    name: str, meaning: str, rows: QuerySet[Any], *, courier: str, since: str
) -> Iterable[Metric]:
    """Return the gauges `name` and `<name>_oldest_seconds` of the rows, by courier.

    `courier` and `since` are the columns of the courier's code and of the time from which a row's
    age counts.
    """
    count = GaugeMetricFamily(name, meaning, labels=["courier"])
    age = GaugeMetricFamily(
        f"{name}_oldest_seconds", f"Age of the oldest. {meaning}", labels=["courier"]
    )
    now = timezone.now()
    found = {
        row[courier]: row
        for row in rows.values(courier).annotate(count=Count("pk"), oldest=Min(since)).order_by()
    }
    for code in couriers_in_use():
        row = found.get(code)
        count.add_metric([code], row["count"] if row else 0)
        age.add_metric([code], (now - row["oldest"]).total_seconds() if row else 0)
    return [count, age]
