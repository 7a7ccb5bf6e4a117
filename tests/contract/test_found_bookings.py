"""Which shipment that a courier has is the booking of a request, and when nobody can say."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Sequence
from typing import Any

import pytest

from couriers.contract.errors import (
    NotFound,
    NumberTaken,
    OrderTaken,
    ReservedIdRefused,
    Unknown,
)
from couriers.contract.found_bookings import (
    FoundBooking,
    booking_among,
    booking_taken,
    search_booking,
)
from couriers.contract.reading import Reader
from couriers.contract.types import Booking, Direction, ShipmentRequest
from couriers.testing.samples import SampleCalls
from couriers.testing.toy.adapter import ToyAdapter

READER = Reader("courier")


class Samples(SampleCalls):
    adapter_class = ToyAdapter


REQUEST = Samples().booking_request("A-1")


def request(**changes: Any) -> ShipmentRequest:
    return dataclasses.replace(REQUEST, **changes)


def shipment(
    number: str, *, order: str = "A-1", hour: int = 0, direction: Direction = Direction.FORWARD
) -> FoundBooking:
    booked_at = dt.datetime(2026, 11, 23, hour, tzinfo=dt.UTC)
    return FoundBooking(Booking(number, order_number=order), direction, booked_at)


def found(wanted: ShipmentRequest, *shipments: FoundBooking, boxes: int = 1) -> str | None:
    booking = booking_among(READER, shipments, wanted, boxes=boxes)
    return booking.tracking_id if booking else None


def test_the_reserved_number_tells_whose_it_is() -> None:
    assert found(request(reserved_id="1"), shipment("2", hour=5), shipment("1")) == "1"


def test_without_it_the_last_one_of_the_direction_counts() -> None:
    back = shipment("3", hour=9, direction=Direction.REVERSE)
    assert found(REQUEST, shipment("1"), shipment("2", hour=5), back) == "2"
    assert found(request(direction=Direction.REVERSE), shipment("1"), back) == "3"
    assert found(request(direction=Direction.REVERSE), shipment("1")) is None
    assert found(REQUEST) is None


@pytest.mark.parametrize("order", ["a-1", "A-10", ""])
def test_what_names_another_order_cannot_say(order: str) -> None:
    with pytest.raises(Unknown, match="another order") as caught:
        found(REQUEST, shipment("1"), shipment("2", order=order))
    assert (caught.value.courier, caught.value.operation) == ("courier", "find_booking")


def test_boxes_that_are_missing_cannot_say() -> None:
    wanted = request(reserved_id="1")
    with pytest.raises(Unknown, match="1 of 2 boxes"):
        found(wanted, shipment("1"), boxes=2)
    assert found(wanted, shipment("1"), shipment("2"), boxes=2) == "1"


class Search:
    """A courier's search, and what it was asked."""

    def __init__(self, *found: FoundBooking, error: Exception | None = None) -> None:
        self.found, self.error = found, error
        self.asked: tuple[str, str] | None = None

    def __call__(self, order: str, number: str) -> Sequence[FoundBooking]:
        self.asked = (order, number)
        if self.error:
            raise self.error
        return self.found


def test_a_search_that_knows_nothing_is_an_absence_and_one_that_fails_is_not() -> None:
    search = Search(shipment("1"))
    booking = search_booking(READER, search, REQUEST)
    assert booking is not None
    assert (booking.tracking_id, search.asked) == ("1", ("A-1", ""))
    assert search_booking(READER, Search(error=NotFound("none")), REQUEST) is None
    with pytest.raises(Unknown):
        search_booking(READER, Search(error=Unknown("no answer")), REQUEST)


ORDER = OrderTaken("refused", courier="courier", operation="create")
NUMBER = NumberTaken("refused", courier="courier", operation="create")


@pytest.mark.parametrize(
    ("doubt", "number", "asked"),
    [(ORDER, "1", ""), (NUMBER, "1", "1"), (NUMBER, "", ""), (ORDER, "", "")],
)
def test_a_taken_number_is_looked_for_and_else_the_order(
    doubt: OrderTaken, number: str, asked: str
) -> None:
    search = Search(shipment("1"))
    booking = booking_taken(READER, search, request(reserved_id=number), doubt)
    assert (booking.tracking_id, search.asked) == ("1", ("A-1", asked))


@pytest.mark.parametrize(
    "search",
    [
        Search(),
        Search(shipment("2")),
        Search(shipment("1"), shipment("2", order="B-2")),
        Search(error=NotFound("none")),
        Search(error=Unknown("no answer")),
    ],
)
@pytest.mark.parametrize("doubt", [ORDER, NUMBER])
def test_what_is_not_surely_this_booking_leaves_the_doubt(
    search: Search, doubt: OrderTaken
) -> None:
    with pytest.raises(OrderTaken) as caught:
        booking_taken(READER, search, request(reserved_id="1"), doubt)
    assert caught.value is doubt


def test_a_number_of_another_order_is_refused() -> None:
    search = Search(shipment("1", order="B-2"))
    with pytest.raises(ReservedIdRefused) as caught:
        booking_taken(READER, search, request(reserved_id="1"), NUMBER)
    assert (caught.value.courier, caught.value.operation) == ("courier", "create")
    with pytest.raises(OrderTaken):
        booking_taken(READER, search, request(reserved_id="1"), ORDER)
    nameless = Search(shipment("1", order=""))
    with pytest.raises(NumberTaken):
        booking_taken(READER, nameless, request(reserved_id="1"), NUMBER)
