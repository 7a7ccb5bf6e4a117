"""A doubt with a reserved number is settled by the same create call with the same number."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from couriers.booking.protocol import book
from couriers.contract.errors import TimeIsUp
from couriers.contract.registry import CourierFactory
from couriers.models import Courier, CourierCall, DoubtInquiry, ReservedId, Shipment
from couriers.operations.doubt import release
from tests.support.doubt_toys import Books, PlainToy, ReserveToy, SearchReserveToy
from tests.support.doubts import pass_time, reconcile
from tests.support.drafts import DRAFT
from tests.support.factories import make_staff

pytestmark = pytest.mark.usefixtures("no_backoff")


@pytest.fixture
def books(account: Any) -> Iterator[Books]:
    """The books of a courier that reserves numbers, three at once."""
    PlainToy.books = Books()
    CourierFactory.register(ReserveToy)
    return PlainToy.books


@pytest.fixture
def both(books: Books) -> Books:
    """The books of a courier that can be searched as well."""
    CourierFactory.register(SearchReserveToy)
    return books


def lose(account: Any, books: Books, behaviour: str = "answer lost") -> Shipment:
    """Book the order without getting an answer, however often it is asked for."""
    books.behaviours = [behaviour] * 3
    return book(account.company, DRAFT, key="first").shipment


def states() -> dict[str, str]:
    return dict(ReservedId.objects.values_list("number", "state"))


@pytest.mark.parametrize("behaviour", ["answer lost", "request lost"])
def test_a_doubt_is_booked_by_the_same_number_without_an_operator(
    account: Any, books: Books, behaviour: str
) -> None:
    shipment = lose(account, books, behaviour)
    assert reconcile().booked == 1
    shipment.refresh_from_db()
    assert (shipment.status, [shipment.tracking_id]) == ("booked", books.order("A-1"))
    assert len({request.reserved_id for request in books.create_calls}) == 1
    assert books.create_calls[-1] == books.create_calls[0]
    assert book(account.company, DRAFT, key="first").status_code == 201


def test_a_booking_whose_process_died_is_booked_by_the_same_number(
    account: Any, books: Books
) -> None:
    shipment = lose(account, books)
    Shipment.objects.update(status="booking")
    CourierCall.objects.filter(operation="create_shipment").update(
        outcome="pending", finished_at=None
    )
    assert reconcile().asked == 0
    pass_time(151)
    assert reconcile().booked == 1
    shipment.refresh_from_db()
    assert [shipment.tracking_id] == books.order("A-1")


def test_a_doubt_whose_repetition_is_refused_stays_and_is_booked_when_the_courier_says_so(
    account: Any, books: Books
) -> None:
    """The lost answer was a booking: the refusal is about something else."""
    shipment = lose(account, books)
    books.behaviours = ["refuses"]
    assert (reconcile().booked, reconcile().not_booked) == (0, 0)
    shipment.refresh_from_db()
    assert shipment.status == "in_doubt"
    pass_time(20)
    assert reconcile().booked == 1
    assert len(books.order("A-1")) == 1


def test_a_doubt_whose_number_is_refused_is_not_booked(account: Any, books: Books) -> None:
    shipment = lose(account, books, "request lost")
    books.refused_numbers.update(books.reserved)
    assert reconcile().not_booked == 1
    shipment.refresh_from_db()
    assert shipment.status == "failed"


def test_a_repetition_that_fails_is_made_again_later(account: Any, books: Books) -> None:
    shipment = lose(account, books)
    books.behaviours = ["answer lost"] * 3
    assert reconcile().booked == 0
    shipment.refresh_from_db()
    assert shipment.status == "in_doubt"
    assert reconcile().asked == 0
    pass_time(20)
    assert reconcile().booked == 1
    assert len(books.order("A-1")) == 1


def test_an_order_is_not_released_while_its_create_call_is_being_repeated(
    account: Any, books: Books
) -> None:
    shipment = lose(account, books)
    refused = []

    def behave(request: Any, behaviour: str) -> Any:
        with pytest.raises(Exception, match="wait another") as caught:
            release(shipment.pk, actor=make_staff("settle_doubt"), reason="impatient")
        refused.append(caught)
        return Books.behave(books, request, behaviour)

    books.behave = behave  # type: ignore[method-assign]
    assert reconcile().booked == 1
    assert refused


def test_no_create_call_is_repeated_while_bookings_are_switched_off(
    account: Any, books: Books
) -> None:
    shipment = lose(account, books)
    Courier.objects.filter(pk="toy").update(is_enabled=False)
    reconcile()
    assert len(books.create_calls) == 3
    assert DoubtInquiry.objects.get().last_answer == "cannot_say"
    Courier.objects.filter(pk="toy").update(is_enabled=True)
    pass_time(20)
    assert reconcile().booked == 1
    assert Shipment.objects.get().pk == shipment.pk


def test_a_refusal_of_the_repetition_is_checked_by_a_search(account: Any, both: Books) -> None:
    shipment = lose(account, both)
    both.behaviours = ["refuses"]
    assert reconcile().booked == 1
    shipment.refresh_from_db()
    assert [shipment.tracking_id] == both.order("A-1")


def test_a_failure_that_may_have_saved_the_booking_is_searched_and_not_sent_again_at_once(
    account: Any, both: Books
) -> None:
    both.behaviours = ["fails in part", "fails in part"]
    result = book(account.company, DRAFT, key="first")
    assert (result.status_code, len(both.create_calls)) == (202, 1)
    reconcile()
    assert (len(both.create_calls), len(both.searches)) == (2, 1)
    for _ in range(2):
        pass_time(100)
        reconcile()
    result.shipment.refresh_from_db()
    assert result.shipment.status == "failed"
    assert result.shipment.failure.endswith("had ended with: it might have been saved")
    assert len(both.create_calls) == 2


def test_absences_from_before_a_repetition_do_not_count(account: Any, both: Books) -> None:
    shipment = lose(account, both, "request lost")
    both.is_indexed = False
    both.behaviours = ["request lost", "request lost", "answer lost"]
    reconcile()
    both.behaviours = ["refuses"]
    pass_time(20)
    reconcile()
    shipment.refresh_from_db()
    assert shipment.status == "in_doubt"
    assert DoubtInquiry.objects.get().first_absent_at is None
    both.is_indexed = True
    pass_time(31)
    assert reconcile().booked == 1
    assert len(both.order("A-1")) == 1


def test_a_stuck_process_that_sent_nothing_does_not_fail_what_was_repeated_meanwhile(
    account: Any, books: Books
) -> None:
    def stuck(request: Any, behaviour: str) -> Any:
        books.behave = Books.behave.__get__(books)  # type: ignore[method-assign]
        pass_time(151)
        books.behaviours = ["answer lost"] * 3
        assert reconcile().asked == 1
        raise TimeIsUp("the deadline has passed")

    books.behave = stuck  # type: ignore[method-assign]
    with pytest.raises(TimeIsUp):
        book(account.company, DRAFT, key="first")
    assert Shipment.objects.get().status == "in_doubt"
    assert list(states().values()).count("taken") == 1
    pass_time(20)
    assert reconcile().booked == 1
    assert len(books.order("A-1")) == 1
