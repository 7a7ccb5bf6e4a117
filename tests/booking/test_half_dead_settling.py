"""PostgreSQL stops serving after the courier has answered: nothing is booked twice or lost."""

from __future__ import annotations

import csv
import datetime as dt
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, InterfaceError, connections
from django.utils import timezone

from couriers import tasks
from couriers.booking import bulk_jobs, committed
from couriers.booking.protocol import book
from couriers.booking.spreadsheet import run
from couriers.models import BulkOrder, BulkTurn, Shipment
from couriers.resilience.database import is_outage
from tests.support.commands import run_json
from tests.support.drafts import DRAFT, draft_with, requests_for
from tests.support.factories import ShipmentFactory
from tests.support.outages import OUTAGES, end_sessions, gone, outage
from tests.support.spreadsheets import write_orders

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.own_session]

ERRORS = (DatabaseError, InterfaceError)


@pytest.fixture
def courier(toy: Any) -> Iterator[Any]:
    """The toy courier, and an outage that begins when it has answered the first order."""
    timers: list[threading.Timer] = []
    with ExitStack() as stack:

        class Courier:
            booked = toy.booked
            end = stack.close

            def fails_with(self, name: str, seconds: float | None = None) -> None:
                def hook(_: Any) -> None:
                    toy.on_create = None
                    stack.callback(connections.close_all)
                    stack.enter_context(outage(name))
                    end_sessions()
                    if seconds is not None:
                        timer = threading.Timer(seconds, stack.close)
                        timers.append(timer)
                        timer.start()

                toy.on_create = hook

            def join(self) -> None:
                """Wait for the outage's end, which takes longer than a write that waits for it.

                It ends sessions, so the test's own may be gone.
                """
                for timer in timers:
                    timer.join()
                connections.close_all()

        courier = Courier()
        yield courier
        courier.join()


def let_leases_run_out() -> None:
    Shipment.objects.filter(status="booking").update(
        lease_expires_at=timezone.now() - dt.timedelta(seconds=1)
    )


@pytest.mark.parametrize("name", OUTAGES)
def test_the_answer_is_written_once_the_database_serves_again(
    account: Any, courier: Any, name: str, monkeypatch: Any
) -> None:
    monkeypatch.setattr(committed, "DATABASE_PAUSE", 0.05)
    courier.fails_with(name, seconds=0.3)
    result = book(account.company, DRAFT)
    courier.join()
    assert (result.status_code, courier.booked) == (201, ["A-1"])
    assert Shipment.objects.get().status == "booked"


@pytest.mark.parametrize("name", OUTAGES)
def test_a_booking_that_cannot_be_settled_ends_in_doubt_and_is_never_repeated(
    account: Any, courier: Any, name: str, monkeypatch: Any
) -> None:
    monkeypatch.setattr(committed, "MAX_DATABASE_WAIT", 0.1)
    monkeypatch.setattr(committed, "DATABASE_PAUSE", 0.05)
    courier.fails_with(name)
    with pytest.raises(ERRORS) as raised:
        book(account.company, DRAFT)
    assert is_outage(raised.value)
    courier.end()
    connections.close_all()
    let_leases_run_out()
    assert book(account.company, DRAFT).status_code == 202
    assert (Shipment.objects.get().status, courier.booked) == ("in_doubt", ["A-1"])


@pytest.mark.parametrize("name", OUTAGES)
def test_a_job_goes_on_after_the_outage_and_books_each_order_once(
    account: Any, courier: Any, name: str, monkeypatch: Any
) -> None:
    sent: list[Any] = []
    monkeypatch.setattr(tasks.run_bulk, "apply_async", lambda args, **_: sent.append(args))
    monkeypatch.setattr(committed, "MAX_DATABASE_WAIT", 0.1)
    monkeypatch.setattr("couriers.conf.Tunables.BULK_THREADS", 1)
    drafts = [draft_with(order_number=f"A-{n}") for n in (1, 2, 3)]
    job = bulk_jobs.create_job(account.company, requests_for(*drafts))
    courier.fails_with(name)
    with pytest.raises(ERRORS) as raised:
        tasks.run_bulk()
    assert is_outage(raised.value)
    courier.end()
    connections.close_all()
    let_leases_run_out()
    BulkOrder.objects.filter(outcome="pending").update(lease_expires_at=None)
    BulkTurn.objects.update(lease_expires_at=None)
    assert tasks.sweep_jobs()
    assert sent
    tasks.run_bulk()
    outcomes = list(job.orders.order_by("position").values_list("outcome", flat=True))
    assert outcomes == ["in_doubt", "booked", "booked"]
    assert sorted(courier.booked) == ["A-1", "A-2", "A-3"]


def test_a_worker_that_met_a_read_only_database_writes_with_its_next_task(account: Any) -> None:
    overdue = timezone.now() - dt.timedelta(seconds=1)
    ShipmentFactory(
        account=account, status="booking", tracking_id="", lease_expires_at=overdue,
        warehouse=account.company.warehouses.get(),
    )  # fmt: skip
    with outage("read_only"):
        assert is_outage(tasks.reconcile_bookings.apply().result)
    assert tasks.reconcile_bookings.apply().result == 1
    assert Shipment.objects.get().status == "in_doubt"


@pytest.mark.parametrize("name", ["out_of_connections", "gone"])
def test_a_run_of_a_spreadsheet_ends_with_a_report_and_can_be_run_again(
    account: Any, courier: Any, name: str, monkeypatch: Any, tmp_path: Path
) -> None:
    monkeypatch.setattr(committed, "MAX_DATABASE_WAIT", 0.1)
    monkeypatch.setattr(run, "DATABASE_WAIT", 0.2)
    monkeypatch.setattr(run, "DATABASE_PAUSE", 0.1)
    numbers = [{"order_number": f"A-{n}"} for n in (1, 2, 3)]
    file, report = write_orders(tmp_path / "orders.csv", *numbers), tmp_path / "report.csv"
    command = (
        "book_orders", str(file), "--company", account.company.slug, "--courier", "toy",
        "--workers", "1", "--report", str(report),
    )  # fmt: skip
    courier.fails_with(name)
    counts = run_json(*command, code=3)
    assert (counts["orders"], counts["failed"]) == (3, 3)
    with report.open(newline="") as rows:
        reasons = {row["reason"] for row in csv.DictReader(rows)}
    assert reasons == {f"PostgreSQL cannot serve ({OUTAGES[name][1]}): run the file again"}
    courier.end()
    connections.close_all()
    let_leases_run_out()
    counts = run_json(*command, code=3)
    assert (counts["booked"], counts["in_doubt"]) == (2, 1)
    assert sorted(courier.booked) == ["A-1", "A-2", "A-3"]


def test_a_run_of_a_spreadsheet_with_a_read_only_database_tries_no_order_in_vain(
    account: Any, toy: Any, monkeypatch: Any, tmp_path: Path
) -> None:
    monkeypatch.setattr(run, "DATABASE_WAIT", 0.2)
    monkeypatch.setattr(run, "DATABASE_PAUSE", 0.1)
    file = write_orders(tmp_path / "orders.csv", *[{"order_number": f"A-{n}"} for n in range(20)])
    command = ("book_orders", str(file), "--company", account.company.slug, "--courier", "toy")
    with outage("read_only"):
        started = time.monotonic()
        assert run_json(*command, code=3)["failed"] == 20
        assert time.monotonic() - started < 2
    assert toy.booked == []
    assert run_json(*command)["booked"] == 20


@pytest.mark.parametrize(
    "command",
    [
        ("book_orders", __file__, "--company", "acme", "--courier", "toy"),
        ("reconcile_bookings",),
        ("sync_tracking",),
        ("purge_expired",),
        ("rotate_keys",),
        ("seed_couriers",),
        ("create_manifest", "--company", "acme"),
    ],
    ids=lambda command: command[0],
)
def test_a_command_says_in_one_line_that_the_database_cannot_serve(
    account: Any, command: tuple[str, ...]
) -> None:
    with gone(), pytest.raises(CommandError) as ended:
        call_command(*command)
    assert ended.value.returncode == 3
    assert str(ended.value) == "PostgreSQL cannot serve (no answer): run it again when it can"
