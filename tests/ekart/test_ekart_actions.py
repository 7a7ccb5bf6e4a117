"""What follows a booking, against the sandbox: labels, manifests, NDR, pickups, warehouses."""

from __future__ import annotations

import dataclasses
import datetime as dt
import io
from decimal import Decimal
from typing import Any

import pytest
from pypdf import PdfReader

from couriers.booking.protocol import book
from couriers.contract import india
from couriers.contract.adapter import BaseCourierAdapter, Capability
from couriers.contract.errors import (
    InvalidRequest,
    NotFound,
    NotSent,
    NotSupported,
    Rejected,
    Unknown,
)
from couriers.contract.registry import CourierFactory
from couriers.contract.types import (
    Parcel,
    PaymentMode,
    PickupRequest,
    RateRequest,
    ReattemptRequest,
    ShipmentDraft,
)
from couriers.models import CourierCall, ServiceablePincode, Warehouse, WarehouseRegistration
from couriers.rates import serviceability
from couriers.tracking.lookup import latest_tracking
from couriers_ekart import warehouses
from couriers_ekart.adapter import EkartAdapter
from sandbox.ekart.process import SandboxProcess
from tests.support.drafts import DRAFT
from tests.support.ekart import adapter_at, request_for
from tests.support.sandboxes import sandbox_fixture

pytestmark = pytest.mark.django_db
TOMORROW = dt.timedelta(days=1)


sandbox = sandbox_fixture("--hold", "--record", "--pincodes", "3000", scope="module")


@pytest.fixture
def adapter(sandbox: SandboxProcess) -> EkartAdapter:
    sandbox.set_faults()
    return adapter_at(sandbox.url)


def draft(**changes: Any) -> ShipmentDraft:
    return dataclasses.replace(DRAFT, courier="ekart", **changes)


def booked(adapter: EkartAdapter, count: int, **changes: Any) -> list[str]:
    return [
        adapter.create_shipment(
            request_for(adapter, order_number=f"N-{number}", **changes)
        ).tracking_id
        for number in range(count)
    ]


def called(sandbox: SandboxProcess) -> int:
    return sum(sandbox.state()["calls"].values())


def text_of(pdf: bytes) -> list[str]:
    return [page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages]


# Labels


def test_more_than_a_hundred_labels_are_merged_in_the_order_asked(
    adapter: EkartAdapter, sandbox: SandboxProcess
) -> None:
    ids = booked(adapter, 130)[::-1]
    before = sandbox.state()["calls"].get("label", 0)
    document = adapter.get_label([*ids, ids[0]])
    pages = text_of(document.content)
    assert len(pages) == 130
    assert all(one in page for one, page in zip(ids, pages, strict=True))
    assert sandbox.state()["calls"]["label"] == before + 2
    assert len(adapter.get_label_data(ids)) == 130


def test_a_label_that_is_really_a_json_error_is_refused(adapter: EkartAdapter) -> None:
    good = booked(adapter, 1)
    with pytest.raises((Rejected, NotFound)):
        adapter.get_label([*good, "500NOPE"])
    with pytest.raises(InvalidRequest, match="tracking_ids"):
        adapter.get_label([])


def test_a_broken_part_of_the_labels_is_unknown(adapter: EkartAdapter) -> None:
    adapter._labels = lambda ids: b"%PDF-1.4 and no more"  # type: ignore[method-assign]
    with pytest.raises(Unknown, match="whole PDF"):
        adapter.get_label([f"T{n}" for n in range(101)])


# Manifests


def test_a_manifest_of_more_than_a_hundred_is_refused_not_cut(
    adapter: EkartAdapter, sandbox: SandboxProcess
) -> None:
    ids = booked(adapter, 3)
    document = adapter.create_manifest(ids)
    made = {m["manifestNumber"]: m["ids"] for m in sandbox.manifests()}
    assert made[int(document.number)] == ids
    before = called(sandbox)
    with pytest.raises(InvalidRequest, match="1 to 100"):
        adapter.create_manifest([f"T{n}" for n in range(101)])
    assert called(sandbox) == before


# NDR


def test_another_attempt_is_asked_for_between_tomorrow_and_seven_days_ahead(
    adapter: EkartAdapter, sandbox: SandboxProcess
) -> None:
    (one,) = booked(adapter, 1)
    sandbox.post("/_sandbox/advance", {"tracking_id": one, "status": "Undelivered"})
    before = called(sandbox)
    for days in (0, 8, -1):
        with pytest.raises(InvalidRequest, match="date: must be tomorrow to 7 days"):
            adapter.request_reattempt(
                ReattemptRequest(one, india.today() + dt.timedelta(days=days))
            )
    with pytest.raises(InvalidRequest, match="phone"):
        adapter.update_delivery_address(
            ReattemptRequest(one, india.today() + TOMORROW, phone="12345")
        )
    with pytest.raises(InvalidRequest, match="address"):
        adapter.update_delivery_address(ReattemptRequest(one, india.today() + TOMORROW))
    assert called(sandbox) == before
    for days in (1, 7):
        request = ReattemptRequest(one, india.today() + dt.timedelta(days=days))
        assert adapter.request_reattempt(request).state == "done"


def test_the_new_phone_and_address_ride_on_the_attempt(
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


def test_a_refused_attempt_is_not_a_success(adapter: EkartAdapter) -> None:
    (one,) = booked(adapter, 1)  # not undelivered
    with pytest.raises(Rejected):
        adapter.request_reattempt(ReattemptRequest(one, india.today() + TOMORROW))
    with pytest.raises(Rejected):
        adapter.request_rto(one, "not wanted")
    with pytest.raises(NotFound):
        adapter.request_rto("500NOPE")


def test_an_undelivered_parcel_is_sent_back(adapter: EkartAdapter, sandbox: SandboxProcess) -> None:
    (one,) = booked(adapter, 1)
    sandbox.post("/_sandbox/advance", {"tracking_id": one, "status": "Undelivered"})
    assert adapter.request_rto(one, "not wanted").state == "done"
    sent = [r["body"] for r in sandbox.requests() if r["operation"] == "ndr"][-1]
    assert sent == {"action": "RTO", "wbn": one, "instructions": "not wanted"}


# Pickups


def test_a_pickup_is_scheduled_only_for_delayed_dispatch(
    adapter: EkartAdapter, sandbox: SandboxProcess
) -> None:
    delayed = {"delayed_dispatch": True}
    ids = tuple(booked(adapter, 2, options=delayed))
    pickup = request_for(adapter).pickup
    day = india.today() + TOMORROW
    request = PickupRequest(pickup, day, ids, options=(delayed, delayed))
    assert adapter.schedule_pickup(request).state == "done"
    assert adapter.schedule_reverse_pickup(request).state == "done"
    before = called(sandbox)
    with pytest.raises(NotSupported, match="when a shipment is created"):
        adapter.schedule_pickup(dataclasses.replace(request, options=(delayed, {})))
    with pytest.raises(NotSupported):
        adapter.schedule_pickup(dataclasses.replace(request, options=()))
    with pytest.raises(InvalidRequest, match="date"):
        adapter.schedule_pickup(dataclasses.replace(request, date=india.today()))
    assert called(sandbox) == before


def test_a_pickup_that_is_refused_for_some_names_them(adapter: EkartAdapter) -> None:
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


def test_what_the_courier_forgot_is_asked_of_the_network_by_waybill(
    adapter: EkartAdapter, sandbox: SandboxProcess
) -> None:
    shipment = book(adapter.account.company, draft(order_number="W-1")).shipment
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


# Rates and pincodes

LANE = RateRequest(
    "560001", "110001", Parcel(700, 30, 22, 8), PaymentMode.COD, Decimal(999), Decimal(999)
)


def test_a_quote_has_its_days_and_an_unserved_lane_has_none(adapter: EkartAdapter) -> None:
    quotes = adapter.get_rates(LANE)
    assert [quote.service for quote in quotes] == ["SURFACE", "EXPRESS"]
    assert all(0 < (q.min_days or 0) <= (q.max_days or 0) for q in quotes)
    assert adapter.get_rates(dataclasses.replace(LANE, drop_pincode="999001")) == []
    (express,) = adapter.get_rates(dataclasses.replace(LANE, service="EXPRESS"))
    assert express.service == "EXPRESS"
    with pytest.raises(InvalidRequest, match="service"):
        adapter.get_rates(dataclasses.replace(LANE, service="PIGEON"))


def test_days_that_cannot_be_had_leave_the_price(
    adapter: EkartAdapter, sandbox: SandboxProcess
) -> None:
    sandbox.set_faults(("lane_serviceability", "error_before", 1.0))
    quotes = adapter.get_rates(LANE)
    assert [(q.service, q.min_days) for q in quotes] == [("SURFACE", None), ("EXPRESS", None)]


def test_a_price_that_cannot_be_had_is_an_error(
    adapter: EkartAdapter, sandbox: SandboxProcess
) -> None:
    sandbox.set_faults(("estimate", "error_before", 1.0))
    with pytest.raises(Unknown):
        adapter.get_rates(LANE)


def test_one_service_that_is_refused_does_not_hide_the_others_price(
    adapter: EkartAdapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask, unwanted = adapter.client.estimate, {"EXPRESS"}
    monkeypatch.setattr(
        adapter.client,
        "estimate",
        lambda body: ask({} if body["serviceType"] in unwanted else body),
    )
    assert [quote.service for quote in adapter.get_rates(LANE)] == ["SURFACE"]
    unwanted.add("SURFACE")
    with pytest.raises(Rejected):
        adapter.get_rates(LANE)


def test_the_list_of_pincodes_is_the_deployments_for_all_accounts(
    adapter: EkartAdapter, sandbox: SandboxProcess, settings: Any
) -> None:
    adapter.account.settings = {"serviceability_type": "NON_LARGE"}
    settings.SHIPCROWD = {"COURIERS": {"ekart": {"SERVICEABILITY_TYPE": "LARGE"}}}
    assert any(adapter.list_serviceability())
    asked = [r for r in sandbox.requests() if r["operation"] == "bulk_serviceability"]
    assert asked[-1]["path"].endswith("/LARGE")


def test_the_list_of_pincodes_is_loaded_and_used_while_fresh(
    adapter: EkartAdapter, sandbox: SandboxProcess
) -> None:
    loaded = serviceability.load(adapter.account)
    assert (loaded.pincodes, loaded.unreadable) == (3000, 0)
    row = ServiceablePincode.objects.filter(cod=False, serviceable=True).first()
    assert row is not None
    before = called(sandbox)
    assert serviceability.at_pincode(adapter.account, row.pincode).cod is False
    consignee = dataclasses.replace(DRAFT.consignee, pincode=row.pincode)
    cod = draft(consignee=consignee, payment_mode=PaymentMode.COD, cod_amount=Decimal("1523.00"))
    with pytest.raises(InvalidRequest, match=r"cod_amount: is more than the 0\.00 rupees"):
        book(adapter.account.company, cod)
    assert called(sandbox) == before


# Warehouses


def test_a_changed_address_is_registered_under_a_new_alias(
    adapter: EkartAdapter, sandbox: SandboxProcess
) -> None:
    company = adapter.account.company
    book(company, draft(order_number="W-1"))
    first = WarehouseRegistration.objects.get().reference
    Warehouse.objects.filter(company=company).update(address="77, Moved Street")
    book(company, draft(order_number="W-2"))
    second = WarehouseRegistration.objects.get()
    assert (second.state, second.reference != first) == ("synced", True)
    registered = [r["body"] for r in sandbox.requests() if r["operation"] == "add_address"][-1]
    assert registered["address_line1"] == "77, Moved Street"
    sent = [r["body"] for r in sandbox.requests() if r["operation"] == "create_shipment"][-1]
    assert sent["pickup_location"] == {"name": second.reference}


def test_a_refused_registration_goes_with_the_whole_address_and_is_not_asked_for_each_time(
    adapter: EkartAdapter, sandbox: SandboxProcess
) -> None:
    Warehouse.objects.update(pincode="999001")  # which the sandbox refuses to register
    before = sandbox.state()["calls"].get("add_address", 0)
    for number in range(3):
        book(adapter.account.company, draft(order_number=f"W-{number}"))
    assert sandbox.state()["calls"]["add_address"] == before + 1
    row = WarehouseRegistration.objects.get()
    assert (row.state, "not serviceable" in row.reason) == ("failed", True)
    sent = [r["body"] for r in sandbox.requests() if r["operation"] == "create_shipment"][-1]
    assert sent["pickup_location"]["address"] == "1, Example Road"
    # After a while it is tried again.
    WarehouseRegistration.objects.update(updated_at=row.updated_at - dt.timedelta(hours=2))
    book(adapter.account.company, draft(order_number="W-9"))
    assert sandbox.state()["calls"]["add_address"] == before + 2


def test_a_registration_that_was_lost_is_pending_and_the_booking_was_not_sent(
    adapter: EkartAdapter, sandbox: SandboxProcess
) -> None:
    sandbox.set_faults(("add_address", "error_before", 1.0))
    booked_before = sandbox.state()["booked"]
    with pytest.raises(NotSent, match="could not be registered"):
        warehouses.register(adapter.account, request_for(adapter).pickup, adapter.create_warehouse)
    row = WarehouseRegistration.objects.get()
    assert (row.state, row.reference) == ("pending", "")
    assert sandbox.state()["booked"] == booked_before


# The contract


def test_what_ekart_declares_it_has_and_nothing_is_pretended(adapter: EkartAdapter) -> None:
    for capability in Capability:
        overridden = getattr(EkartAdapter, capability.value) is not getattr(
            BaseCourierAdapter, capability.value
        )
        assert adapter.supports(capability) == overridden, capability
    with pytest.raises(NotSupported, match="does not offer get_proof_of_delivery"):
        adapter.get_proof_of_delivery("T1")


def test_what_was_refused_before_any_call_leaves_no_record_of_one(
    adapter: EkartAdapter, sandbox: SandboxProcess
) -> None:
    from couriers.fulfilment import actions

    shipment = book(adapter.account.company, draft(order_number="R-1")).shipment
    shipment.status = "undelivered"
    before = CourierCall.objects.count()
    with pytest.raises(InvalidRequest):
        actions.reattempt(shipment, india.today() + dt.timedelta(days=30))
    shipment.status = "booked"
    with pytest.raises(NotSupported):
        actions.set_dispatch_date(shipment, india.today() + TOMORROW)
    assert CourierCall.objects.count() == before
    assert CourierFactory.get_adapter(adapter.account) is adapter
