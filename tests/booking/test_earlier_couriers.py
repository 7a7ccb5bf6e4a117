"""What a courier says of an order that another one was asked for since moves no shipment."""

from __future__ import annotations

from typing import Any

import pytest

from couriers.booking.going_on import go_on_due
from couriers.booking.protocol import book
from couriers.booking.settling import settle_booked, settle_failed
from couriers.contract.errors import Rejected
from couriers.contract.platform_errors import OrderAlreadyLive
from couriers.contract.types import Booking
from couriers.models import (
    BookingAttempt,
    Company,
    CourierCall,
    CourierRule,
    Shipment,
)
from couriers.tracking.events import Applied, apply_events
from tests.support.drafts import created_event, draft_with
from tests.support.fail_over import (
    AUTO,
    Asked,
    current,
    scan_event,
    settle_absent,
)
from tests.support.flags import open_flags

pytestmark = pytest.mark.django_db(transaction=True)


def moved(company: Company, two: list[Asked]) -> Shipment:
    """Return an order that the second courier has, after a doubt at the first."""
    two[0].books.behaviours = ["request lost"]
    book(company, AUTO)
    settle_absent()
    assert go_on_due(5) == 1
    return current()


def test_a_late_creation_of_an_earlier_courier_is_flagged_and_changes_nothing(
    company: Company, two: list[Asked]
) -> None:
    shipment = moved(company, two)
    events = [created_event("A-1", "LATE1")]
    assert apply_events(two[0].account, events) == [Applied.APPLIED]
    after = current()
    assert (after.status, after.courier_id, after.tracking_id) == (
        "booked", "two", shipment.tracking_id,
    )  # fmt: skip
    assert open_flags(after) == [("earlier_courier", "LATE1")]
    attempt = BookingAttempt.objects.get(number=1)
    assert (attempt.tracking_id, attempt.courier_id) == ("LATE1", "one")
    apply_events(two[0].account, events)
    assert len(open_flags(after)) == 1


def test_scans_of_an_earlier_couriers_parcel_do_not_move_the_shipment(
    company: Company, two: list[Asked]
) -> None:
    moved(company, two)
    account = two[0].account
    assert apply_events(account, [scan_event("LATE1", "in_transit", 2, "A-1")]) == [Applied.APPLIED]
    assert apply_events(account, [scan_event("LATE1", "delivered", 5)]) == [Applied.APPLIED]
    apply_events(account, [scan_event("LATE1", "out_for_delivery", 4)])
    shipment = current()
    assert (shipment.status, shipment.scans.count()) == ("booked", 0)
    assert BookingAttempt.objects.get().parcel_status == "delivered"
    assert open_flags(shipment) == [("earlier_courier", "LATE1")]


def test_a_parcel_that_the_earlier_courier_has_cancelled_needs_nobody(
    company: Company, two: list[Asked]
) -> None:
    moved(company, two)
    apply_events(two[0].account, [scan_event("LATE1", "in_transit", 2, "A-1")])
    apply_events(two[0].account, [scan_event("LATE1", "cancelled", 3)])
    assert BookingAttempt.objects.get().cancelled_at is not None
    assert open_flags(current()) == []
    assert current().status == "booked"


def test_where_the_next_courier_refuses_the_earlier_parcel_becomes_the_shipments(
    company: Company, two: list[Asked]
) -> None:
    two[0].books.behaviours = ["request lost"]
    book(company, AUTO, key="k")
    settle_absent()
    original = two[1].books.create

    def create(request: Any) -> Booking:
        apply_events(two[0].account, [created_event("A-1", "LATE1")])
        return original(request)

    two[1].books.create = create  # type: ignore[method-assign]
    two[1].books.behaviours = ["refuses"]
    assert go_on_due(5) == 1
    shipment = current()
    assert (shipment.status, shipment.courier_id, shipment.tracking_id) == (
        "booked", "one", "LATE1",
    )  # fmt: skip
    assert [kind for kind, _ in open_flags(shipment)] == ["late_confirmation"]
    again = book(company, AUTO, key="k")
    assert again.status_code == 201
    assert b"LATE1" in again.body
    apply_events(two[0].account, [scan_event("LATE1", "in_transit", 2)])
    assert current().status == "in_transit"


def test_a_late_yes_of_an_earlier_courier_books_an_order_that_none_has(
    company: Company, two: list[Asked]
) -> None:
    two[0].books.behaviours = ["request lost"]
    two[1].books.behaviours = ["refuses"]
    book(company, AUTO)
    settle_absent()
    go_on_due(5)
    assert (current().status, current().courier_id) == ("failed", "two")
    apply_events(two[0].account, [created_event("A-1", "LATE1")])
    shipment = current()
    assert (shipment.status, shipment.courier_id, shipment.tracking_id) == (
        "booked", "one", "LATE1",
    )  # fmt: skip
    assert [kind for kind, _ in open_flags(shipment)] == ["late_confirmation"]
    assert Shipment.objects.count() == 1


def test_a_late_answer_of_an_earlier_courier_is_flagged(company: Company, two: list[Asked]) -> None:
    two[0].books.behaviours = ["request lost"]
    first = book(company, AUTO).shipment
    call = CourierCall.objects.get(shipment=first)
    settle_absent()
    go_on_due(5)
    result = settle_booked(first, call, Booking("LATE1"))
    shipment = current()
    assert (shipment.courier_id, open_flags(shipment)) == (
        "two", [("earlier_courier", "LATE1")],
    )  # fmt: skip
    assert shipment.tracking_id.encode() in result.body
    settle_failed(first, call, Rejected("late"))
    assert current().status == "booked"


def test_before_an_earlier_courier_is_asked_again_it_is_searched(
    company: Company, two: list[Asked]
) -> None:
    """It has the order: the search's lag was longer than its courier says."""
    one, other = two
    one.books.behaviours, one.books.is_indexed = ["answer lost"], False
    other.books.behaviours = ["refuses"]
    book(company, AUTO)
    settle_absent()
    go_on_due(5)
    assert (current().status, current().courier_id) == ("failed", "two")
    one.books.is_indexed = True
    result = book(company, AUTO)
    assert result.status_code == 201
    assert (current().status, current().courier_id) == ("booked", "one")
    assert [current().tracking_id] == one.books.order("A-1")
    assert len(one.books.parcels) == 1


def test_a_courier_that_may_have_an_earlier_attempt_is_searched_before_its_next_turn(
    company: Company, two: list[Asked]
) -> None:
    """It was asked first, then its turn came after another courier that refused."""
    one, other = two
    one.books.behaviours, one.books.is_indexed = ["answer lost"], False
    book(company, draft_with(courier="one"), key="k")
    settle_absent()
    one.books.is_indexed = True
    Shipment.objects.update(choice=None)
    CourierRule.objects.update(couriers=[{"courier": "two"}, {"courier": "one"}])
    other.books.behaviours = ["refuses"]
    with pytest.raises(OrderAlreadyLive):
        book(company, AUTO, key="other")
    assert len(one.books.parcels) == 1
    live = Shipment.objects.live().get()
    assert [live.tracking_id] == one.books.order("A-1")
    assert book(company, draft_with(courier="one"), key="k").status_code == 201
