"""The bulk engine: an order of a job and an order of a spreadsheet end in the same way."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from couriers.booking import bulk, bulk_jobs
from couriers.booking.protocol import book
from couriers.booking.spreadsheet import ReportRow, book_orders, draft_of, read_file
from couriers.contract.errors import (
    CircuitOpen,
    CourierDisabled,
    CourierError,
    NotDone,
    NotSent,
    RateLimited,
    Rejected,
    Unknown,
)
from couriers.contract.types import ShipmentDraft
from couriers.models import BulkOrder, Shipment
from couriers.models.job import ENDED, OrderOutcome
from tests.support.drafts import raising, requests_for
from tests.support.spreadsheets import write_orders

pytestmark = pytest.mark.django_db(transaction=True)

Ended = tuple[str, str | None, str]  # outcome, shipment, reason


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch, no_backoff: None) -> None:
    """Shorten the pauses between tries."""
    monkeypatch.setattr(bulk, "LONGEST_PAUSE", 0.02)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a file with one order, A-1."""
    return write_orders(tmp_path / "orders.csv", {})


@pytest.fixture
def draft(path: Path) -> ShipmentDraft:
    """Return the draft of the file's order, for a job."""
    found = draft_of(read_file(path)[0], "toy")
    assert found is not None
    return found


@pytest.fixture(params=["job", "spreadsheet"])
def run(request: Any, account: Any, path: Path, draft: ShipmentDraft) -> Callable[[], Ended]:
    """Return a function that books the file's order, as a job or as a spreadsheet."""

    def job() -> Ended:
        created = bulk_jobs.create_job(account.company, requests_for(draft))
        while bulk_jobs.book_due_orders(created.pk, seconds=9) is not None:
            time.sleep(0.02)
            BulkOrder.objects.update(next_attempt_at=timezone.now())
        order = BulkOrder.objects.get(job=created)
        return order.outcome, order.shipment_id, order.reason

    def spreadsheet() -> Ended:
        rows: list[ReportRow] = []
        book_orders(account.company, "toy", read_file(path), workers=1, done=rows.append)
        (row,) = rows
        return row.outcome, row.shipment_id or None, row.reason

    return {"job": job, "spreadsheet": spreadsheet}[request.param]


@pytest.mark.parametrize(
    "error", [RateLimited("used up", retry_after=30), CircuitOpen("failing", retry_after=60)]
)
def test_neither_the_limiter_nor_an_open_circuit_uses_up_tries(
    run: Callable[[], Ended], toy: Any, error: CourierError
) -> None:
    toy.on_create = raising(error, times=2 * bulk.MAX_TRIES)
    assert run()[0] == "booked"


@pytest.mark.parametrize("error", [NotSent("refused"), NotDone("429", retry_after=40)])
def test_an_order_that_was_not_booked_is_tried_ten_times(
    run: Callable[[], Ended], toy: Any, error: CourierError
) -> None:
    toy.on_create = raising(error)
    outcome, _, reason = run()
    assert (outcome, reason) == ("failed", str(error))
    assert Shipment.objects.get().attempt == bulk.MAX_TRIES == 10


def test_a_booking_that_succeeds_within_the_tries_is_booked(
    run: Callable[[], Ended], toy: Any
) -> None:
    toy.on_create = raising(NotSent("refused", retry_after=40), times=bulk.MAX_TRIES - 1)
    assert run()[0] == "booked"


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (CourierDisabled("off"), "failed"),
        (Rejected("no", courier_message="Wallet is empty"), "rejected"),
        (Unknown("read time-out"), "in_doubt"),
        (RuntimeError("a fault in the plug-in"), "in_doubt"),
    ],
)
def test_an_order_that_may_not_be_repeated_ends_at_once(
    run: Callable[[], Ended], toy: Any, error: Exception, outcome: str
) -> None:
    toy.on_create = raising(error)
    assert run()[0] == outcome
    assert Shipment.objects.get().attempt == 1


def in_flight(company: Any, draft: ShipmentDraft, key: str | None, seconds: float) -> Shipment:
    """Return a shipment that another process is booking, with a lease of `seconds`."""
    shipment = book(company, draft, key=key).shipment
    lease = timezone.now() + dt.timedelta(seconds=seconds)
    Shipment.objects.update(status="booking", tracking_id="", lease_expires_at=lease)
    shipment.keys.update(response_status=None, response_body=None)
    return shipment


@pytest.mark.parametrize("key", [None, "by hand"])
def test_a_booking_in_flight_is_in_doubt_once_its_lease_has_run_out(
    run: Callable[[], Ended], account: Any, toy: Any, draft: ShipmentDraft, key: str | None
) -> None:
    shipment = in_flight(account.company, draft, key, seconds=0.5)
    started = time.monotonic()
    outcome, shipment_id, _ = run()
    assert (outcome, shipment_id) == ("in_doubt", shipment.pk)
    assert 0.3 < time.monotonic() - started < 8
    assert Shipment.objects.get().status == "in_doubt"


@pytest.mark.parametrize("key", [None, "by hand"])
def test_a_booking_in_flight_that_succeeds_is_already_booked(
    run: Callable[[], Ended], account: Any, toy: Any, draft: ShipmentDraft, key: str | None
) -> None:
    shipment = in_flight(account.company, draft, key, seconds=60)

    def succeed() -> None:
        Shipment.objects.update(status="booked", tracking_id="TOY-1", lease_expires_at=None)

    timer = threading.Timer(0.3, succeed)
    timer.start()
    try:
        assert run() == ("already_booked", shipment.pk, "booked")
    finally:
        timer.join()


@pytest.mark.parametrize("key", [None, "by hand"])
def test_a_booking_in_flight_that_fails_is_repeated_by_the_waiting_run(
    run: Callable[[], Ended], account: Any, toy: Any, draft: ShipmentDraft, key: str | None
) -> None:
    in_flight(account.company, draft, key, seconds=60)
    toy.booked.clear()

    def fail() -> None:
        Shipment.objects.update(status="failed", lease_expires_at=None)

    timer = threading.Timer(0.3, fail)
    timer.start()
    try:
        assert run()[0] == "booked"
    finally:
        timer.join()
    assert toy.booked == ["A-1"]


def test_an_already_booked_order_is_reported_with_its_shipments_status(
    run: Callable[[], Ended], account: Any, toy: Any, draft: ShipmentDraft
) -> None:
    shipment = book(account.company, draft, key="by hand").shipment
    Shipment.objects.update(status="out_for_delivery")
    assert run() == ("already_booked", shipment.pk, "out for delivery")


def test_ended_has_every_outcome_but_pending() -> None:
    assert [outcome.value for outcome in ENDED] == [
        "booked", "already_booked", "skipped", "rejected", "in_doubt", "failed",
    ]  # fmt: skip
    assert set(OrderOutcome) - set(ENDED) == {OrderOutcome.PENDING}


def test_an_interrupted_run_does_not_wait_for_an_open_circuit(
    account: Any, toy: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "LONGEST_PAUSE", 60.0)
    lines = [{"order_number": f"A-{n}"} for n in range(10)]
    orders = read_file(write_orders(tmp_path / "orders.csv", *lines))

    def hook(request: Any) -> None:
        if request.order_number != "A-3":
            raise CircuitOpen("failing", retry_after=60)

    def interrupt(_: ReportRow) -> None:
        raise KeyboardInterrupt

    toy.on_create = staticmethod(hook)
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        book_orders(account.company, "toy", orders, workers=4, done=interrupt)
    assert time.monotonic() - started < 10
