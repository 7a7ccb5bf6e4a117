"""What a search of Delhivery's tells of an order: whose it is, and when it cannot say."""

from __future__ import annotations

import json
from typing import Any

import pytest

from couriers.contract.errors import Unknown
from couriers.contract.found_bookings import booking_among
from couriers.contract.types import ShipmentRequest
from couriers_delhivery.mapper.answers import READER
from couriers_delhivery.mapper.tracking import bookings_from, trackings_from
from tests.support.delhivery import EXCHANGES, WAYBILL, request_with, return_with

OTHER, THIRD = "84300000000026", "84300000000037"
BOOKED = json.loads((EXCHANGES / "track.json").read_text())[0]["answer"]["ShipmentData"][0]


def row(**changes: Any) -> Any:
    return {"Shipment": BOOKED["Shipment"] | changes}


def later(waybill: str, **changes: Any) -> Any:
    """A shipment that was booked a day later."""
    text = json.dumps(row(AWB=waybill, **changes)).replace("2026-11-23T", "2026-11-24T")
    return json.loads(text)


def found(request: ShipmentRequest, *rows: Any, boxes: int = 1) -> str | None:
    shipments = bookings_from({"ShipmentData": list(rows)})
    booking = booking_among(READER, shipments, request, boxes=boxes)
    return booking.tracking_id if booking else None


def test_the_reserved_number_tells_whose_it_is() -> None:
    request = request_with(reserved_id=WAYBILL)
    assert found(request, later(OTHER), row()) == WAYBILL


def test_without_it_the_last_one_of_the_direction_counts() -> None:
    rows = (later(OTHER), row(), later(THIRD, OrderType="Pickup"))
    assert found(request_with(), *rows) == OTHER
    assert found(return_with(), *rows) == THIRD
    assert found(return_with(), row()) is None


def test_another_number_of_the_order_is_shown_to_the_platform() -> None:
    assert found(request_with(reserved_id=THIRD), row()) == WAYBILL


@pytest.mark.parametrize("order", ["a-1", "A-10", "", None, 7])
def test_what_names_another_order_cannot_say(order: Any) -> None:
    with pytest.raises(Unknown, match="another order"):
        found(request_with(), row(ReferenceNo=order))


def test_boxes_that_are_missing_cannot_say() -> None:
    request = request_with(reserved_id=WAYBILL)
    with pytest.raises(Unknown, match="1 of 2 boxes"):
        found(request, row(), boxes=2)
    assert found(request, row(), row(AWB=OTHER), boxes=2) == WAYBILL


def test_a_search_never_leaves_out_what_it_cannot_read() -> None:
    broken = row(AWB=OTHER, Status={"Status": "Manifested"})
    with pytest.raises(Unknown):
        found(request_with(reserved_id=OTHER), row(), broken)
    tracked = trackings_from({"ShipmentData": [row(), broken]})
    assert set(tracked) == {WAYBILL}
    with pytest.raises(Unknown):
        trackings_from({"ShipmentData": [broken]})


def test_a_search_without_rows_is_no_absence() -> None:
    for read in (bookings_from, trackings_from):
        with pytest.raises(Unknown):
            read({"ShipmentData": []})
