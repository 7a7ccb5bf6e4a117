"""The performance of couriers equals a count over all rows, whatever became of the shipments."""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from couriers.contract.india import IST
from couriers.contract.statuses import RTO
from couriers.models import CourierAccount, CourierPerformance, Scan, Shipment
from couriers.models.performance import COUNTS
from couriers.operations import performance
from couriers.operations.erasure import erase_locked
from couriers.operations.performance import count_due, count_month, count_months
from couriers.rates.performance import last_months
from couriers.tasks import count_performance
from tests.support.factories import CourierAccountFactory, ShipmentFactory, WarehouseFactory
from tests.support.plans import whole_reads
from tests.support.threads import run_at_once

pytestmark = pytest.mark.django_db
ENDS = ("delivered", "delivered", "rto_delivered", "rto_in_transit", "lost", "damaged")
STATUSES = (*ENDS, "cancelled", "in_transit", "undelivered", "booked")
PINCODES = ("411004", "560001", "110001", "799001")


def kept() -> Counter[tuple[Any, ...]]:
    """The kept figures, by month, company, courier, lane and name; none that is 0."""
    return +Counter(
        {
            (
                row.month, row.company_id, row.courier_id, row.pickup_region, row.drop_region, name,
            ): getattr(row, name)
            for row in CourierPerformance.objects.all()
            for name in COUNTS
        }
    )  # fmt: skip


def counted() -> Counter[tuple[Any, ...]]:
    """The same, from the rows themselves."""
    months, found = set(last_months(performance.MONTHS)), Counter[tuple[Any, ...]]()
    for shipment in Shipment.objects.select_related("warehouse"):
        if shipment.is_test or shipment.direction == "reverse" or shipment.booked_at is None:
            continue
        month = shipment.booked_at.astimezone(IST).date().replace(day=1)
        lane = shipment.warehouse.pincode[:2], shipment.consignee_pincode[:2]
        for where in (lane, ("", "")):
            for name, count in figures_of(shipment).items():
                found[month, shipment.company_id, shipment.courier_id, *where, name] += count
    return +Counter({key: count for key, count in found.items() if key[0] in months})


def figures_of(shipment: Shipment) -> dict[str, int]:
    status = shipment.status
    delivered, returned = status == "delivered", status in RTO
    lost = status in ("lost", "damaged")
    scans = [one for one in shipment.scans.all() if not (one.ignored or one.lifted)]
    days = {one.at.astimezone(IST).date() for one in scans if one.status == "undelivered"}
    made = shipment.delivery_attempts
    if made is None:
        made = len(days) + delivered
    made = max(made, 1) if delivered else made if returned else 0
    took = 0.0
    if delivered and shipment.status_at and shipment.booked_at:
        took = max(0.0, (shipment.status_at - shipment.booked_at).total_seconds())
    return {
        "booked": 1, "ended": int(delivered or returned or lost), "delivered": int(delivered),
        "rto": int(returned), "lost": int(lost), "delivery_seconds": int(took), "attempts": made,
        "first_attempt": int(delivered and made <= 1),
    }  # fmt: skip


def moment(dice: random.Random, days: float) -> dt.datetime:
    return (timezone.now() - dt.timedelta(days=dice.uniform(0, days))).replace(microsecond=0)


def some_shipment(dice: random.Random, account: CourierAccount, warehouse: Any) -> Shipment:
    shipment = ShipmentFactory(
        account=account, warehouse=warehouse, status=dice.choice(STATUSES),
        status_at=moment(dice, 100), booked_at=dice.choice([None, *[moment(dice, 250)] * 5]),
        consignee_pincode=dice.choice(PINCODES),
        direction=dice.choice(["reverse", *["forward"] * 5]),
        delivery_attempts=dice.choice([None, None, 0, 1, 2, 3]),
    )  # fmt: skip
    for number in range(dice.randrange(4)):
        Scan.objects.create(
            shipment=shipment, at=moment(dice, 3), status=dice.choice(["undelivered", "booked"]),
            courier_status=str(number), ignored=dice.random() < 0.1,
        )  # fmt: skip
    return shipment


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_the_figures_equal_a_count_over_the_rows_after_any_history(seed: int) -> None:
    dice = random.Random(seed)
    accounts = [CourierAccountFactory(is_test=number == 2) for number in range(3)]
    warehouses = {
        account.pk: [WarehouseFactory(company=account.company, pincode=code, is_default=False)
                     for code in ("560001", "110020")]
        for account in accounts
    }  # fmt: skip
    months = last_months(performance.MONTHS)
    for _ in range(3):
        for _ in range(40):
            account = dice.choice(accounts)
            some_shipment(dice, account, dice.choice(warehouses[account.pk]))
        count_months(performance.live_accounts(), months)
        assert kept() == counted()
        # What comes late: some end, some are found to have ended otherwise, some are erased.
        for shipment in Shipment.objects.order_by("pk")[:: dice.randrange(2, 5)]:
            shipment.status = dice.choice(STATUSES)
            shipment.save()
        with transaction.atomic():
            erase_locked(list(Shipment.objects.values_list("pk", flat=True)[:5]))
        count_months(performance.live_accounts(), months)
        assert kept() == counted()


def test_one_run_counts_all_months_and_the_next_nothing_until_they_are_due(
    time_machine: Any,
) -> None:
    start = dt.datetime(2026, 11, 20, 6, tzinfo=dt.UTC)
    time_machine.move_to(start, tick=False)
    account = CourierAccountFactory()
    CourierAccountFactory(is_test=True)
    assert count_performance() == performance.MONTHS
    assert count_performance() == 0
    time_machine.move_to(start + dt.timedelta(seconds=performance.NEWEST_AGE + 1), tick=False)
    assert count_performance() == performance.NEWEST_MONTHS
    time_machine.move_to(start + dt.timedelta(seconds=performance.OLDER_AGE + 1), tick=False)
    assert count_performance() == performance.MONTHS
    assert CourierPerformance.objects.filter(company=account.company).count() == performance.MONTHS


def test_a_run_that_ends_early_is_gone_on_with(monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(5):
        CourierAccountFactory()
    monkeypatch.setattr(performance, "BATCH", 2)
    assert count_due(0) == 0
    done: list[Any] = []

    def count_and_die(account: CourierAccount, month: dt.date) -> bool:
        if len(done) == 7:
            raise KeyboardInterrupt
        done.append((account.pk, month))
        return count_month(account, month)

    with monkeypatch.context() as killed:
        killed.setattr(performance, "count_month", count_and_die)
        with pytest.raises(KeyboardInterrupt):
            count_due(60)
    assert {month for _, month in done[:5]} == {last_months(1)[0]}  # the newest month first
    assert len(set(done)) == 7
    assert count_due(60) == 5 * performance.MONTHS - 7
    assert CourierPerformance.objects.count() == 5 * performance.MONTHS


@pytest.mark.django_db(transaction=True)
def test_a_month_that_another_process_counts_is_left_to_it() -> None:
    account, month = CourierAccountFactory(), last_months(1)[0]
    count_month(account, month)
    with transaction.atomic():
        assert CourierPerformance.objects.select_for_update().exists()
        assert run_at_once(lambda: count_month(account, month), 1) == [False]
    assert count_month(account, month) is True


def test_a_shipment_of_the_last_night_of_a_month_in_utc_is_of_the_next_in_india() -> None:
    this = last_months(1)[0]
    night = dt.datetime.combine(this, dt.time(0, 30), IST)
    shipment = ShipmentFactory(booked_at=night)
    count_months([shipment.account], last_months(2))
    totals = CourierPerformance.objects.totals()
    assert dict(totals.values_list("month", "booked")) == {this: 1, last_months(2)[1]: 0}


def test_no_statement_of_a_count_reads_a_whole_table_of_shipments_or_scans() -> None:
    shipment = ShipmentFactory(
        status="delivered", booked_at=timezone.now(), status_at=timezone.now()
    )
    count_month(shipment.account, last_months(1)[0])
    with CaptureQueriesContext(
        connection,
    ) as asked:
        count_month(shipment.account, last_months(1)[0])
    for query in asked.captured_queries:
        if query["sql"].startswith(("SELECT", "UPDATE", "DELETE")):
            assert whole_reads(query["sql"]) == [], query["sql"]


def test_the_command_counts_as_many_months_as_it_is_told(capsys: Any) -> None:
    CourierAccountFactory()
    call_command("count_performance", "--months", "9", "--json")
    assert '"counted": 9' in capsys.readouterr().out
    assert CourierPerformance.objects.count() == 9
