"""The performance of couriers by month and lane: counted again and again from the shipments.

Nothing is added up where shipments change: a shipment that ends weeks after its booking changes the
month of its booking, and the next count of that month finds it. Beat sends the count, which takes
one account's month at a time, those not counted longest first, and so goes on where a run ended.
Test shipments and returns are not counted.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterable, Iterator
from typing import Any

from django.db import transaction
from django.db.models import (
    BigIntegerField,
    Case,
    Count,
    DurationField,
    ExpressionWrapper,
    F,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Cast, Coalesce, Extract, Greatest, Left, TruncDate
from django.utils import timezone

from couriers.contract import india
from couriers.contract.statuses import RTO, Status
from couriers.contract.types import Direction
from couriers.models import CourierAccount, CourierPerformance, Scan, Shipment
from couriers.models.performance import COUNTS, REGION_DIGITS
from couriers.rates.performance import last_months

MONTHS = 6  # that are counted again: what was booked before has ended
NEWEST_MONTHS, NEWEST_AGE = 2, 3600.0  # the newest, in which most changes, are counted every hour
OLDER_AGE = 86_400.0  # the others every day
SLICE_DAYS = 4  # of a month that one statement counts
BATCH = 200  # accounts whose months are looked up at once
_LOST = (Status.LOST, Status.DAMAGED)


def count_due(seconds: float) -> int:
    """Count the due months of accounts, the newest month first, for so many seconds.

    Returns how many were counted. Beat sends it.
    """
    deadline, counted = time.monotonic() + seconds, 0
    for number, month in enumerate(last_months(MONTHS)):
        age = NEWEST_AGE if number < NEWEST_MONTHS else OLDER_AGE
        for account in _due_accounts(month, timezone.now() - dt.timedelta(seconds=age)):
            if time.monotonic() >= deadline:
                return counted
            counted += count_month(account, month)
    return counted


def count_months(accounts: Iterable[CourierAccount], months: Iterable[dt.date]) -> int:
    """Count these months of these accounts, due or not; return how many were."""
    wanted = list(months)
    return sum(count_month(account, month) for account in accounts for month in wanted)


def live_accounts() -> QuerySet[CourierAccount]:
    """Return the accounts whose shipments are counted."""
    return CourierAccount.objects.filter(is_test=False)


def count_month(account: CourierAccount, month: dt.date) -> bool:
    """Count a month, named by its first day, of a live account in a transaction of its own.

    Returns False where another process does.
    """
    whose = {"company_id": account.company_id, "courier_id": account.courier_id, "month": month}
    counted_at = timezone.now()
    rows = CourierPerformance.objects.filter(**whose)
    with transaction.atomic():
        CourierPerformance.objects.bulk_create(
            [CourierPerformance(**whose, counted_at=counted_at)], ignore_conflicts=True
        )
        if not rows.totals().select_for_update(skip_locked=True).exists():
            return False
        totals = dict.fromkeys(COUNTS, 0)
        lanes = []
        for (pickup, drop), counts in _figures_of(account, month).items():
            for name, count in counts.items():
                totals[name] += count
            if pickup and drop:
                lanes.append(
                    CourierPerformance(
                        **whose, pickup_region=pickup, drop_region=drop, counted_at=counted_at,
                        **counts,
                    )
                )  # fmt: skip
        rows.lanes().delete()
        CourierPerformance.objects.bulk_create(lanes, batch_size=1000)
        rows.totals().update(counted_at=counted_at, **totals)
    return True


def _due_accounts(month: dt.date, before: dt.datetime) -> Iterator[CourierAccount]:
    """Yield the live accounts whose month was never counted or last counted before a time."""
    totals = CourierPerformance.objects.totals().filter(
        month=month, company=OuterRef("company"), courier=OuterRef("courier")
    )
    accounts = live_accounts().annotate(counted_at=Subquery(totals.values("counted_at")[:1]))
    due = accounts.filter(Q(counted_at=None) | Q(counted_at__lt=before))
    # Each is due no more once it is counted. One that another process counts is seen once a batch.
    seen: set[str] = set()
    oldest_first = due.order_by(F("counted_at").asc(nulls_first=True), "pk")
    while batch := list(oldest_first.exclude(pk__in=seen)[:BATCH]):
        seen.update(account.pk for account in batch)
        yield from batch


def _figures_of(account: CourierAccount, month: dt.date) -> dict[tuple[str, str], dict[str, int]]:
    """Return the counts of each lane: by the regions of pickup and drop, then by name.

    SLICE_DAYS are read at a time, so that no statement is long, however much a merchant ships.
    """
    found: dict[tuple[str, str], dict[str, int]] = {}
    begin, end = _month_span(month)
    while begin < end:
        until = min(begin + dt.timedelta(days=SLICE_DAYS), end)
        for pickup, drop, *sums in _lanes_of(account, begin, until):
            counts = found.setdefault((pickup, drop), dict.fromkeys(COUNTS, 0))
            for name, count in zip(COUNTS, sums, strict=True):
                counts[name] += count
        begin = until
    return found


def _lanes_of(account: CourierAccount, begin: dt.datetime, end: dt.datetime) -> QuerySet[Any, Any]:
    """Return (pickup, drop, sums in the order of COUNTS) of what was booked from begin to end."""
    booked = Shipment.objects.filter(
        account=account, direction=Direction.FORWARD, booked_at__gte=begin, booked_at__lt=end
    )
    return (
        booked.order_by()
        .annotate(
            pickup=Left("warehouse__pincode", REGION_DIGITS),
            drop=Left("consignee_pincode", REGION_DIGITS),
            made_attempts=_attempts(),
        )
        .values_list("pickup", "drop")
        .annotate(**_sums())
    )


def _sums() -> dict[str, Any]:
    """Return what is summed up over the shipments of a lane, in the order of COUNTS."""
    delivered, returned = Q(status=Status.DELIVERED), Q(status__in=sorted(RTO))
    lost = Q(status__in=_LOST)
    took = ExpressionWrapper(F("status_at") - F("booked_at"), output_field=DurationField())
    # The time of the delivery is the courier's, whose clock may be slow.
    seconds = Cast(Greatest(Extract(took, "epoch"), Value(0)), BigIntegerField())
    found = (
        Count("*"),
        Count("pk", filter=delivered | returned | lost),
        Count("pk", filter=delivered),
        Count("pk", filter=returned),
        Count("pk", filter=lost),
        Coalesce(Sum(seconds, filter=delivered), Value(0), output_field=BigIntegerField()),
        Coalesce(Sum("made_attempts", filter=delivered | returned), 0),
        Count("pk", filter=delivered & Q(made_attempts__lte=1)),
    )
    return dict(zip(COUNTS, found, strict=True))


def _attempts() -> Case:
    """Return the delivery attempts of a shipment that was delivered or turned back, else 0.

    They are the courier's number. Where it named none, they are the days in India with a failed
    attempt, and the delivery itself. A delivery is one attempt at least.
    """
    failed = (
        Scan.objects.filter(
            shipment=OuterRef("pk"), status=Status.UNDELIVERED, ignored=False, lifted=False
        )
        .order_by()
        .values("shipment")
        .annotate(days=Count(TruncDate("at", tzinfo=india.IST), distinct=True))
        .values("days")
    )
    days = Coalesce(Subquery(failed), 0)
    return Case(
        When(
            status=Status.DELIVERED,
            then=Greatest(Coalesce("delivery_attempts", days + 1), Value(1)),
        ),
        When(status__in=sorted(RTO), then=Coalesce("delivery_attempts", days)),
        default=Value(0),
        output_field=IntegerField(),
    )


def _month_span(month: dt.date) -> tuple[dt.datetime, dt.datetime]:
    """Return the start of a month in India and the start of the next one."""
    following = (month.replace(day=28) + dt.timedelta(days=4)).replace(day=1)
    return india.day_span(month)[0], india.day_span(following)[0]
