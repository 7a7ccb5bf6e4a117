"""Against Ekart itself, or whatever EKART_BASE_URL names: RUN_EKART_LIVE=1 turns it on.

What changes anything there needs EKART_ALLOW_MUTATIONS=1 as well, cleans up after itself, and is
never repeated after an unknown outcome. The login comes from EKART_CLIENT_ID, EKART_USERNAME and
EKART_PASSWORD; EKART_LIVE_GSTIN and EKART_LIVE_SELLER say who sells.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import os
import secrets
from decimal import Decimal

import pytest

from couriers.contract import india
from couriers.contract.errors import InvalidRequest, NotFound, Rejected
from couriers.contract.registry import CourierFactory
from couriers.contract.types import Booking, Direction, Parcel, PaymentMode, RateRequest
from couriers.operations.seeding import account_from
from couriers_ekart.adapter import EkartAdapter
from tests.support.ekart import request_for
from tests.support.factories import GSTIN, CompanyFactory, CourierAccountFactory, WarehouseFactory
from tests.support.live import live_marks, mutation_of

pytestmark = live_marks("ekart")
mutation = mutation_of("ekart")
LANE = RateRequest(
    "560001", "110001", Parcel(500, 20, 15, 5), PaymentMode.COD, Decimal(999), Decimal(999)
)


@pytest.fixture
def adapter() -> EkartAdapter:
    company = CompanyFactory(
        gstin=os.environ.get("EKART_LIVE_GSTIN", GSTIN),
        name=os.environ.get("EKART_LIVE_SELLER", "Acme"),
    )
    WarehouseFactory(company=company)
    details = account_from("ekart", os.environ)
    account = CourierAccountFactory(
        company=company, base_url=details.base_url, login=dict(details.login)
    )
    found = CourierFactory.get_adapter(account)
    assert isinstance(found, EkartAdapter)
    return found


def booked(adapter: EkartAdapter, **changes: object) -> Booking:
    number = f"LIVE-{secrets.token_hex(6)}"
    return adapter.create_shipment(request_for(adapter, order_number=number, **changes))


def test_the_login_gets_a_token_that_is_the_same_for_a_day(adapter: EkartAdapter) -> None:
    first, second = adapter.client.log_in(), adapter.client.log_in()
    assert first["access_token"] == second["access_token"]
    assert 0 < second["expires_in"] <= first["expires_in"]


def test_a_pincode_is_served(adapter: EkartAdapter) -> None:
    answer = adapter.check_serviceability("560008")
    assert answer.serviceable
    assert answer.state == "Karnataka"


def test_a_lane_has_prices(adapter: EkartAdapter) -> None:
    quotes = adapter.get_rates(LANE)
    assert quotes
    assert all(quote.total > 0 for quote in quotes)


def test_the_list_of_pincodes_is_read(adapter: EkartAdapter) -> None:
    assert any(line.cod for line in adapter.list_serviceability())


def test_an_unknown_tracking_id_is_not_found(adapter: EkartAdapter) -> None:
    with pytest.raises(NotFound):
        adapter.track_shipment("500000XX0000000")


def test_webhooks_and_addresses_are_listed(adapter: EkartAdapter) -> None:
    assert isinstance(adapter.client.call("list_webhooks"), list)
    assert isinstance(adapter.client.call("list_addresses"), list)


def test_an_invalid_request_is_refused_before_any_call(adapter: EkartAdapter) -> None:
    request = request_for(adapter, parcel=Parcel(30_001, 10, 10, 10))
    with pytest.raises(InvalidRequest, match="weight_g"):
        adapter.create_shipment(request)


@mutation
def test_a_forward_shipment_is_booked_labelled_manifested_tracked_and_cancelled(
    adapter: EkartAdapter,
) -> None:
    booking = booked(adapter, payment_mode=PaymentMode.COD, cod_amount=Decimal("1523.00"))
    try:
        assert adapter.track_shipment(booking.tracking_id).scans
        assert adapter.get_label([booking.tracking_id]).content.startswith(b"%PDF-")
        assert adapter.create_manifest([booking.tracking_id]).number
    finally:
        assert adapter.cancel_shipment(booking.tracking_id).state == "done"
    assert adapter.cancel_shipment(booking.tracking_id).state == "done"


@mutation
def test_a_return_with_a_quality_check_is_booked_and_cancelled(adapter: EkartAdapter) -> None:
    request = request_for(
        adapter,
        order_number=f"LIVE-{secrets.token_hex(6)}",
        direction=Direction.REVERSE,
        return_reason="Wrong size",
        options={"quality_check": {"product_name": "T-shirt"}},
    )
    booking = adapter.create_reverse_shipment(request)
    assert adapter.cancel_reverse_shipment(booking.tracking_id).state == "done"


@mutation
def test_a_refusal_carries_the_message_of_ekart(adapter: EkartAdapter) -> None:
    booking = booked(adapter)
    try:
        with pytest.raises(Rejected) as caught:
            adapter.request_rto(booking.tracking_id)  # it is not undelivered
        assert caught.value.courier_message
    finally:
        adapter.cancel_shipment(booking.tracking_id)


@mutation
def test_a_dispatch_date_is_set_for_delayed_dispatch(adapter: EkartAdapter) -> None:
    from couriers.contract.actions import PickupRequest

    delayed = {"delayed_dispatch": True}
    request = request_for(adapter, order_number=f"LIVE-{secrets.token_hex(6)}", options=delayed)
    booking = adapter.create_shipment(request)
    try:
        pickup = dataclasses.replace(
            PickupRequest(request.pickup, india.today(), (booking.tracking_id,)),
            date=india.today() + dt.timedelta(days=1),
            options=(delayed,),
        )
        assert adapter.schedule_pickup(pickup).state == "done"
    finally:
        adapter.cancel_shipment(booking.tracking_id)
