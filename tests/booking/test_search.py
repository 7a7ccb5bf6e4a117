"""A courier that can be searched settles its doubts: the found are booked, the absent are not."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from couriers.booking.protocol import book
from couriers.contract.errors import NotSupported, Unknown
from couriers.contract.registry import CourierFactory
from couriers.contract.types import Booking
from couriers.models import AuditEntry, CourierCall, DoubtInquiry, Shipment
from couriers.operations.erasure import erase_locked
from tests.support.doubt_toys import Books, PlainToy, SearchToy, UnsureSearchToy
from tests.support.doubts import pass_time, reconcile
from tests.support.drafts import DRAFT, draft_with
from tests.support.factories import ShipmentFactory
from tests.support.flags import open_flags


@pytest.fixture
def books(account: Any) -> Books:
    """The courier's books; it can be searched, and its lag is 60 seconds."""
    PlainToy.books = Books()
    CourierFactory.register(SearchToy)
    return PlainToy.books


@pytest.fixture
def unsure(books: Books) -> Books:
    """The books of a courier whose lag nobody knows."""
    CourierFactory.register(UnsureSearchToy)
    return books


def lose(account: Any, books: Books, behaviour: str = "request lost") -> Shipment:
    """Book the order without getting an answer."""
    books.behaviours = [behaviour]
    return book(account.company, DRAFT, key="first").shipment


def status_of(shipment: Shipment) -> str:
    return Shipment.objects.get(pk=shipment.pk).status


def test_a_booking_that_the_courier_has_is_booked_as_by_a_confirmation(
    account: Any, books: Books
) -> None:
    shipment = lose(account, books, "answer lost")
    assert reconcile().booked == 1
    shipment.refresh_from_db()
    assert (shipment.status, [shipment.tracking_id]) == ("booked", books.order("A-1"))
    assert (shipment.waybill, shipment.vendor) == ("W1", "TOY")
    again = book(account.company, DRAFT, key="first")
    assert (again.status_code, again.replayed) == (201, True)
    assert shipment.tracking_id.encode() in again.body
    assert not open_flags(shipment)
    assert len(books.create_calls) == 1


def test_a_booking_is_not_searched_while_its_call_may_still_be_answered(
    account: Any, books: Books
) -> None:
    shipment = lose(account, books, "answer lost")
    CourierCall.objects.update(outcome="pending", finished_at=None)
    assert reconcile().asked == 0
    assert not books.searches
    pass_time(151)
    assert reconcile().booked == 1
    assert status_of(shipment) == "booked"


def test_a_booking_whose_process_died_is_searched_once_its_lease_is_over(
    account: Any, books: Books
) -> None:
    shipment = lose(account, books, "answer lost")
    Shipment.objects.update(status="booking")
    CourierCall.objects.update(outcome="pending", finished_at=None)
    pass_time(151)
    assert reconcile().booked == 1
    assert status_of(shipment) == "booked"


def test_two_absences_a_lag_apart_free_the_order(account: Any, books: Books) -> None:
    shipment = lose(account, books)
    reconcile()  # at once: does not count yet
    pass_time(31)
    reconcile()  # the time of one more call has passed: the first that counts
    pass_time(59)
    reconcile()
    assert status_of(shipment) == "in_doubt"
    pass_time(2)
    assert reconcile().not_booked == 1
    shipment.refresh_from_db()
    assert shipment.status == "failed"
    assert shipment.failure == (
        "The courier does not have it. The call had ended with: reset after sending"
    )
    again = book(account.company, DRAFT, key="first")
    assert (again.status_code, again.shipment.pk, again.shipment.attempt) == (201, shipment.pk, 2)


def test_an_absence_before_the_request_can_have_been_carried_out_does_not_count(
    account: Any, books: Books
) -> None:
    shipment = lose(account, books)
    reconcile()
    assert DoubtInquiry.objects.get().first_absent_at is None
    pass_time(29)
    DoubtInquiry.objects.update(next_attempt_at=timezone.now())
    reconcile()
    inquiry = DoubtInquiry.objects.get()
    assert (inquiry.absences, inquiry.first_absent_at) == (2, None)
    assert status_of(shipment) == "in_doubt"


def test_the_audit_log_says_when_the_courier_was_searched(account: Any, books: Books) -> None:
    shipment = lose(account, books)
    settle_absent()
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor, entry.shipment) == ("search_absent", None, shipment)
    first, second = (
        dt.datetime.fromisoformat(entry.details[name])
        for name in ("first_absent_at", "second_absent_at")
    )
    assert (second - first).total_seconds() >= 60
    assert entry.details["attempt"] == 1


def settle_absent() -> None:
    """Let enough time pass for two absences."""
    reconcile()
    pass_time(31)
    reconcile()
    pass_time(61)
    assert reconcile().not_booked == 1


def test_an_index_that_is_late_does_not_free_the_order(account: Any, books: Books) -> None:
    shipment = lose(account, books, "answer lost")
    books.is_indexed = False
    reconcile()
    pass_time(31)
    reconcile()
    books.is_indexed = True
    pass_time(61)
    assert reconcile().booked == 1
    assert status_of(shipment) == "booked"


def test_without_a_known_lag_an_absence_is_only_evidence(account: Any, unsure: Books) -> None:
    shipment = lose(account, unsure)
    for _ in range(5):
        reconcile()
        pass_time(7200)
    assert status_of(shipment) == "in_doubt"
    inquiry = DoubtInquiry.objects.get()
    assert (inquiry.absences, inquiry.last_answer) == (5, "absent")
    assert not AuditEntry.objects.exists()
    unsure.behave(unsure.create_calls[0], "answers")
    assert reconcile().booked == 1


def test_a_courier_that_cannot_say_changes_nothing_and_is_asked_ever_later(
    account: Any, books: Books
) -> None:
    shipment = lose(account, books, "answer lost")
    books.search_error = Unknown("HTTP 500", courier_message="oops")
    pauses = []
    for _ in range(3):
        reconcile()
        inquiry = DoubtInquiry.objects.get()
        assert inquiry.next_attempt_at
        assert inquiry.last_asked_at
        pauses.append((inquiry.next_attempt_at - inquiry.last_asked_at).total_seconds())
        pass_time(pauses[-1] + 1)
    assert pauses[0] < pauses[1] < pauses[2]
    assert (inquiry.last_answer, inquiry.outcome, inquiry.failures) == ("cannot_say", "unknown", 3)
    assert inquiry.first_absent_at is None
    assert status_of(shipment) == "in_doubt"
    books.search_error = None
    assert reconcile().booked == 1


def test_an_error_between_two_absences_does_not_make_them_fewer_or_closer(
    account: Any, books: Books
) -> None:
    shipment = lose(account, books)
    reconcile()
    pass_time(31)
    reconcile()
    pass_time(61)
    books.search_error = Unknown("HTTP 500")
    reconcile()
    assert status_of(shipment) == "in_doubt"
    books.search_error = None
    pass_time(20)
    assert reconcile().not_booked == 1


def test_an_account_that_cannot_say_is_left_alone_for_the_rest_of_the_run(
    account: Any, books: Books
) -> None:
    lose(account, books)
    books.behaviours = ["request lost"]
    book(account.company, draft_with(order_number="A-2"))
    books.search_error = Unknown("HTTP 500")
    reconcile()
    assert len(books.searches) == 1


def test_an_erased_shipment_is_searched_too(account: Any, books: Books) -> None:
    shipment = lose(account, books, "answer lost")
    erase_locked([shipment.pk])
    assert reconcile().booked == 1
    (request,) = books.searches
    assert (request.order_number, request.consignee.phone) == ("A-1", "")


def test_the_request_of_a_search_is_that_of_the_create_call(account: Any, books: Books) -> None:
    draft = draft_with(invoice_number="INV-7", invoice_date=dt.date(2026, 11, 20))
    books.behaviours = ["answer lost"]
    book(account.company, draft)
    reconcile()
    assert books.searches == books.create_calls
    assert books.searches[0].shipment_id == Shipment.objects.get().pk


def test_a_search_that_finds_the_orders_former_shipment_has_found_nothing(
    account: Any, books: Books
) -> None:
    former = book(account.company, DRAFT).shipment
    Shipment.objects.filter(pk=former.pk).update(status="cancelled")
    books.behaviours = ["request lost"]
    again = book(account.company, DRAFT, key="again").shipment
    reconcile()
    assert DoubtInquiry.objects.get().last_answer == "absent"
    assert status_of(again) == "in_doubt"


@pytest.mark.parametrize(
    "answer",
    [
        Booking("T-9", order_number="B-9"),
        Booking("T-9"),
        Booking("", order_number="A-1"),
        Booking("T" * 101, order_number="A-1"),
        Booking("T\x00", order_number="A-1"),
        "T-9",
    ],
    ids=["another order", "no order", "no id", "a long id", "an id with NUL", "a text"],
)
def test_a_search_that_lies_cannot_say(account: Any, books: Books, answer: Any) -> None:
    shipment = lose(account, books)
    books.search_answer = lambda _: answer
    reconcile()
    inquiry = DoubtInquiry.objects.get()
    assert (inquiry.last_answer, inquiry.code) == ("cannot_say", "wrong-answer")
    assert "plug-in toy" in inquiry.message
    assert status_of(shipment) == "in_doubt"


def test_a_search_that_finds_another_orders_parcel_cannot_say(account: Any, books: Books) -> None:
    other = ShipmentFactory(account=account, warehouse=account.company.warehouses.get())
    shipment = lose(account, books)
    books.search_answer = lambda _: Booking(other.tracking_id, order_number="A-1")
    reconcile()
    assert DoubtInquiry.objects.get().last_answer == "cannot_say"
    assert status_of(shipment) == "in_doubt"


def test_a_plug_in_that_fails_by_an_exception_of_its_own_cannot_say(
    account: Any, books: Books
) -> None:
    lose(account, books)

    def fail(_: Any) -> None:
        raise ZeroDivisionError

    books.search_answer = fail
    reconcile()
    inquiry = DoubtInquiry.objects.get()
    assert (inquiry.last_answer, inquiry.code) == ("cannot_say", "ZeroDivisionError")


def test_a_declared_search_without_its_method_cannot_say(account: Any, books: Books) -> None:
    class Boastful(PlainToy):
        capabilities = SearchToy.capabilities

    CourierFactory.register(Boastful)
    shipment = lose(account, books)
    reconcile()
    assert DoubtInquiry.objects.get().outcome == NotSupported.outcome
    assert status_of(shipment) == "in_doubt"
