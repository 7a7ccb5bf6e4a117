"""Numbers reserved beforehand: each is for one attempt, and lets a create call be repeated."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from couriers import tasks
from couriers.booking import reserved_ids
from couriers.booking.protocol import book
from couriers.contract.errors import (
    NoReservedId,
    NotDone,
    NotSent,
    Rejected,
    ReservedIdRefused,
    Unknown,
)
from couriers.contract.registry import CourierFactory
from couriers.models import CourierCall, ReservedId, Shipment
from tests.support.doubt_toys import Books, PlainToy, ReserveToy
from tests.support.doubts import pass_time
from tests.support.drafts import DRAFT, draft_with
from tests.support.threads import run_at_once

pytestmark = pytest.mark.usefixtures("no_backoff")


@pytest.fixture
def books(account: Any) -> Iterator[Books]:
    """The books of a courier that reserves numbers, three at once."""
    PlainToy.books = Books()
    CourierFactory.register(ReserveToy)
    return PlainToy.books


def lose(account: Any, books: Books, behaviour: str = "answer lost") -> Shipment:
    """Book the order without getting an answer, however often it is asked for."""
    books.behaviours = [behaviour] * 3
    return book(account.company, DRAFT, key="first").shipment


def states() -> dict[str, str]:
    return dict(ReservedId.objects.values_list("number", "state"))


def test_a_booking_takes_a_number_of_the_pool(account: Any, books: Books) -> None:
    reserved_ids.fetch(account)
    shipment = book(account.company, DRAFT).shipment
    (request,) = books.create_calls
    assert request.reserved_id == books.reserved[0] == shipment.tracking_id
    assert (request.shipment_id, request.attempt) == (shipment.pk, 1)
    taken = ReservedId.objects.get(state="taken")
    assert (taken.number, taken.shipment, taken.attempt) == (request.reserved_id, shipment, 1)


@pytest.mark.parametrize(
    "change", [{"base_url": "http://127.0.0.1:10"}, {"login": {"client_id": "another"}}]
)
def test_numbers_of_another_server_or_login_are_never_used(
    account: Any, books: Books, change: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A number of the courier's test server is none at its live one."""
    monkeypatch.setattr(ReserveToy, "login_identity", ("client_id",))
    account.save()
    reserved_ids.fetch(account)
    before = set(books.reserved)
    taken = book(account.company, DRAFT).shipment.tracking_id
    account.limits = {"track": {"count": 1, "window": 1}}
    account.save()
    assert sorted(states().values()) == ["free", "free", "taken"]
    for name, value in change.items():
        setattr(account, name, account.login | value if name == "login" else value)
    account.save()
    assert states() == {number: "taken" if number == taken else "retired" for number in before}
    later = book(account.company, draft_with(order_number="A-2")).shipment
    assert later.tracking_id not in before


def test_an_empty_pool_is_filled_by_one_batch_before_the_reservation(
    account: Any, books: Books
) -> None:
    assert book(account.company, DRAFT).status_code == 201
    assert sorted(states().values()) == ["free", "free", "taken"]
    assert CourierCall.objects.filter(operation="reserve_ids").get().outcome == "ok"


@pytest.mark.parametrize("error", [Unknown("HTTP 500"), Rejected("no"), NotSent("refused")])
def test_nothing_is_stored_or_sent_where_no_number_can_be_reserved(
    account: Any, books: Books, error: Any
) -> None:
    books.reserve_error = error
    with pytest.raises(NoReservedId):
        book(account.company, DRAFT)
    assert not Shipment.objects.exists()
    assert not books.create_calls
    books.reserve_error = None
    assert book(account.company, DRAFT).status_code == 201


@pytest.mark.parametrize("numbers", [None, "N1", [1], [""], ["N" * 101], ["N\x00"]])
def test_a_plug_in_that_reserves_what_is_no_number_reserves_nothing(
    account: Any, books: Books, numbers: Any
) -> None:
    books.reserve = lambda _: numbers  # type: ignore[method-assign]
    with pytest.raises(NoReservedId, match="plug-in toy"):
        book(account.company, DRAFT)
    assert not ReservedId.objects.exists()


def test_a_number_that_came_before_is_not_used_again(account: Any, books: Books) -> None:
    book(account.company, DRAFT)
    again = list(books.reserved)
    books.reserve = lambda _: again  # type: ignore[method-assign]
    assert reserved_ids.fetch(account) == 0
    assert ReservedId.objects.count() == 3
    with pytest.raises(IntegrityError):
        ReservedId.objects.create(
            account=account, courier=account.courier, number=again[0],
            fetched_at=timezone.now(), use_from=timezone.now(), state_at=timezone.now(),
        )  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_bookings_at_once_take_numbers_of_their_own(account: Any, books: Books) -> None:
    reserved_ids.fetch(account)
    orders = itertools.count(1)
    run_at_once(lambda: book(account.company, draft_with(order_number=f"A-{next(orders)}")), 3)
    assert len({request.reserved_id for request in books.create_calls}) == 3


@pytest.mark.parametrize(
    ("behaviour", "error", "state"),
    [
        ("not sent", NotSent, "free"),
        ("not done", NotDone, "free"),
        ("refuses", Rejected, "retired"),
    ],
)
def test_only_a_number_that_is_surely_unused_returns_to_the_pool(
    account: Any, books: Books, behaviour: str, error: Any, state: str
) -> None:
    books.behaviours = [behaviour] * 4
    with pytest.raises(error):
        book(account.company, DRAFT)
    number = books.create_calls[0].reserved_id
    assert states()[number] == state


def test_a_failed_attempt_is_followed_by_another_number(account: Any, books: Books) -> None:
    books.behaviours = ["refuses"]
    with pytest.raises(Rejected):
        book(account.company, DRAFT)
    book(account.company, DRAFT)
    first, second = books.create_calls
    assert first.reserved_id != second.reserved_id
    assert (first.shipment_id, second.attempt) == (second.shipment_id, 2)


def test_a_lost_answer_is_asked_for_again_with_the_same_number(account: Any, books: Books) -> None:
    books.behaviours = ["answer lost"]
    result = book(account.company, DRAFT)
    assert result.status_code == 201
    first, second = books.create_calls
    assert first == second
    assert books.order("A-1") == [result.shipment.tracking_id]


def test_a_lost_answer_is_asked_for_twice_at_most_within_a_request(
    account: Any, books: Books
) -> None:
    shipment = lose(account, books)
    assert shipment.status == "in_doubt"
    assert len(books.create_calls) == 3


def test_a_lost_answer_without_a_number_is_never_asked_for_again(
    account: Any, books: Books
) -> None:
    CourierFactory.register(PlainToy)
    assert lose(account, books).status == "in_doubt"
    assert len(books.create_calls) == 1


def test_what_prevents_the_repetition_leaves_the_booking_in_doubt(
    account: Any, books: Books
) -> None:
    books.behaviours = ["answer lost", "not sent", "not sent", "not sent"]
    result = book(account.company, DRAFT)
    assert (result.status_code, result.shipment.status) == (202, "in_doubt")


@pytest.mark.parametrize("before", ["request lost", "answer lost"])
def test_a_repetition_that_is_refused_shows_nothing_of_the_call_before(
    account: Any, books: Books, before: str
) -> None:
    books.behaviours = [before, "refuses"]
    assert book(account.company, DRAFT).status_code == 202
    assert Shipment.objects.get().status == "in_doubt"
    assert list(states().values()).count("taken") == 1


def test_a_repetition_whose_number_is_refused_shows_that_nothing_was_booked(
    account: Any, books: Books
) -> None:
    reserved_ids.fetch(account)
    books.refused_numbers.update(books.reserved)
    books.behaviours = ["request lost"]
    with pytest.raises(ReservedIdRefused):
        book(account.company, DRAFT)
    assert Shipment.objects.get().status == "failed"


def test_a_number_that_the_courier_refuses_is_retired_and_another_one_books(
    account: Any, books: Books, settings: Any
) -> None:
    settings.SHIPCROWD = settings.SHIPCROWD | {"RESERVED_ID_AGE": 0.0}
    reserved_ids.fetch(account)
    refused = books.reserved[0]
    books.refused_numbers.add(refused)
    with pytest.raises(ReservedIdRefused):
        book(account.company, DRAFT)
    assert len(books.create_calls) == 1
    assert states()[refused] == "retired"
    assert book(account.company, DRAFT).status_code == 201


def test_a_fresh_number_that_the_courier_refuses_is_kept_for_later(
    account: Any, books: Books
) -> None:
    reserved_ids.fetch(account)
    fresh = books.reserved[0]
    books.refused_numbers.add(fresh)
    with pytest.raises(ReservedIdRefused):
        book(account.company, DRAFT)
    assert states()[fresh] == "free"
    assert book(account.company, DRAFT).shipment.tracking_id == books.reserved[1]
    pass_time(700)
    last = ReservedId.objects.filter(state="free").order_by("use_from", "id").last()
    assert last
    assert last.number == fresh


def test_the_pool_is_filled_ahead_of_need(account: Any, books: Books, settings: Any) -> None:
    settings.SHIPCROWD = settings.SHIPCROWD | {"RESERVED_IDS_AHEAD": 4}
    assert reserved_ids.accounts_in_need() == [account]
    assert tasks.fill_account_ids(account.pk) == 9
    assert reserved_ids.free_count(account) == 9
    assert reserved_ids.accounts_in_need() == []


def test_a_courier_that_gives_no_numbers_ends_the_filling(account: Any, books: Books) -> None:
    books.reserve_error = Unknown("HTTP 500")
    assert tasks.fill_account_ids(account.pk) == 0
    books.reserve_error = None
    books.reserve = lambda _: ["N1"]  # type: ignore[method-assign]
    assert tasks.fill_account_ids(account.pk) == 1


def test_older_numbers_are_taken_first(account: Any, books: Books) -> None:
    reserved_ids.fetch(account)
    ReservedId.objects.filter(number=books.reserved[2]).update(
        use_from=timezone.now() - dt.timedelta(days=1)
    )
    book(account.company, DRAFT)
    assert books.create_calls[0].reserved_id == books.reserved[2]


def test_a_reserved_number_costs_two_statements(account: Any, books: Books) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as captured:
            order = f"B-{CourierCall.objects.count()}"
            book(account.company, draft_with(order_number=order))
        return len([q for q in captured if not q["sql"].startswith(("SAVEPOINT", "RELEASE"))])

    reserved_ids.fetch(account)
    count()
    with_number = count()
    CourierFactory.register(PlainToy)
    count()
    assert with_number == count() + 2
