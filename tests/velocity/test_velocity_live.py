"""Against Velocity itself, or whatever VELOCITY_BASE_URL names: RUN_VELOCITY_LIVE=1 turns it on.

What changes anything there needs VELOCITY_ALLOW_MUTATIONS=1 as well, is cancelled, and is never
repeated after an unknown outcome. The key comes from VELOCITY_API_KEY. No warehouse is made:
VELOCITY_LIVE_WAREHOUSE is the `id/name` of one.
"""

from __future__ import annotations

import dataclasses
import os
import secrets
from decimal import Decimal

import pytest

from couriers.contract.errors import CourierError, InvalidRequest, Rejected
from couriers.contract.types import Parcel, PaymentMode, RateRequest, ShipmentRequest
from couriers.operations.seeding import account_from
from couriers_velocity.adapter import VelocityAdapter
from tests.support.live import live_marks, mutation_of
from tests.support.velocity import account_at, adapter_of, request_for

pytestmark = live_marks("velocity")
LANE = RateRequest(
    "560001", "110001", Parcel(500, 20, 15, 5), PaymentMode.COD, Decimal(999), Decimal(999)
)


@pytest.fixture
def adapter() -> VelocityAdapter:
    details = account_from("velocity", os.environ)
    return adapter_of(account_at(details.base_url, **details.login))


def order(adapter: VelocityAdapter) -> ShipmentRequest:
    request = request_for(adapter, order_number=f"LIVE-{secrets.token_hex(6)}")
    reference = os.environ.get("VELOCITY_LIVE_WAREHOUSE", request.pickup.reference)
    return dataclasses.replace(
        request, pickup=dataclasses.replace(request.pickup, reference=reference)
    )


def test_the_login_is_taken(adapter: VelocityAdapter) -> None:
    assert adapter.check_login()


def test_a_lane_is_served_and_has_prices(adapter: VelocityAdapter) -> None:
    assert adapter.check_serviceability("110001", origin="560001").serviceable
    quotes = adapter.get_rates(LANE)
    assert quotes
    assert all(quote.total > 0 for quote in quotes)


def test_an_order_that_was_never_sent_is_not_found(adapter: VelocityAdapter) -> None:
    assert adapter.find_booking(order(adapter)) is None


def test_an_unknown_awb_is_refused_or_missing(adapter: VelocityAdapter) -> None:
    with pytest.raises(CourierError):
        adapter.track_shipment("999999999999999")


def test_an_invalid_request_is_refused_before_any_call(adapter: VelocityAdapter) -> None:
    consignee = dataclasses.replace(order(adapter).consignee, address="x" * 256)
    with pytest.raises(InvalidRequest, match=r"consignee\.address"):
        adapter.create_shipment(dataclasses.replace(order(adapter), consignee=consignee))


@mutation_of("velocity")
def test_a_shipment_is_booked_found_tracked_and_cancelled(adapter: VelocityAdapter) -> None:
    if not os.environ.get("VELOCITY_LIVE_WAREHOUSE"):
        pytest.skip("set VELOCITY_LIVE_WAREHOUSE to the id/name of a warehouse")
    request = order(adapter)
    booking = adapter.create_shipment(request)
    try:
        assert booking.documents
        assert adapter.track_shipment(booking.tracking_id).tracking_id == booking.tracking_id
        found = adapter.find_booking(request)
        assert found is None or found.tracking_id == booking.tracking_id  # the lag is not known
        with pytest.raises(Rejected) as caught:
            adapter.request_rto(booking.tracking_id)  # its NDR is not raised
        assert caught.value.courier_message
    finally:
        assert adapter.cancel_shipment(booking.tracking_id).state == "accepted"
