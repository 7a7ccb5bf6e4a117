"""An order that may have reached the courier is searched before it is sent again."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from couriers.booking.protocol import book
from couriers.contract.errors import EarlierUnclear, OrderKept, Rejected, Unknown
from couriers.contract.platform_errors import BookingInFlight, OrderAlreadyLive
from couriers.contract.registry import CourierFactory
from couriers.contract.types import Booking
from couriers.models import CourierCall, Shipment
from couriers.operations.doubt import release
from tests.support.doubt_toys import Books, PlainToy, SearchToy
from tests.support.drafts import DRAFT, draft_with
from tests.support.factories import make_staff


@pytest.fixture
def books(account: Any) -> Books:
    """The books of a courier that can be searched."""
    PlainToy.books = Books()
    CourierFactory.register(SearchToy)
    return PlainToy.books


def lose(account: Any, books: Books, behaviour: str = "request lost") -> Shipment:
    """Book the order without getting an answer."""
    books.behaviours = [behaviour]
    return book(account.company, DRAFT, key="first").shipment


def status_of(shipment: Shipment) -> str:
    return Shipment.objects.get(pk=shipment.pk).status


def test_a_released_order_that_the_courier_has_is_not_booked_again(
    account: Any, books: Books
) -> None:
    shipment = lose(account, books, "answer lost")
    release(shipment.pk, actor=make_staff("settle_doubt"), reason="not in the panel")
    again = book(account.company, DRAFT, key="first")
    assert (again.status_code, again.replayed, again.shipment.pk) == (201, True, shipment.pk)
    assert len(books.create_calls) == 1
    assert [Shipment.objects.get().tracking_id] == books.order("A-1")


def test_a_released_order_under_another_key_is_not_booked_again_either(
    account: Any, books: Books
) -> None:
    shipment = lose(account, books, "answer lost")
    release(shipment.pk, actor=make_staff("settle_doubt"), reason="not in the panel")
    with pytest.raises(OrderAlreadyLive):
        book(account.company, DRAFT, key="second")
    assert status_of(shipment) == "booked"
    assert len(books.create_calls) == 1


def test_a_released_order_that_the_courier_lacks_is_booked_again(
    account: Any, books: Books
) -> None:
    shipment = lose(account, books)
    release(shipment.pk, actor=make_staff("settle_doubt"), reason="not in the panel")
    assert book(account.company, DRAFT, key="first").status_code == 201
    assert len(books.searches) == 1
    assert books.searches[0].shipment_id == shipment.pk


def test_a_released_order_waits_while_the_courier_cannot_say(account: Any, books: Books) -> None:
    shipment = lose(account, books)
    release(shipment.pk, actor=make_staff("settle_doubt"), reason="not in the panel")
    books.search_error = Unknown("HTTP 500")
    with pytest.raises(EarlierUnclear):
        book(account.company, DRAFT, key="first")
    assert status_of(shipment) == "failed"
    assert len(books.create_calls) == 1


def test_an_order_is_not_searched_whose_earlier_attempt_surely_failed(
    account: Any, books: Books
) -> None:
    books.behaviours = ["refuses"]
    with pytest.raises(Rejected):
        book(account.company, DRAFT)
    book(account.company, DRAFT)
    assert not books.searches


def test_an_order_that_the_courier_kept_is_searched_before_it_is_booked_again(
    account: Any, books: Books
) -> None:
    books.behaviours = ["keeps"]
    with pytest.raises(OrderKept):
        book(account.company, DRAFT, key="first")
    books.search_error = OrderKept("still without a parcel")
    assert book(account.company, DRAFT, key="second").status_code == 201
    assert (len(books.searches), len(books.create_calls)) == (1, 2)


def test_a_kept_order_that_has_a_parcel_by_now_is_not_booked_again(
    account: Any, books: Books
) -> None:
    books.behaviours = ["keeps"]
    with pytest.raises(OrderKept):
        book(account.company, DRAFT, key="first")
    books.search_answer = lambda _: Booking("T-1", order_number="A-1")
    again = book(account.company, DRAFT, key="first")
    assert (again.status_code, again.shipment.tracking_id) == (201, "T-1")
    assert len(books.create_calls) == 1


def test_a_lost_call_is_not_settled_by_an_order_without_a_parcel(
    account: Any, books: Books
) -> None:
    shipment = lose(account, books)
    release(shipment.pk, actor=make_staff("settle_doubt"), reason="not in the panel")
    books.search_error = OrderKept("no carrier has it yet")
    with pytest.raises(EarlierUnclear):
        book(account.company, DRAFT, key="first")
    assert len(books.create_calls) == 1


def test_an_earlier_call_that_may_still_be_answered_is_waited_for(
    account: Any, books: Books
) -> None:
    lose(account, books)
    Shipment.objects.update(status="failed", tracking_id="")
    CourierCall.objects.update(outcome="pending", finished_at=None)
    with pytest.raises(BookingInFlight):
        book(account.company, DRAFT, key="first")
    assert not books.searches


def test_other_content_under_the_found_order_is_refused(account: Any, books: Books) -> None:
    shipment = lose(account, books, "answer lost")
    release(shipment.pk, actor=make_staff("settle_doubt"), reason="not in the panel")
    other = dataclasses.replace(DRAFT.consignee, name="Ravi Other")
    with pytest.raises(Exception, match=r"consignee\.name"):
        book(account.company, draft_with(consignee=other), key="first")
    assert status_of(shipment) == "booked"
