"""Tracking, actions, documents, prices and callbacks with Delhivery's stand-in."""

from __future__ import annotations

import datetime as dt
import json
import time
from decimal import Decimal
from typing import Any

import pytest

from couriers.contract import india
from couriers.contract.actions import ActionState, PickupRequest, ReattemptRequest
from couriers.contract.errors import NotDone, NotFound, Rejected
from couriers.contract.receiver import Callback, Topic
from couriers.contract.statuses import Status
from couriers.contract.types import Parcel, PaymentMode, RateRequest
from couriers.http.links import fetch
from couriers.testing.samples import new_order_number
from couriers_delhivery.adapter import DelhiveryAdapter
from couriers_delhivery.receiver import DelhiveryReceiver
from tests.support.delhivery import DelhiverySandbox, registered, return_with

LANE = RateRequest(
    "560001", "411004", Parcel(500, 20, 15, 5), PaymentMode.COD, Decimal(999), Decimal(999)
)


@pytest.fixture
def request_(adapter: DelhiveryAdapter) -> Any:
    return registered(adapter, order_number=new_order_number())


@pytest.fixture
def waybill(adapter: DelhiveryAdapter, request_: Any) -> str:
    return adapter.create_shipment(request_).tracking_id


@pytest.fixture
def return_waybill(adapter: DelhiveryAdapter, request_: Any) -> str:
    request = return_with(
        order_number=new_order_number(),
        pickup=request_.pickup,
        reserved_id=adapter.reserve_ids(1)[0],
    )
    return adapter.create_reverse_shipment(request).tracking_id


def ends(adapter: DelhiveryAdapter, handle: str) -> str:
    """Return the words of the refusal of a queued action, once there are any."""
    ends_at = time.monotonic() + 20
    while time.monotonic() < ends_at:
        try:
            result = adapter.outcome_of(handle)
        except Rejected as refusal:
            return refusal.courier_message
        assert result.state == ActionState.ACCEPTED
        time.sleep(0.02)
    return ""


def statuses(adapter: DelhiveryAdapter, waybill: str) -> list[Any]:
    return [scan.mapped.status for scan in adapter.track_shipment(waybill).scans]


def test_a_new_shipment_is_not_a_failed_pickup(adapter: DelhiveryAdapter, waybill: str) -> None:
    found = adapter.track_shipment(waybill)
    assert {scan.mapped.status for scan in found.scans} <= {"booked", "pickup_pending"}
    assert abs(found.scans[0].at - dt.datetime.now(dt.UTC)) < dt.timedelta(minutes=5)


def test_many_shipments_are_tracked_at_once_without_the_unknown(
    adapter: DelhiveryAdapter, waybill: str, return_waybill: str
) -> None:
    found = adapter.track_shipments([waybill, return_waybill, "10000000000000"])
    assert set(found) == {waybill, return_waybill}
    assert adapter.track_shipments(["10000000000000"]) == {}


@pytest.mark.parametrize("failure", ["false", "Failure"])
def test_a_failed_cancellation_is_never_taken_for_done(
    adapter: DelhiveryAdapter, sandbox: DelhiverySandbox, waybill: str, failure: str
) -> None:
    sandbox.switch(edit_failure=failure)
    sandbox.advance(waybill, "UD/Dispatched/X-DDD3FD")
    with pytest.raises(Rejected) as caught:
        adapter.cancel_shipment(waybill, status=Status.OUT_FOR_DELIVERY)
    assert caught.value.courier_message


def test_a_cancellation_before_the_pickup_is_an_end_and_may_be_repeated(
    adapter: DelhiveryAdapter, waybill: str
) -> None:
    for _ in range(2):
        done = adapter.cancel_shipment(waybill, status=Status.PICKUP_PENDING)
        assert (done.state, done.status) == (ActionState.DONE, Status.CANCELLED)


@pytest.mark.parametrize("now", ["UD/In Transit/X-PIOM", "UD/Pending/EOD-11"])
def test_a_cancellation_on_the_way_is_a_return_to_origin(
    adapter: DelhiveryAdapter, sandbox: DelhiverySandbox, waybill: str, now: str
) -> None:
    sandbox.advance(waybill, now)
    done = adapter.cancel_shipment(waybill, status=Status.IN_TRANSIT)
    assert done.status == Status.RTO_REQUESTED


def test_an_undelivered_parcel_is_sent_back(
    adapter: DelhiveryAdapter, sandbox: DelhiverySandbox, waybill: str
) -> None:
    sandbox.advance(waybill, "UD/Pending/EOD-6")
    assert adapter.request_rto(waybill, "not wanted").status == Status.RTO_REQUESTED


def test_a_return_is_cancelled_before_its_pickup(
    adapter: DelhiveryAdapter, return_waybill: str
) -> None:
    done = adapter.cancel_reverse_shipment(return_waybill, status=Status.BOOKED)
    assert done.status == Status.CANCELLED


def test_a_shipment_that_is_too_new_is_cancelled_later(
    adapter: DelhiveryAdapter, sandbox: DelhiverySandbox, request_: Any
) -> None:
    sandbox.switch(edit_lag=60)
    waybill = adapter.create_shipment(request_).tracking_id
    with pytest.raises(NotDone) as caught:
        adapter.cancel_shipment(waybill, status=Status.BOOKED)
    assert caught.value.retry_after == 60


def test_name_phone_and_address_are_changed(adapter: DelhiveryAdapter, waybill: str) -> None:
    change = ReattemptRequest(waybill, phone="9876543211", address="10; Secret & Lane", name="Asha")
    assert adapter.update_delivery_address(change).state == ActionState.DONE


def test_another_attempt_is_queued_and_its_outcome_is_asked_for(
    adapter: DelhiveryAdapter, sandbox: DelhiverySandbox, waybill: str
) -> None:
    sandbox.advance(waybill, "UD/Pending/EOD-11")
    queued = adapter.request_reattempt(ReattemptRequest(waybill))
    assert (queued.state, queued.handle.partition("/")[2]) == (ActionState.ACCEPTED, waybill)
    assert adapter.outcome_of(queued.handle).state in ActionState


def test_another_attempt_in_a_wrong_status_is_refused_later(
    adapter: DelhiveryAdapter, sandbox: DelhiverySandbox, waybill: str
) -> None:
    queued = adapter.request_reattempt(ReattemptRequest(waybill))
    assert ends(adapter, queued.handle) == "Package in incorrect status"


def test_a_pickup_that_is_open_already_is_done(
    adapter: DelhiveryAdapter, sandbox: DelhiverySandbox, request_: Any
) -> None:
    wanted = PickupRequest(request_.pickup, india.today() + dt.timedelta(days=3), count=2)
    assert adapter.schedule_pickup(wanted).remark
    assert adapter.schedule_pickup(wanted).state == ActionState.DONE
    sandbox.switch(auto_pickup=True)
    later = PickupRequest(request_.pickup, india.today() + dt.timedelta(days=4), count=2)
    assert adapter.schedule_pickup(later).state == ActionState.DONE


def test_a_pickup_with_an_empty_wallet_says_what_to_do(
    adapter: DelhiveryAdapter, sandbox: DelhiverySandbox, request_: Any
) -> None:
    sandbox.switch(empty_wallet=True)
    wanted = PickupRequest(request_.pickup, india.today() + dt.timedelta(days=5), count=2)
    with pytest.raises(Rejected, match="recharge it"):
        adapter.schedule_pickup(wanted)


def test_a_label_is_fetched_by_its_link(adapter: DelhiveryAdapter, waybill: str) -> None:
    link = adapter.get_label([waybill])
    label = fetch(link, adapter.account, adapter.document_hosts)  # type: ignore[arg-type]
    assert label.content.startswith(b"%PDF-")
    with pytest.raises(NotFound):
        adapter.get_label(["10000000000000"])


def test_a_proof_is_there_after_the_delivery(
    adapter: DelhiveryAdapter, sandbox: DelhiverySandbox, waybill: str
) -> None:
    with pytest.raises(Rejected):
        adapter.get_proof_of_delivery(waybill)
    sandbox.advance(waybill, "DL/Delivered/EOD-38")
    link = adapter.get_proof_of_delivery(waybill)
    assert fetch(link, adapter.account, adapter.document_hosts).content  # type: ignore[arg-type]


def test_both_services_have_prices_and_days(
    adapter: DelhiveryAdapter, sandbox: DelhiverySandbox
) -> None:
    quotes = adapter.get_rates(LANE)
    assert [quote.service for quote in quotes] == ["Surface", "Express"]
    assert all(quote.total > 0 and quote.min_days and quote.parts["cod"] for quote in quotes)
    sandbox.switch(zero_rates=True)
    with pytest.raises(Rejected, match="gives no price"):
        adapter.get_rates(LANE)


@pytest.mark.parametrize(
    ("pincode", "served", "cod", "returns"),
    [
        ("411004", True, True, True), ("999001", False, None, None),
        ("998001", False, False, False), ("997001", True, False, True),
        ("995001", True, True, False),
    ],
)  # fmt: skip
def test_a_pincode_says_what_it_takes(
    adapter: DelhiveryAdapter, pincode: str, served: bool, cod: Any, returns: Any
) -> None:
    found = adapter.check_serviceability(pincode)
    assert (found.serviceable, found.cod, found.reverse_pickup) == (served, cod, returns)


def test_all_pincodes_are_listed(adapter: DelhiveryAdapter) -> None:
    listed = {one.pincode: one.serviceable for one in adapter.list_serviceability()}
    assert listed["998001"] is False
    assert sum(listed.values()) > 5


def test_the_stand_in_has_met_no_invalid_request(
    adapter: DelhiveryAdapter, sandbox: DelhiverySandbox, waybill: str
) -> None:
    assert adapter.track_shipment(waybill)
    assert [one["error"] for one in sandbox.invalid_requests()] == []


SCAN = {
    "Shipment": {
        "AWB": "84300000000015", "ReferenceNo": "A-1", "NSLCode": "EOD-11", "Sortcode": None,
        "PickUpDate": "2026-11-23 23:57:01.767", "Extra": {"asked": "for"},
        "Status": {
            "Status": "Pending", "StatusType": "UD", "StatusLocation": "Pune_Katraj_H",
            "StatusDateTime": "2026-11-25T18:00:00.57", "Instructions": "Nobody there",
        },
    }
}  # fmt: skip


def test_a_callback_is_one_scan_in_indias_time_that_names_its_order() -> None:
    (event,) = DelhiveryReceiver().parse(SCAN)
    assert (event.topic, event.tracking_id, event.order_number) == (
        Topic.TRACK_UPDATED, "84300000000015", "A-1",
    )  # fmt: skip
    assert event.scan is not None
    assert event.scan.at == dt.datetime(2026, 11, 25, 12, 30, 0, 570_000, tzinfo=dt.UTC)
    assert (event.scan.mapped.status, event.scan.mapped.courier_code) == ("undelivered", "EOD-11")
    assert event.scan.mapped.reason is not None


def test_a_callback_needs_the_secret_in_the_header() -> None:
    receiver, body = DelhiveryReceiver(), json.dumps(SCAN).encode()
    assert receiver.verify(Callback(body, {"x-delhivery-token": "secret"}), ["secret"])
    for headers in ({}, {"x-delhivery-token": "wrong"}, {"authorization": "secret"}):
        assert not receiver.verify(Callback(body, headers), ["secret"])


def test_a_proof_as_a_callback_is_of_no_topic() -> None:
    proof = {"waybill": "84300000000015", "EPOD": "aGVsbG8=", "orderID": "A-1"}
    assert DelhiveryReceiver().topic_of(proof) is Topic.UNKNOWN
