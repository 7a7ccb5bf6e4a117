"""Bookings with Delhivery's stand-in: its ambiguous answers, its numbers and its search."""

from __future__ import annotations

import dataclasses
from decimal import Decimal
from typing import Any

import pytest

from couriers.contract.errors import (
    CourierError,
    CredentialsRefused,
    InvalidRequest,
    OrderTaken,
    PerhapsBooked,
    RateLimited,
    Rejected,
    ReservedIdRefused,
    TooManyRequests,
    Unknown,
    UnknownPickupAlias,
)
from couriers.testing.samples import new_order_number
from couriers_delhivery.adapter import DelhiveryAdapter
from tests.support.delhivery import DelhiverySandbox, adapter_at, registered, return_with

BOX = {"weight_g": 500, "length_cm": 10, "width_cm": 10, "height_cm": 10}
BOOKS = "create_shipment"


def new(adapter: DelhiveryAdapter, **changes: Any) -> Any:
    return registered(adapter, **{"order_number": new_order_number(), **changes})


def failure_of(adapter: DelhiveryAdapter, request: Any) -> CourierError:
    with pytest.raises(CourierError) as caught:
        adapter.create_shipment(request)
    return caught.value


def test_a_booking_has_the_reserved_number(
    adapter: DelhiveryAdapter, sandbox: DelhiverySandbox
) -> None:
    request = new(adapter)
    booking = adapter.create_shipment(request)
    assert booking.tracking_id == booking.waybill == request.reserved_id
    assert booking.order_number == request.order_number
    assert sandbox.booked(request.order_number) == [request.reserved_id]


@pytest.mark.parametrize(
    "kind", ["partial_save", "might_be_saved", "duplicate_order", "duplicate_waybill",
             "other_environment"],
)  # fmt: skip
@pytest.mark.parametrize("when", ["before", "after"])
def test_an_ambiguous_answer_is_never_taken_for_an_end(
    adapter: DelhiveryAdapter, sandbox: DelhiverySandbox, kind: str, when: str
) -> None:
    request = new(adapter)
    sandbox.set_faults((BOOKS, f"{kind}_{when}", 1.0))
    saved = when == "after"
    if saved and kind.startswith("duplicate"):
        assert adapter.create_shipment(request).tracking_id == request.reserved_id
    else:
        assert isinstance(failure_of(adapter, request), PerhapsBooked)
    sandbox.set_faults()
    assert len(sandbox.booked(request.order_number)) == int(saved)
    found = adapter.find_booking(request)
    assert (found is not None) == saved
    again = adapter.create_shipment(request)  # with its number it can be repeated
    assert again.tracking_id == request.reserved_id
    assert sandbox.booked(request.order_number) == [request.reserved_id]


def test_a_number_of_another_order_is_refused_and_the_order_is_not_taken(
    adapter: DelhiveryAdapter, sandbox: DelhiverySandbox
) -> None:
    first = new(adapter)
    adapter.create_shipment(first)
    error = failure_of(adapter, new(adapter, reserved_id=first.reserved_id))
    assert isinstance(error, ReservedIdRefused)


def test_a_number_that_cannot_be_used_yet_leaves_a_doubt_that_a_search_ends(
    adapter: DelhiveryAdapter, sandbox: DelhiverySandbox
) -> None:
    sandbox.switch(fresh_lag=60)
    numbers = adapter.reserve_ids(60)
    request = new(adapter, reserved_id=numbers[-1])
    assert isinstance(failure_of(adapter, request), PerhapsBooked)
    assert adapter.find_booking(request) is None


def test_a_duplicate_of_an_older_shipment_is_not_taken_for_this_one(
    adapter: DelhiveryAdapter, sandbox: DelhiverySandbox
) -> None:
    first = new(adapter)
    adapter.create_shipment(first)
    second = dataclasses.replace(first, reserved_id=adapter.reserve_ids(1)[0])
    error = failure_of(adapter, second)
    assert isinstance(error, OrderTaken)
    assert "another order number" in error.reason
    assert sandbox.booked(first.order_number) == [first.reserved_id]


def test_a_search_that_is_late_proves_nothing_and_finds_it_later(
    adapter: DelhiveryAdapter, sandbox: DelhiverySandbox
) -> None:
    request = new(adapter)
    sandbox.switch(search_lag=60)
    sandbox.set_faults((BOOKS, "duplicate_order_after", 1.0))
    assert isinstance(failure_of(adapter, request), PerhapsBooked)
    sandbox.switch(search_lag=0)
    found = adapter.find_booking(request)
    assert found is not None
    assert found.tracking_id == request.reserved_id


def test_a_search_that_fails_leaves_the_doubt(
    adapter: DelhiveryAdapter, sandbox: DelhiverySandbox
) -> None:
    request = new(adapter)
    sandbox.set_faults((BOOKS, "duplicate_order_after", 1.0), ("track", "reset_before", 1.0))
    assert isinstance(failure_of(adapter, request), PerhapsBooked)
    with pytest.raises(Unknown):
        adapter.find_booking(request)


@pytest.mark.parametrize("status", ["200", "400"])
def test_a_search_without_a_result_says_so(
    adapter: DelhiveryAdapter, sandbox: DelhiverySandbox, status: str
) -> None:
    sandbox.switch(not_found=status)
    assert adapter.find_booking(new(adapter)) is None


def test_an_unknown_warehouse_is_registered_by_the_platform(
    adapter: DelhiveryAdapter, sandbox: DelhiverySandbox
) -> None:
    request = new(adapter)
    wrong = dataclasses.replace(request.pickup, reference=f"{request.pickup.reference} ")
    for pickup in (wrong, dataclasses.replace(wrong, reference="")):
        error = failure_of(adapter, dataclasses.replace(request, pickup=pickup))
        assert isinstance(error, UnknownPickupAlias)
    assert sandbox.booked(request.order_number) == []


@pytest.mark.parametrize(
    ("switch", "kind", "words"),
    [
        ("empty_wallet", PerhapsBooked, "recharge it"),
        ("client_inactive", Rejected, "ask Delhivery"),
        ("warehouse_inactive", Rejected, "ask Delhivery to activate"),
        ("capacity_exceeded", PerhapsBooked, "after midnight"),
        ("other_environment", PerhapsBooked, "other environment (test or live)"),
    ],
)
def test_an_account_that_is_not_ready_is_told_what_to_do(
    adapter: DelhiveryAdapter, sandbox: DelhiverySandbox, switch: str, kind: Any, words: str
) -> None:
    request = new(adapter)
    sandbox.switch(**{switch: True})
    error = failure_of(adapter, request)
    assert isinstance(error, kind)
    assert words in error.reason
    assert sandbox.booked(request.order_number) == []


@pytest.mark.parametrize("remarks", ["list", "text"])
def test_a_pincode_that_is_not_served_is_named(
    adapter: DelhiveryAdapter, sandbox: DelhiverySandbox, remarks: str
) -> None:
    sandbox.switch(remarks=remarks)
    request = new(adapter)
    consignee = dataclasses.replace(request.consignee, pincode="998001")
    error = failure_of(adapter, dataclasses.replace(request, consignee=consignee))
    assert isinstance(error, PerhapsBooked)
    assert "998001" in error.courier_message
    assert "partially saved" not in error.courier_message


def test_a_revoked_key_is_refused(adapter: DelhiveryAdapter, sandbox: DelhiverySandbox) -> None:
    request = new(adapter)
    sandbox.switch(revoked=True)
    assert isinstance(failure_of(adapter, request), CredentialsRefused)
    with pytest.raises(CredentialsRefused):
        adapter.check_login()


def test_the_firewall_only_means_too_fast_and_holds_all_accounts_back(
    adapter: DelhiveryAdapter, sandbox: DelhiverySandbox
) -> None:
    request = new(adapter)
    sandbox.set_faults((BOOKS, "firewall", 1.0))
    too_fast = failure_of(adapter, request)
    assert isinstance(too_fast, TooManyRequests)
    assert too_fast.retry_after is not None
    assert too_fast.retry_after >= 30
    sandbox.set_faults()
    other = adapter_at(sandbox.url, client_name="OTHER")
    assert isinstance(failure_of(other, request), RateLimited)  # the limit is of the address


def test_a_good_key_passes_the_check(adapter: DelhiveryAdapter) -> None:
    assert adapter.check_login()


def test_numbers_are_long_enough_or_none(
    adapter: DelhiveryAdapter, sandbox: DelhiverySandbox
) -> None:
    assert len({*adapter.reserve_ids(30), *adapter.reserve_ids(1)}) == 31
    sandbox.switch(no_numbers=True)
    assert list(adapter.reserve_ids(1)) == list(adapter.reserve_ids(2)) == []


def test_the_client_name_is_sent_with_the_call_for_numbers(
    adapter: DelhiveryAdapter, sandbox: DelhiverySandbox
) -> None:
    sandbox.switch(client_name_needed=True)
    assert adapter.reserve_ids(2)


def test_several_boxes_are_one_booking(
    adapter: DelhiveryAdapter, sandbox: DelhiverySandbox
) -> None:
    request = new(adapter, options={"packages": [{**BOX, "count": 3}]})
    booking = adapter.create_shipment(request)
    assert booking.tracking_id == request.reserved_id
    assert adapter.create_shipment(request).tracking_id == request.reserved_id
    assert sandbox.booked(request.order_number) == [request.reserved_id]


def test_a_return_with_a_check_is_booked(
    adapter: DelhiveryAdapter, sandbox: DelhiverySandbox
) -> None:
    check = {"item": "T-shirt", "questions": [{"questions_id": "q1", "value": ["L"]}]}
    forward = new(adapter)
    request = return_with(
        order_number=new_order_number(),
        pickup=forward.pickup,
        reserved_id=forward.reserved_id,
        options={"quality_check": [check]},
    )
    booking = adapter.create_reverse_shipment(request)
    assert booking.tracking_id == request.reserved_id
    found = adapter.find_booking(dataclasses.replace(request, reserved_id=""))
    assert found is not None
    assert found.tracking_id == booking.tracking_id


def test_nothing_is_sent_that_would_be_refused(
    adapter: DelhiveryAdapter, sandbox: DelhiverySandbox
) -> None:
    before = sandbox.state()["calls"].get(BOOKS, 0)
    with pytest.raises(InvalidRequest, match="order_number"):
        adapter.create_shipment(new(adapter, order_number="A,1"))
    assert sandbox.state()["calls"].get(BOOKS, 0) == before


def test_cash_is_collected_in_rupees(adapter: DelhiveryAdapter, sandbox: DelhiverySandbox) -> None:
    request = new(adapter, payment_mode="cod", cod_amount=Decimal("1523.00"))
    adapter.create_shipment(request)
    assert sandbox.booked(request.order_number)


def test_the_stand_in_has_met_no_invalid_request(
    adapter: DelhiveryAdapter, sandbox: DelhiverySandbox
) -> None:
    adapter.create_shipment(new(adapter))
    assert [one["error"] for one in sandbox.invalid_requests()] == []


def test_an_answer_that_cannot_be_read_is_a_doubt(
    adapter: DelhiveryAdapter, sandbox: DelhiverySandbox
) -> None:
    request = new(adapter)
    sandbox.set_faults((BOOKS, "reset_after", 1.0))
    assert isinstance(failure_of(adapter, request), Unknown)
    assert sandbox.booked(request.order_number) == [request.reserved_id]
