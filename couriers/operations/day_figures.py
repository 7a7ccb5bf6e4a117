"""The figures of days: counted again and again from indexes, so that they are right by themselves.

Nothing is added up where shipments change: a late scan, a lifted end or a correction changes days
that have passed, and the next count of those days finds it. Beat sends the count. Test shipments
are not counted.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, QuerySet
from django.utils import timezone

from couriers.contract import india
from couriers.contract.statuses import RTO, Status
from couriers.models import DayFigure, Scan, Shipment

DAYS = 30  # the longest time that the first page shows, in days
# Days that are counted at each run: the newest, where most changes, and those not counted longest.
NEWEST, OLDEST = 2, 3
COUNTS = ("booked", "delivered", "undelivered", "returned")
Key = tuple[int, str]  # a company and a courier


def last_days(count: int = DAYS) -> list[dt.date]:
    """Return today in India and the days before it, the newest first."""
    today = india.today()
    return [today - dt.timedelta(days=number) for number in range(count)]


def count_due_days() -> int:
    """Count the newest days, and some of the others; return how many. Beat sends it.

    After ten runs all DAYS have been counted again.
    """
    days = last_days()
    newest, others = days[:NEWEST], days[NEWEST:]
    counted = dict(
        DayFigure.objects.filter(day__in=others, company=None).values_list("day", "counted_at")
    )
    never = dt.datetime.min.replace(tzinfo=dt.UTC)
    # Of those that were counted together, the newest first.
    due = sorted(others, key=lambda day: (counted.get(day, never), -day.toordinal()))[:OLDEST]
    return sum(count_day(day) for day in (*newest, *due))


def count_days(days: Iterable[dt.date]) -> int:
    """Count these days; return how many were. One that another process counts is left to it."""
    return sum(count_day(day) for day in days)


def count_day(day: dt.date) -> bool:
    """Count one day in a transaction of its own. Returns False where another process does."""
    counted_at = timezone.now()
    itself = DayFigure.objects.filter(day=day, company=None)
    with transaction.atomic():
        DayFigure.objects.bulk_create(
            [DayFigure(day=day, counted_at=counted_at)], ignore_conflicts=True
        )
        if not itself.select_for_update(skip_locked=True).exists():
            return False
        DayFigure.objects.filter(day=day, company__isnull=False).delete()
        rows = [
            DayFigure(day=day, company_id=company, courier_id=courier, counted_at=counted_at, **one)
            for (company, courier), one in _figures_of(day).items()
        ]
        DayFigure.objects.bulk_create(rows, batch_size=1000)
        itself.update(counted_at=counted_at)
    return True


def _figures_of(day: dt.date) -> dict[Key, dict[str, int]]:
    """Count the shipments of the day by company and courier."""
    found: dict[Key, dict[str, int]] = defaultdict(lambda: dict.fromkeys(COUNTS, 0))
    for name, company, courier, count in _counts_of(day):
        found[company, courier][name] = count
    return found


def _counts_of(day: dt.date) -> Iterator[tuple[str, int, str, int]]:
    begin, end = india.day_span(day)
    live = Shipment.objects.filter(is_test=False)
    booked = live.filter(booked_at__gte=begin, booked_at__lt=end)
    delivered = live.filter(status=Status.DELIVERED, status_at__gte=begin, status_at__lt=end)
    scans = Scan.objects.filter(ignored=False, lifted=False, shipment__is_test=False)
    today = scans.filter(at__gte=begin, at__lt=end)
    back = sorted(RTO)
    earlier = scans.filter(status__in=back, shipment=OuterRef("shipment"), at__lt=begin)
    returned = today.filter(status__in=back).exclude(Exists(earlier))
    for name, rows, path in (
        ("booked", booked, ""),
        ("delivered", delivered, ""),
        ("undelivered", today.filter(status=Status.UNDELIVERED), "shipment__"),
        ("returned", returned, "shipment__"),
    ):
        for company, courier, count in _by_company_and_courier(rows, path):
            yield name, company, courier, count


def _by_company_and_courier(rows: QuerySet[Any], path: str) -> QuerySet[Any, Any]:
    """Return (company, courier, shipments) of the rows. `path` leads to the shipment, or is ""."""
    company, courier = f"{path}company_id", f"{path}courier_id"
    shipments = Count("shipment", distinct=True) if path else Count("*")
    groups = rows.order_by().values(company, courier).annotate(shipments=shipments)
    return groups.values_list(company, courier, "shipments")
