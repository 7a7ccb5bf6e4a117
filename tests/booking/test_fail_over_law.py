"""Whatever two couriers answer and say late: one live parcel, and every other is flagged."""

from __future__ import annotations

import itertools
from contextlib import suppress

import pytest

from couriers.booking.going_on import go_on_due
from couriers.booking.protocol import book
from couriers.contract.errors import CourierError
from couriers.contract.platform_errors import PlatformError
from couriers.contract.types import Booking, ShipmentRequest
from couriers.models import BookingAttempt, Company, Shipment
from couriers.tracking.events import apply_events
from tests.support.drafts import created_event, draft_with
from tests.support.fail_over import Asked, asked_in_turn, scan_event, settle_absent
from tests.support.flags import open_flags

# How a courier behaves in its call. "missed" books, loses the answer, and no search ever finds it.
BEHAVIOURS = ("answers", "answer lost", "missed", "request lost", "not sent", "refuses")
CASES = list(itertools.product(BEHAVIOURS, BEHAVIOURS))
# What is said late, and by whom: the creation or a scan of each parcel, in this order.
LATE = ("none", "first", "second first", "second, then scans of the first", "before going on")


def behave(asked: Asked, behaviours: dict[str, str]) -> None:
    """Have the courier behave so to each order."""
    books = asked.books

    def create(request: ShipmentRequest) -> Booking:
        behaviour = behaviours[request.order_number]
        return books.behave(request, "answer lost" if behaviour == "missed" else behaviour)

    def find(request: ShipmentRequest) -> Booking | None:
        if behaviours[request.order_number] == "missed":
            return None
        found = books.order(request.order_number)
        return Booking(found[-1], order_number=request.order_number) if found else None

    books.create = create  # type: ignore[method-assign]
    books.find = find  # type: ignore[method-assign]


def say(asked: Asked, number: str, *, by_scan: bool = False) -> None:
    """Let the courier say what it has of the order."""
    for parcel in asked.books.order(number):
        event = (
            scan_event(parcel, "in_transit", 3, number)
            if by_scan
            else created_event(number, parcel)
        )
        apply_events(asked.account, [event])
        apply_events(asked.account, [event])


def run_orders(company: Company, two: list[Asked], numbers: list[str], late: str) -> None:
    """Book the orders, settle their doubts, and let the couriers say what they have."""
    for number in numbers:
        with suppress(CourierError, PlatformError):
            book(company, draft_with(courier="auto", order_number=number))
    settle_absent()
    if late == "before going on":
        for number in numbers:
            say(two[0], number)
    for _ in range(2):  # after a doubt with each courier
        go_on_due(60)
        settle_absent()
    order = {
        "first": [(two[0], False)],
        "second first": [(two[1], False), (two[0], False)],
        "second, then scans of the first": [(two[1], False), (two[0], True)],
    }
    for number in numbers:
        for asked, by_scan in order.get(late, []):
            say(asked, number, by_scan=by_scan)


def check(two: list[Asked], number: str, late: str) -> None:
    """Assert the law of one order."""
    shipment = Shipment.objects.get(order_number=number)
    parcels = [parcel for asked in two for parcel in asked.books.order(number)]
    known = {shipment.tracking_id} - {""}
    flagged = {tracking_id for _, tracking_id in open_flags(shipment)} | known
    noted = set(
        BookingAttempt.objects.filter(shipment=shipment).values_list("tracking_id", flat=True)
    )
    assert len(known) <= 1
    assert known <= set(parcels), "a parcel that no courier has"
    said: set[str] = set()
    if late in ("first", "second first", "second, then scans of the first", "before going on"):
        said |= set(two[0].books.order(number))
    if late in ("second first", "second, then scans of the first"):
        said |= set(two[1].books.order(number))
    assert said <= flagged, "what a courier has said is neither the shipment's nor flagged"
    assert said - known <= noted, "a second parcel is not with its attempt"
    if said:
        assert shipment.tracking_id, "a courier has the order, and the shipment has failed"
    for asked in two:
        assert len(asked.books.order(number)) <= 1, "booked twice with one courier"


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("late", LATE)
def test_one_live_parcel_and_every_other_flagged(
    company: Company, no_backoff: None, late: str
) -> None:
    cases = {f"L-{number}": case for number, case in enumerate(CASES)}
    with asked_in_turn(company, "one", "two", book_after_doubt=True) as two:
        behave(two[0], {number: first for number, (first, _) in cases.items()})
        behave(two[1], {number: second for number, (_, second) in cases.items()})
        run_orders(company, two, list(cases), late)
        for number, (first, second) in cases.items():
            try:
                check(two, number, late)
            except AssertionError as error:
                raise AssertionError(f"{first}, then {second}: {error}") from error
