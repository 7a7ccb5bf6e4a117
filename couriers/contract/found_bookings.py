"""Tells which shipment that a courier has is the booking of a request. Pure.

For couriers that can be searched by order. Whatever leaves it open raises an error: "cannot say" is
never taken for "not booked".
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from couriers.contract.errors import (
    CourierError,
    NotFound,
    NumberTaken,
    OrderTaken,
    ReservedIdRefused,
)
from couriers.contract.reading import Reader
from couriers.contract.types import Booking, Direction, ShipmentRequest

OPERATION = "find_booking"
# Takes the order and a number. It looks for the number, or where that is "" for the order. What it
# does not find it leaves out, or raises NotFound.
Search = Callable[[str, str], Sequence["FoundBooking"]]


@dataclass(frozen=True, slots=True)
class FoundBooking:
    """A shipment that a search has found. `booking` has the order that the courier names."""

    booking: Booking
    direction: Direction
    booked_at: dt.datetime


def booking_among(
    reader: Reader, found: Sequence[FoundBooking], request: ShipmentRequest, *, boxes: int = 1
) -> Booking | None:
    """Return the booking of the request among the shipments of its order; None for none.

    It is the one with the reserved number. Otherwise it is the one that was booked last, of the
    request's direction: the platform knows whose it is. `boxes` have a shipment each.

    Raises Unknown if boxes are missing, and if what was found names another order: then nobody can
    say that this one is absent.
    """
    if any(one.booking.order_number != request.order_number for one in found):
        raise reader.unknown(OPERATION, "what was found is of another order")
    named = [one for one in found if one.booking.tracking_id == request.reserved_id]
    if named and len(found) < boxes:
        words = f"{len(found)} of {boxes} boxes are booked: ask the courier"
        raise reader.unknown(OPERATION, words)
    candidates = named or [one for one in found if one.direction == request.direction]
    return max(candidates, key=lambda one: one.booked_at).booking if candidates else None


def search_booking(
    reader: Reader, search: Search, request: ShipmentRequest, *, boxes: int = 1
) -> Booking | None:
    """Search for the request's order, and return its booking as `booking_among` does."""
    try:
        found = search(request.order_number, "")
    except NotFound:
        return None
    return booking_among(reader, found, request, boxes=boxes)


def booking_taken(
    reader: Reader, search: Search, request: ShipmentRequest, doubt: OrderTaken
) -> Booking:
    """Return the booking that the courier has already, if it is this one. Raises `doubt`.

    The number is looked for where it is taken, else the order. A search that fails, or finds
    nothing, proves nothing. Raises ReservedIdRefused if the number is another order's.
    """
    number, order = request.reserved_id, request.order_number
    by_number = number if isinstance(doubt, NumberTaken) else ""
    try:
        found = search(order, by_number)
        orders = {one.booking.order_number for one in found}
        is_others = bool(by_number and orders) and orders.isdisjoint(("", order))
        booking = None if is_others else booking_among(reader, found, request)
    except CourierError:
        raise doubt from None
    if is_others:
        message = "the number is another order's"
        raise reader.error(ReservedIdRefused, doubt.operation, message)
    if booking is None or number not in ("", booking.tracking_id):
        raise doubt
    return booking
