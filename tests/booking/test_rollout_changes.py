"""A roll-out that is changed while an order is being booked, and what becomes of open work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from couriers.booking import permission, reserved_ids
from couriers.booking.protocol import book
from couriers.booking.steps import Step, booking_step
from couriers.contract.errors import CourierDisabled, CourierNotEnabled
from couriers.contract.registry import CourierFactory
from couriers.contract.types import Serviceability
from couriers.models import Courier, CourierCall, IdempotencyKey, ReservedId, Shipment
from tests.support.doubt_toys import Books, PlainToy, ReserveToy
from tests.support.doubts import reconcile
from tests.support.drafts import DRAFT, draft_with
from tests.support.rollouts import WAYS, narrow_to_none_of, roll_out

pytestmark = pytest.mark.usefixtures("no_backoff")

# The public directory lacks it, so the courier is asked about it while the booking is prepared.
UNLISTED = draft_with(
    consignee=DRAFT.consignee.__class__(
        "Asha Sample", "98765 43210", "9, Secret Lane", "Bengaluru", "Karnataka", "560999"
    )
)


@pytest.fixture
def books(account: Any) -> Iterator[Books]:
    """The books of a courier that reserves numbers, three at once."""
    PlainToy.books = Books()
    CourierFactory.register(ReserveToy)
    return PlainToy.books


@pytest.fixture
def at_step() -> Iterator[Callable[[Step, Callable[[], Any]], None]]:
    """Do something in the thread that books, when a booking has reached a step."""
    connected = []

    def connect(step: Step, do: Callable[[], Any]) -> None:
        def receive(**sent: Any) -> None:
            if sent["step"] is step:
                do()

        connected.append(receive)
        booking_step.connect(receive)

    yield connect
    for receive in connected:
        booking_step.disconnect(receive)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("step", [Step.RESERVED, Step.CALLING, Step.CALLED, Step.SETTLING])
def test_a_booking_that_is_reserved_goes_on(
    account: Any, toy: Any, at_step: Any, step: Step
) -> None:
    at_step(step, lambda: Courier.objects.update(rollout="off"))
    assert book(account.company, DRAFT).status_code == 201
    assert Shipment.objects.get().status == "booked"
    with pytest.raises(CourierNotEnabled):
        book(account.company, draft_with(order_number="A-2"))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("how", [*WAYS, "the courier's switch", "the account's switch"])
def test_a_change_while_the_booking_is_prepared_is_obeyed(
    account: Any, able: Any, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    clock = [0.0]
    monkeypatch.setattr(permission.time, "monotonic", lambda: clock[0])

    def narrow(_: Any) -> Serviceability:
        clock[0] += permission.CHECKED_FOR
        if how == "the courier's switch":
            Courier.objects.update(is_enabled=False)
        elif how == "the account's switch":
            type(account).objects.update(rollout="off")
        else:
            narrow_to_none_of(account.company, how)
        return Serviceability("560999", serviceable=True)

    able.on_call["check_serviceability"] = narrow
    with pytest.raises(CourierDisabled):
        book(account.company, UNLISTED)
    assert able.booked == []
    assert not Shipment.objects.exists()
    assert not IdempotencyKey.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_change_while_numbers_are_reserved_is_obeyed(
    account: Any, books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setattr(permission.time, "monotonic", lambda: clock[0])
    fetch = reserved_ids.fetch

    def slow_fetch(asked: Any) -> int:
        clock[0] += permission.CHECKED_FOR
        roll_out("off")
        return fetch(asked)

    monkeypatch.setattr(reserved_ids, "fetch", slow_fetch)
    with pytest.raises(CourierNotEnabled):
        book(account.company, DRAFT)
    assert not books.create_calls
    assert not ReservedId.objects.filter(state="taken").exists()


def test_a_booking_costs_no_statement_more(account: Any, django_assert_num_queries: Any) -> None:
    book(account.company, DRAFT)
    with django_assert_num_queries(13):  # with two savepoints of the test, as before
        book(account.company, draft_with(order_number="A-2"))
    roll_out("companies", companies=[account.company.slug])
    with django_assert_num_queries(13):
        book(account.company, draft_with(order_number="A-3"))


def test_a_doubt_is_settled_by_its_number_after_the_company_has_lost_the_courier(
    account: Any, books: Books
) -> None:
    books.behaviours = ["answer lost"] * 3
    shipment = book(account.company, DRAFT).shipment
    assert shipment.status == "in_doubt"
    roll_out("percentage", 0)
    assert reconcile().booked == 1
    shipment.refresh_from_db()
    assert (shipment.status, [shipment.tracking_id]) == ("booked", books.order("A-1"))


def test_no_numbers_are_reserved_for_a_company_outside(account: Any, books: Books) -> None:
    assert reserved_ids.accounts_in_need() == [account]
    roll_out("off")
    assert reserved_ids.accounts_in_need() == []
    assert not CourierCall.objects.exists()
