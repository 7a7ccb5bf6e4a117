"""The figures of days equal a count over all rows, whatever has happened and in which order."""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter
from typing import Any

import pytest
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone

from couriers.contract.india import IST
from couriers.contract.statuses import RTO
from couriers.models import DayFigure, Scan, Shipment
from couriers.operations.day_figures import COUNTS, count_day, count_days, count_due_days, last_days
from couriers.operations.erasure import erase_locked
from couriers.tasks import count_day_figures
from tests.support.factories import CourierAccountFactory, ShipmentFactory
from tests.support.threads import run_at_once

pytestmark = pytest.mark.django_db
STATUSES = ("in_transit", "undelivered", "rto_in_transit", "rto_delivered", "delivered", "")


def kept() -> Counter[tuple[Any, ...]]:
    """The kept figures, by day, company, courier and name; none that is 0."""
    rows = DayFigure.objects.filter(company__isnull=False)
    return +Counter(
        {
            (row.day, row.company_id, row.courier_id, name): getattr(row, name)
            for row in rows
            for name in COUNTS
        }
    )


def counted() -> Counter[tuple[Any, ...]]:
    """The same, from the rows themselves."""
    days, found = set(last_days()), Counter[tuple[Any, ...]]()
    for shipment in Shipment.objects.all():
        whose = (shipment.company_id, shipment.courier_id)
        if shipment.booked_at:
            found[day_of(shipment.booked_at), *whose, "booked"] += 1
        if shipment.status == "delivered":
            found[day_of(shipment.status_at), *whose, "delivered"] += 1
        scans = [one for one in shipment.scans.all() if not (one.ignored or one.lifted)]
        for day in {day_of(one.at) for one in scans if one.status == "undelivered"}:
            found[day, *whose, "undelivered"] += 1
        if back := [one.at for one in scans if one.status in RTO]:
            found[day_of(min(back)), *whose, "returned"] += 1
    return Counter({key: count for key, count in found.items() if key[0] in days})


def day_of(moment: dt.datetime) -> dt.date:
    return moment.astimezone(IST).date()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_the_figures_equal_a_count_over_the_rows_after_any_history(seed: int) -> None:
    dice, now = random.Random(seed), timezone.now()
    accounts = [CourierAccountFactory() for _ in range(2)]

    def moment() -> dt.datetime:
        return now - dt.timedelta(hours=dice.uniform(0, 32 * 24))

    for _ in range(3):
        for _ in range(25):
            status = dice.choice([one for one in STATUSES if one])
            shipment = ShipmentFactory(
                account=dice.choice(accounts), status=status, status_at=moment(),
                booked_at=dice.choice([None, moment()]),
            )  # fmt: skip
            for number in range(dice.randrange(5)):
                Scan.objects.create(
                    shipment=shipment, at=moment(), status=dice.choice(STATUSES),
                    courier_status=str(number), ignored=dice.random() < 0.1,
                )  # fmt: skip
        count_days(last_days())
        assert kept() == counted()
        # What comes late: a wrong end is lifted, a scan of long ago arrives, a day changes.
        for shipment in Shipment.objects.filter(status="delivered")[:5]:
            shipment.scans.filter(status="delivered").update(lifted=True)
            shipment.status = "undelivered"
            shipment.save()
            Scan.objects.create(
                shipment=shipment, at=moment(), status="undelivered", courier_status="late"
            )
        with transaction.atomic():
            erase_locked(list(Shipment.objects.values_list("pk", flat=True)[:5]))
        count_days(last_days())
        assert kept() == counted()


def test_ten_runs_count_every_day_again_and_each_run_the_newest_two() -> None:
    before = timezone.now()
    days = last_days()
    seen: Counter[dt.date] = Counter()
    for _ in range(10):
        started = timezone.now()
        assert count_due_days() == 5
        rows = DayFigure.objects.filter(company=None, counted_at__gte=started)
        seen.update(rows.values_list("day", flat=True))
    assert seen.keys() == set(days)
    assert seen[days[0]] == seen[days[1]] == 10
    assert not DayFigure.objects.filter(company=None, counted_at__lt=before)


def test_a_day_of_another_time_zone_is_counted_by_the_day_in_india() -> None:
    late = dt.datetime.combine(last_days()[0], dt.time(0, 30), IST)  # still yesterday in UTC
    shipment = ShipmentFactory(booked_at=late)
    count_day_figures()
    row = DayFigure.objects.get(company=shipment.company)
    assert (row.day, row.booked, row.delivered) == (last_days()[0], 1, 0)


@pytest.mark.django_db(transaction=True)
def test_a_day_that_another_process_counts_is_left_to_it() -> None:
    today = last_days()[0]
    count_day(today)
    with transaction.atomic():
        assert DayFigure.objects.select_for_update().filter(day=today).exists()
        assert run_at_once(lambda: count_day(today), 1) == [False]
    assert count_day(today) is True


def test_the_command_counts_as_many_days_as_it_is_told(capsys: Any) -> None:
    call_command("count_day_figures", "--days", "45", "--json")
    assert '"days": 45' in capsys.readouterr().out
    assert DayFigure.objects.filter(company=None).count() == 45
