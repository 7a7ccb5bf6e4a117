"""Warehouses are registered before bookings that need a reference, once for each address."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from couriers.booking.protocol import BookingResult, book
from couriers.contract.adapter import Capability
from couriers.contract.errors import (
    CredentialsRefused,
    InvalidRequest,
    NotDone,
    NotSent,
    Rejected,
    TimeIsUp,
    TooManyRequests,
    Unknown,
    UnknownPickupAlias,
    WarehouseInDoubt,
)
from couriers.contract.registry import CourierFactory
from couriers.contract.types import Booking, Pickup, ShipmentRequest, WarehouseRegistration
from couriers.models import Shipment, Warehouse
from couriers.models import WarehouseRegistration as Row
from couriers.resilience import deadline
from tests.support.drafts import draft_with
from tests.support.threads import run_at_once
from tests.support.toy import ToyAdapter, ToyReceiver

REFERENCE = "main-gate"


class RegisteringToy(ToyAdapter):
    """A courier that books only from registered warehouses.

    `asked` are the warehouses it was asked to register, `answers` its next answers (then
    REFERENCE), `forgotten` the references that it does not know, `booked_from` those it booked.
    """

    capabilities = ToyAdapter.capabilities | {Capability.CREATE_WAREHOUSE}
    registers_warehouses = True
    asked: ClassVar[list[Pickup]] = []
    answers: ClassVar[list[Any]] = []
    forgotten: ClassVar[set[str]] = set()
    booked_from: ClassVar[list[str]] = []

    def create_warehouse(self, pickup: Pickup) -> WarehouseRegistration:
        self.asked.append(pickup)
        answer = self.answers.pop(0) if self.answers else REFERENCE
        if isinstance(answer, BaseException):
            raise answer
        return WarehouseRegistration(answer)

    def create_shipment(self, request: ShipmentRequest) -> Booking:
        if request.pickup.reference in self.forgotten:
            raise UnknownPickupAlias("the pickup address is not registered", courier="toy")
        self.booked_from.append(request.pickup.reference)
        return super().create_shipment(request)


@pytest.fixture(autouse=True)
def toy(toy: Any) -> type[RegisteringToy]:
    CourierFactory.register(RegisteringToy, ToyReceiver())
    for kept in (RegisteringToy.asked, RegisteringToy.answers, RegisteringToy.booked_from):
        kept.clear()
    RegisteringToy.forgotten.clear()
    return RegisteringToy


@pytest.fixture
def once_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each registration makes another warehouse at the courier."""
    monkeypatch.setattr(RegisteringToy, "warehouse_repeatable", False)


def order(account: Any, number: str = "A-1") -> BookingResult:
    return book(account.company, draft_with(order_number=number))


def state() -> tuple[str, str]:
    row = Row.objects.get()
    return row.state, row.reference


def test_the_first_booking_registers_the_warehouse_and_later_ones_use_it(
    account: Any, toy: Any
) -> None:
    for number in ("A-1", "A-2"):
        assert order(account, number).shipment.status == "booked"
    assert len(toy.asked) == 1
    assert toy.booked_from == [REFERENCE, REFERENCE]
    assert state() == ("synced", REFERENCE)


def test_a_registered_warehouse_costs_no_statement(account: Any, toy: Any) -> None:
    order(account)
    with CaptureQueriesContext(connection) as with_reference:
        order(account, "A-2")
    CourierFactory.register(ToyAdapter, ToyReceiver())
    order(account, "A-3")  # a new adapter reads the login
    with CaptureQueriesContext(connection) as without_registration:
        order(account, "A-4")
    assert len(with_reference) == len(without_registration)


@pytest.mark.django_db(transaction=True)
def test_bookings_at_the_same_time_register_the_warehouse_once(account: Any, toy: Any) -> None:
    numbers = iter(["A-1", "A-2", "A-3", "A-4"])
    run_at_once(lambda: order(account, next(numbers)), 4)
    assert Shipment.objects.filter(status="booked").count() == 4
    assert len(toy.asked) == 1


@pytest.mark.parametrize(
    "error",
    [
        CredentialsRefused("the login is refused"),
        TooManyRequests("too fast", retry_after=60),
        NotSent("could not connect", retry_after=60),
    ],
)
@pytest.mark.parametrize("repeatable", [True, False])
def test_what_says_nothing_of_the_address_leaves_the_registration_pending(
    account: Any, toy: Any, monkeypatch: pytest.MonkeyPatch, error: Any, repeatable: bool
) -> None:
    monkeypatch.setattr(toy, "warehouse_repeatable", repeatable)
    toy.answers.append(error)
    with pytest.raises(type(error)):
        order(account)
    assert state() == ("pending", "")
    assert Row.objects.get().reason == error.reason
    assert toy.booked_from == []
    assert order(account).shipment.status == "booked"
    assert state() == ("synced", REFERENCE)


def test_an_unknown_answer_is_asked_again_where_that_registers_the_same_warehouse(
    account: Any, toy: Any
) -> None:
    toy.answers += [Unknown("no answer", courier="toy", retry_after=60)]
    with pytest.raises(NotSent, match=r"could not be registered \(no answer\)"):
        order(account)
    assert state() == ("pending", "")
    assert Shipment.objects.get().status == "failed"
    assert order(account).shipment.status == "booked"


def test_a_refused_address_is_refused_by_name_for_a_while(
    account: Any, toy: Any, settings: Any
) -> None:
    toy.answers.append(Rejected("refused", courier_message="no such pincode"))
    for _ in range(2):
        with pytest.raises(InvalidRequest, match=r"warehouse: is refused by Toy .*no such pincode"):
            order(account)
    assert state() == ("failed", "")
    assert (len(toy.asked), toy.booked_from) == (1, [])
    Row.objects.update(updated_at=Row.objects.get().updated_at - dt.timedelta(hours=2))
    assert order(account).shipment.status == "booked"
    assert len(toy.asked) == 2


def test_a_courier_may_take_the_whole_address_where_it_refuses_to_register_it(
    account: Any, toy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(toy, "books_without_registration", True)
    toy.answers.append(Rejected("refused", courier_message="no such pincode"))
    for number in ("A-1", "A-2"):
        assert order(account, number).shipment.status == "booked"
    assert (len(toy.asked), toy.booked_from) == (1, ["", ""])
    assert state() == ("failed", "")


def test_a_reference_that_the_courier_forgot_is_registered_again_and_the_order_sent_once_more(
    account: Any, toy: Any
) -> None:
    order(account)
    toy.forgotten.add(REFERENCE)
    toy.answers.append("second-gate")
    assert order(account, "A-2").shipment.status == "booked"
    assert toy.asked[-1].reference == REFERENCE
    assert toy.booked_from == [REFERENCE, "second-gate"]
    assert state() == ("synced", "second-gate")


@pytest.mark.parametrize(
    "error", [Unknown("read time-out", retry_after=60), CredentialsRefused("not allowed")]
)
def test_a_forgotten_reference_is_pending_until_it_is_registered_again(
    account: Any, toy: Any, error: Exception
) -> None:
    order(account)
    toy.forgotten.add(REFERENCE)
    toy.answers.append(error)
    with pytest.raises((NotSent, CredentialsRefused)):
        order(account, "A-2")
    assert state() == ("pending", REFERENCE)
    toy.answers.append("second-gate")
    assert order(account, "A-2").shipment.status == "booked"
    assert (state(), Row.objects.get().reason) == (("synced", "second-gate"), "")


def test_a_reference_that_is_refused_once_it_is_registered_is_pending(
    account: Any, toy: Any
) -> None:
    toy.forgotten.add(REFERENCE)
    with pytest.raises(NotDone, match="not registered"):
        order(account)
    assert state() == ("pending", REFERENCE)
    assert "not registered" in Row.objects.get().reason


def test_a_changed_address_is_registered_anew(account: Any, toy: Any) -> None:
    order(account)
    warehouse = Warehouse.objects.get()
    warehouse.save()
    assert state() == ("synced", REFERENCE)
    warehouse.address = "7, Another Road"
    warehouse.save()
    assert state() == ("pending", REFERENCE)
    assert "address has changed" in Row.objects.get().reason
    toy.answers.append("second-gate")
    order(account, "A-2")
    assert (toy.asked[-1].reference, toy.asked[-1].address.address) == ("", "7, Another Road")
    assert state() == ("synced", "second-gate")


def test_nothing_is_booked_when_the_registration_took_the_bookings_time(
    account: Any, toy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(self: Any, pickup: Pickup) -> WarehouseRegistration:
        monkeypatch.setattr(deadline.Deadline, "seconds_left", lambda _: -1.0)
        return WarehouseRegistration(REFERENCE)

    monkeypatch.setattr(toy, "create_warehouse", slow)
    with pytest.raises(TimeIsUp):
        order(account)
    assert toy.booked_from == []
    assert state() == ("synced", REFERENCE)


# A courier that makes another warehouse of each registration


@pytest.mark.usefixtures("once_only")
@pytest.mark.parametrize("answer", [Unknown("no answer"), RuntimeError("a fault"), "", "x" * 201])
def test_a_registration_that_may_have_been_made_is_never_repeated(
    account: Any, toy: Any, answer: Any
) -> None:
    toy.answers.append(answer)
    for number in ("A-1", "A-2", "A-1"):
        with pytest.raises(WarehouseInDoubt, match="an operator must enter its reference") as found:
            order(account, number)
        assert found.value.retry_after == 3600
    assert state() == ("in_doubt", "")
    assert (len(toy.asked), toy.booked_from) == (1, [])
    # A person looks at the courier's page and enters what is there.
    Row.objects.update(state="synced", reference="W-77", reason="")
    assert order(account).shipment.status == "booked"
    assert toy.booked_from == ["W-77"]


@pytest.mark.usefixtures("once_only")
def test_a_process_that_dies_while_it_registers_leaves_the_doubt_behind(
    account: Any, toy: Any
) -> None:
    toy.answers.append(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        order(account)
    assert state() == ("in_doubt", "")
    with pytest.raises(WarehouseInDoubt):
        order(account, "A-2")
    assert len(toy.asked) == 1


@pytest.mark.usefixtures("once_only")
def test_a_new_reference_that_the_courier_does_not_know_is_in_doubt(account: Any, toy: Any) -> None:
    toy.forgotten.add(REFERENCE)
    with pytest.raises(WarehouseInDoubt):
        order(account)
    assert state() == ("in_doubt", "")
    assert len(toy.asked) == 2


def test_an_adapter_without_a_reference_is_at_fault_and_asked_again(account: Any, toy: Any) -> None:
    toy.answers += ["", "", "", ""]
    with pytest.raises(NotSent, match="a fault of the platform"):
        order(account)
    assert state() == ("pending", "")
    toy.answers.clear()
    assert order(account).shipment.status == "booked"
