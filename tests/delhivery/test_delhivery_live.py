"""Against Delhivery itself, or whatever DELHIVERY_BASE_URL names: RUN_DELHIVERY_LIVE=1 turns it on.

What changes anything there needs DELHIVERY_ALLOW_MUTATIONS=1 as well, is made at the test server or
this machine alone, and cleans up after itself. The login comes from DELHIVERY_API_TOKEN and
DELHIVERY_CLIENT_NAME. DELHIVERY_LIVE_WAREHOUSE names a registered warehouse; without it one is
registered.
"""

from __future__ import annotations

import dataclasses
import os
import secrets
from decimal import Decimal
from urllib.parse import urlsplit

import pytest

from couriers.contract.errors import InvalidRequest, NotDone, NotFound
from couriers.contract.registry import CourierFactory
from couriers.contract.statuses import Status
from couriers.contract.types import Booking, Parcel, PaymentMode, RateRequest, ShipmentRequest
from couriers.operations.seeding import account_from
from couriers_delhivery.adapter import DelhiveryAdapter
from tests.support.delhivery import REQUEST, request_with, return_with
from tests.support.factories import CompanyFactory, CourierAccountFactory, CourierRowFactory
from tests.support.live import live_marks, mutation_of

pytestmark = live_marks("delhivery")
mutation = mutation_of("delhivery")
LANE = RateRequest("560001", "110001", Parcel(500, 20, 15, 5), PaymentMode.PREPAID, Decimal(999))
TEST_HOSTS = (*DelhiveryAdapter.test_hosts, "127.0.0.1", "localhost")


@pytest.fixture
def adapter() -> DelhiveryAdapter:
    details = account_from("delhivery", os.environ)
    account = CourierAccountFactory(
        company=CompanyFactory(),
        courier=CourierRowFactory(code="delhivery", name="Delhivery"),
        base_url=details.base_url,
        login=dict(details.login),
    )
    found = CourierFactory.get_adapter(account)
    assert isinstance(found, DelhiveryAdapter)
    return found


@pytest.fixture
def template(adapter: DelhiveryAdapter) -> ShipmentRequest:
    """A new order's request, with a warehouse and a reserved number."""
    host = urlsplit(adapter.account.base_url).hostname
    assert host in TEST_HOSTS, f"{host} would book a real shipment"
    name = os.environ.get("DELHIVERY_LIVE_WAREHOUSE")
    pickup = dataclasses.replace(REQUEST.pickup, reference=name or "")
    reference = name or adapter.create_warehouse(pickup).reference
    (number,) = adapter.reserve_ids(1)
    return request_with(
        order_number=f"LIVE-{secrets.token_hex(6)}",
        pickup=dataclasses.replace(pickup, reference=reference),
        reserved_id=number,
    )


def cancel(adapter: DelhiveryAdapter, booking: Booking) -> None:
    """Cancel a booking; one that is too new stays, and is no real shipment."""
    try:
        done = adapter.cancel_shipment(booking.tracking_id, status=Status.BOOKED)
    except NotDone:
        return
    assert done.status == Status.CANCELLED


def test_the_key_is_taken(adapter: DelhiveryAdapter) -> None:
    assert adapter.check_login()


def test_a_pincode_is_served(adapter: DelhiveryAdapter) -> None:
    answer = adapter.check_serviceability("560008")
    assert answer.serviceable
    assert answer.state == "Karnataka"


def test_a_lane_has_days(adapter: DelhiveryAdapter) -> None:
    assert adapter._days(LANE, "Surface")


def test_an_unknown_waybill_is_not_found(adapter: DelhiveryAdapter) -> None:
    with pytest.raises(NotFound):
        adapter.track_shipment("10000000000000")


def test_an_unknown_order_is_absent(adapter: DelhiveryAdapter) -> None:
    number = f"LIVE-{secrets.token_hex(6)}"
    assert adapter.find_booking(request_with(order_number=number)) is None


def test_an_invalid_request_is_refused_before_any_call(adapter: DelhiveryAdapter) -> None:
    with pytest.raises(InvalidRequest, match="order_number"):
        adapter.create_shipment(request_with(order_number="A,1"))


@mutation
def test_a_shipment_is_booked_once_labelled_tracked_and_cancelled(
    adapter: DelhiveryAdapter, template: ShipmentRequest
) -> None:
    request = dataclasses.replace(
        template, payment_mode=PaymentMode.COD, cod_amount=Decimal("1523.00")
    )
    booking = adapter.create_shipment(request)
    try:
        assert booking.tracking_id == request.reserved_id
        assert adapter.create_shipment(request).tracking_id == booking.tracking_id
        assert adapter.get_label([booking.tracking_id]).url
        assert adapter.track_shipment(booking.tracking_id).scans
    finally:
        cancel(adapter, booking)


@mutation
def test_a_return_is_booked_and_cancelled(
    adapter: DelhiveryAdapter, template: ShipmentRequest
) -> None:
    request = return_with(
        order_number=template.order_number,
        pickup=template.pickup,
        reserved_id=template.reserved_id,
    )
    cancel(adapter, adapter.create_reverse_shipment(request))
