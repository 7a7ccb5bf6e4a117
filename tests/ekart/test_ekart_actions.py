"""What follows a booking, against the sandbox: NDR, pickups, warehouses."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from couriers.booking.protocol import book
from couriers.contract import india
from couriers.contract.actions import PickupRequest, ReattemptRequest
from couriers.contract.adapter import BaseCourierAdapter, Capability
from couriers.contract.errors import InvalidRequest, NotFound, NotSent, NotSupported, Rejected
from couriers.contract.platform_errors import ActionNotAllowed
from couriers.contract.registry import CourierFactory
from couriers.contract.types import Parcel
from couriers.fulfilment import actions
from couriers.models import CourierCall, Shipment, Warehouse, WarehouseRegistration
from couriers.tracking.lookup import latest_tracking
from couriers_ekart.adapter import EkartAdapter
from sandbox.process import SandboxProcess
from tests.support.api import set_status
from tests.support.drafts import draft_with
from tests.support.ekart import adapter_at, calls_made, request_for
from tests.support.sandboxes import sandbox_fixture

pytestmark = pytest.mark.django_db
TOMORROW = dt.timedelta(days=1)


sandbox = sandbox_fixture("--hold", "--record", "--pincodes", "3000", scope="module")


@pytest.fixture
def adapter(sandbox: SandboxProcess) -> EkartAdapter:
    sandbox.set_faults()
    return adapter_at(sandbox.url)


def booked(adapter: EkartAdapter, count: int, **changes: Any) -> list[str]:
    return [
        adapter.create_shipment(
            request_for(adapter, order_number=f"N-{number}", **changes)
        ).tracking_id
        for number in range(count)
    ]


# NDR


def undelivered(adapter: EkartAdapter, sandbox: SandboxProcess) -> Shipment:
    draft = draft_with(courier="ekart", order_number="N-1")
    shipment = book(adapter.account.company, draft).shipment
    at = {"tracking_id": shipment.tracking_id, "status": "Undelivered"}
    sandbox.post("/_sandbox/advance", at)
    set_status(shipment, "undelivered")
    return shipment


def test_a_reattempt_must_be_tomorrow_to_seven_days_ahead(
    adapter: EkartAdapter, sandbox: SandboxProcess
) -> None:
    shipment = undelivered(adapter, sandbox)
    before = calls_made(sandbox)
    for days in (0, 8, -1):
        with pytest.raises(InvalidRequest, match="date: must be tomorrow to 7 days"):
            actions.request_reattempt(shipment, india.today() + dt.timedelta(days=days))
    with pytest.raises(InvalidRequest, match="date: is required: tomorrow to 7 days"):
        actions.request_reattempt(shipment)
    assert calls_made(sandbox) == before
    day = india.today() + dt.timedelta(days=7)
    assert actions.request_reattempt(shipment, day).state == "accepted"


def test_a_change_of_address_takes_phone_and_address_for_a_day(
    adapter: EkartAdapter, sandbox: SandboxProcess
) -> None:
    shipment, day = undelivered(adapter, sandbox), india.today() + TOMORROW
    before = calls_made(sandbox)
    for given, problem in (
        ({"phone": "12345"}, "phone"),
        ({"name": "Asha Rao"}, "name: is not taken by Ekart"),
        ({"instructions": "Ring"}, "address: give at least one of address, phone"),
    ):
        with pytest.raises(InvalidRequest, match=problem):
            actions.change_address(shipment, day, **given)
    assert calls_made(sandbox) == before
    assert actions.change_address(shipment, day, phone="9845011111").state == "accepted"


def test_a_new_phone_and_address_are_sent_with_the_reattempt(
    adapter: EkartAdapter, sandbox: SandboxProcess
) -> None:
    (one,) = booked(adapter, 1)
    sandbox.post("/_sandbox/advance", {"tracking_id": one, "status": "Undelivered"})
    day = india.today() + TOMORROW
    adapter.update_delivery_address(
        ReattemptRequest(one, day, phone="9845011111", address="2, New Lane")
    )
    sent = [r["body"] for r in sandbox.requests() if r["operation"] == "ndr"][-1]
    assert sent["action"] == "Re-Attempt"
    assert (sent["phone"], sent["address"]) == ("9845011111", "2, New Lane")
    assert dt.datetime.fromtimestamp(sent["date"] / 1000, dt.UTC).date() == day


def test_a_refused_reattempt_or_rto_raises_rejected(adapter: EkartAdapter) -> None:
    (one,) = booked(adapter, 1)  # not undelivered
    with pytest.raises(Rejected):
        adapter.request_reattempt(ReattemptRequest(one, india.today() + TOMORROW))
    with pytest.raises(Rejected):
        adapter.request_rto(one, "not wanted")
    with pytest.raises(NotFound):
        adapter.request_rto("500NOPE")


def test_an_rto_is_requested_for_an_undelivered_parcel(
    adapter: EkartAdapter, sandbox: SandboxProcess
) -> None:
    (one,) = booked(adapter, 1)
    sandbox.post("/_sandbox/advance", {"tracking_id": one, "status": "Undelivered"})
    assert adapter.request_rto(one, "not wanted").state == "accepted"
    sent = [r["body"] for r in sandbox.requests() if r["operation"] == "ndr"][-1]
    assert sent == {"action": "RTO", "wbn": one, "instructions": "not wanted"}


# Pickups


def test_a_pickup_is_scheduled_for_delayed_dispatch(adapter: EkartAdapter) -> None:
    delayed = {"delayed_dispatch": True}
    ids = tuple(booked(adapter, 2, options=delayed))
    pickup = request_for(adapter).pickup
    day = india.today() + TOMORROW
    request = PickupRequest(pickup, day, ids, options=(delayed, delayed))
    assert adapter.schedule_pickup(request).state == "done"
    assert adapter.schedule_reverse_pickup(request).state == "done"


def test_a_pickup_is_set_only_for_a_shipment_that_was_booked_without_one(
    adapter: EkartAdapter, sandbox: SandboxProcess
) -> None:
    company = adapter.account.company
    plain = book(company, draft_with(courier="ekart", order_number="P-1")).shipment
    options = {"delayed_dispatch": True}
    late = book(company, draft_with(courier="ekart", order_number="P-2", options=options)).shipment
    before = calls_made(sandbox)
    with pytest.raises(ActionNotAllowed, match=r"not booked with options\.delayed_dispatch"):
        actions.set_dispatch_date(plain, india.today() + TOMORROW)
    with pytest.raises(InvalidRequest, match="date"):
        actions.set_dispatch_date(late, india.today())
    assert calls_made(sandbox) == before
    assert actions.set_dispatch_date(late, india.today() + TOMORROW).state == "done"


def test_a_pickup_that_is_refused_for_some_ids_names_them(adapter: EkartAdapter) -> None:
    delayed = {"delayed_dispatch": True}
    good, other = booked(adapter, 1, options=delayed) + booked(adapter, 1)
    request = PickupRequest(
        request_for(adapter).pickup,
        india.today() + TOMORROW,
        (good, other),
        options=(delayed, delayed),
    )
    with pytest.raises(Rejected, match=f"1 of 2: {other}"):
        adapter.schedule_pickup(request)


# Tracking


def test_a_shipment_that_ekart_no_longer_knows_is_tracked_by_its_waybill(
    adapter: EkartAdapter, sandbox: SandboxProcess
) -> None:
    shipment = book(
        adapter.account.company, draft_with(courier="ekart", order_number="W-1")
    ).shipment
    sandbox.post("/_sandbox/advance", {"tracking_id": shipment.tracking_id, "status": "In Transit"})
    whole = latest_tracking(adapter.account, shipment)
    assert [scan.mapped.status for scan in whole.scans] == ["booked", "in_transit"]
    shipment.tracking_id = "500GONE"
    network = latest_tracking(adapter.account, shipment)
    assert "in_transit" in [scan.mapped.status for scan in network.scans]
    shipment.waybill = ""
    with pytest.raises(NotFound):
        latest_tracking(adapter.account, shipment)


@pytest.mark.parametrize("weight", [700, 25_000])
def test_the_networks_history_is_read_for_large_and_other_parcels(
    adapter: EkartAdapter, sandbox: SandboxProcess, weight: int
) -> None:
    booking = adapter.create_shipment(request_for(adapter, parcel=Parcel(weight, 30, 20, 10)))
    for status in ("Picked Up", "In Transit", "Out for Delivery", "Delivered"):
        sandbox.post("/_sandbox/advance", {"tracking_id": booking.tracking_id, "status": status})
    tracking = adapter.track_waybill(booking.waybill)
    assert {scan.mapped.status for scan in tracking.scans} >= {"in_transit", "delivered"}
    assert tracking.order_number == "A-1"
    with pytest.raises(NotFound):
        adapter.track_waybill("NOPE")


# Warehouses


def test_a_booking_registers_the_warehouse_again_if_ekart_does_not_know_the_alias(
    adapter: EkartAdapter, sandbox: SandboxProcess
) -> None:
    book(adapter.account.company, draft_with(courier="ekart"))
    sandbox.post("/_sandbox/forget-addresses", {})
    again = book(adapter.account.company, draft_with(courier="ekart", order_number="A-2"))
    assert again.shipment.tracking_id


def test_a_changed_address_is_registered_under_a_new_alias(
    adapter: EkartAdapter, sandbox: SandboxProcess
) -> None:
    company = adapter.account.company
    book(company, draft_with(courier="ekart", order_number="W-1"))
    first = WarehouseRegistration.objects.get().reference
    Warehouse.objects.filter(company=company).update(address="77, Moved Street")
    book(company, draft_with(courier="ekart", order_number="W-2"))
    second = WarehouseRegistration.objects.get()
    assert (second.state, second.reference != first) == ("synced", True)
    registered = [r["body"] for r in sandbox.requests() if r["operation"] == "add_address"][-1]
    assert registered["address_line1"] == "77, Moved Street"
    sent = [r["body"] for r in sandbox.requests() if r["operation"] == "create_shipment"][-1]
    assert sent["pickup_location"] == {"name": second.reference}


def test_a_refused_registration_sends_the_whole_address_and_is_retried_later(
    adapter: EkartAdapter, sandbox: SandboxProcess
) -> None:
    Warehouse.objects.update(pincode="999001")  # which the sandbox refuses to register
    before = sandbox.state()["calls"].get("add_address", 0)
    for number in range(3):
        book(adapter.account.company, draft_with(courier="ekart", order_number=f"W-{number}"))
    assert sandbox.state()["calls"]["add_address"] == before + 1
    row = WarehouseRegistration.objects.get()
    assert (row.state, "not serviceable" in row.reason) == ("failed", True)
    sent = [r["body"] for r in sandbox.requests() if r["operation"] == "create_shipment"][-1]
    assert sent["pickup_location"]["address"] == "1, Example Road"
    # After a while it is tried again.
    WarehouseRegistration.objects.update(updated_at=row.updated_at - dt.timedelta(hours=2))
    book(adapter.account.company, draft_with(courier="ekart", order_number="W-9"))
    assert sandbox.state()["calls"]["add_address"] == before + 2


def test_a_failed_registration_is_pending_and_the_booking_is_not_sent(
    adapter: EkartAdapter, sandbox: SandboxProcess
) -> None:
    sandbox.set_faults(("add_address", "error_before", 1.0))
    booked_before = sandbox.state()["booked"]
    with pytest.raises(NotSent, match="could not be registered"):
        book(adapter.account.company, draft_with(courier="ekart"))
    row = WarehouseRegistration.objects.get()
    assert (row.state, row.reference) == ("pending", "")
    assert sandbox.state()["booked"] == booked_before


# The contract


def test_the_declared_capabilities_are_exactly_the_overridden_methods(
    adapter: EkartAdapter,
) -> None:
    for capability in Capability:
        overridden = getattr(EkartAdapter, capability.value) is not getattr(
            BaseCourierAdapter, capability.value
        )
        assert adapter.supports(capability) == overridden, capability
    with pytest.raises(NotSupported, match="does not offer get_proof_of_delivery"):
        adapter.get_proof_of_delivery("T1")


def test_an_action_refused_before_any_call_leaves_no_courier_call(
    adapter: EkartAdapter, sandbox: SandboxProcess
) -> None:
    shipment = book(
        adapter.account.company, draft_with(courier="ekart", order_number="R-1")
    ).shipment
    before = CourierCall.objects.count()
    with pytest.raises(ActionNotAllowed):
        actions.request_reattempt(shipment, india.today() + TOMORROW)
    with pytest.raises(ActionNotAllowed):
        actions.set_dispatch_date(shipment, india.today() + TOMORROW)
    assert CourierCall.objects.count() == before
    assert not shipment.actions.exists()
    assert CourierFactory.get_adapter(adapter.account) is adapter
