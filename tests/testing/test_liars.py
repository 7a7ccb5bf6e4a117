"""The kit finds adapters that break the contract: each of these passes until it lies."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import pytest

from couriers.contract.actions import ActionKind, ActionResult, ActionRule
from couriers.contract.adapter import BaseCourierAdapter, Capability
from couriers.contract.errors import CourierError, Rejected, Unknown
from couriers.contract.registry import CourierFactory
from couriers.contract.statuses import Status, StatusMapper
from couriers.contract.types import Booking, ShipmentRequest, Tracking
from couriers.testing.fault_proxy import FaultProxy
from couriers.testing.toy import client
from couriers.testing.toy.adapter import ToyAdapter, ToyReservationAdapter, ToySearchAdapter
from couriers.testing.toy.sandbox import KEY, ToySandbox
from tests.support.toy_conformance import ToyConformance

Check = Callable[..., None]


@pytest.fixture
def check(db: None, settings: Any, caplog: pytest.LogCaptureFixture) -> Iterator[Check]:
    """Runs one of the kit's tests with an adapter class."""
    settings.SHIPCROWD = {**settings.SHIPCROWD, "BREAKER_FAILURES": 1_000_000}

    def run(
        adapter: type[BaseCourierAdapter], name: str, form: str = "neither", **given: Any
    ) -> None:
        kit = type("Kit", (ToyConformance,), {"adapter_class": adapter, "form": form})()
        CourierFactory.register(adapter)
        with ToySandbox(form) as sandbox, FaultProxy(sandbox.url) as proxy:
            account = kit.new_account(proxy.url)
            found = given | {
                "account": account, "courier": CourierFactory.get_adapter(account),
                "sandbox": sandbox, "proxy": proxy, "settings": settings, "caplog": caplog,
                "create": Capability.CREATE_SHIPMENT,
            }  # fmt: skip
            test = getattr(kit, name)
            wanted = inspect.signature(test).parameters
            test(**{key: value for key, value in found.items() if key in wanted})

    yield run
    for code in ("toy_neither", "toy_search", "toy_reservation"):
        CourierFactory.unregister(code)


CREATE = "test_a_create_that_fails_is_classified_and_never_sent_again"


class SendsTwice(ToyAdapter):
    def create_shipment(self, request: ShipmentRequest) -> Booking:
        try:
            return super().create_shipment(request)
        except Unknown:
            return super().create_shipment(request)


class SaysRefused(ToyAdapter):
    def create_shipment(self, request: ShipmentRequest) -> Booking:
        try:
            return super().create_shipment(request)
        except Unknown as error:
            raise Rejected("refused", courier=self.code, operation="book") from error


class SaysBooked(ToyAdapter):
    def create_shipment(self, request: ShipmentRequest) -> Booking:
        try:
            return super().create_shipment(request)
        except CourierError:
            return Booking("TOY1")


class Blurts(ToyAdapter):
    def create_shipment(self, request: ShipmentRequest) -> Booking:
        try:
            return super().create_shipment(request)
        except CourierError as error:
            error.courier_message = f"not delivered to {request.consignee.phone}"
            raise


class ShowsItsKey(ToyAdapter):
    def create_shipment(self, request: ShipmentRequest) -> Booking:
        try:
            return super().create_shipment(request)
        except CourierError as error:
            raise type(error)(KEY, courier=self.code, operation="book") from None


class NamesNoLimit(ToyAdapter):
    default_limits: ClassVar = {
        name: limit for name, limit in ToyAdapter.default_limits.items() if name != "book"
    }


@pytest.mark.parametrize(
    ("liar", "message"),
    [
        (SendsTwice, "the create was sent again"),
        (SaysRefused, "timeout_before: Rejected"),
        (SaysBooked, "timeout_before: None"),
        (Blurts, "the consignee's phone is shown"),
        (ShowsItsKey, "the login is shown|the token is shown"),
        (NamesNoLimit, "default_limits has no book"),
    ],
)
def test_a_create_that_lies_is_found(check: Check, liar: Any, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check(liar, CREATE)


class FindsTheFirst(ToySearchAdapter):
    def find_booking(self, request: ShipmentRequest) -> Booking | None:
        answer = self.ask(client.Orders, "find", params={"q": request.order_number})
        return next((Booking(one.parcel, order_number=one.order) for one in answer.orders), None)


class FindsNothingWhenItFails(ToySearchAdapter):
    def find_booking(self, request: ShipmentRequest) -> Booking | None:
        return None


def test_a_search_that_is_content_with_another_order_is_found(check: Check) -> None:
    with pytest.raises(AssertionError):
        check(FindsTheFirst, "test_a_search_is_not_content_with_an_order_that_begins_so", "search")


def test_a_search_that_finds_nothing_is_found(check: Check) -> None:
    name = "test_a_search_finds_what_was_booked_and_nothing_else"
    with pytest.raises(AssertionError):
        check(FindsNothingWhenItFails, name, "search")


class ForgetsTheNumber(ToyReservationAdapter):
    def create_shipment(self, request: ShipmentRequest) -> Booking:
        return super().create_shipment(dataclasses.replace(request, reserved_id=""))


def test_a_reserved_number_that_is_not_sent_is_found(check: Check) -> None:
    name = "test_a_reserved_number_books_once_however_often_it_is_sent"
    with pytest.raises(AssertionError):
        check(ForgetsTheNumber, name, "reservation")


class SwallowsErrors(ToyAdapter):
    def track_shipment(self, tracking_id: str) -> Tracking:
        try:
            return super().track_shipment(tracking_id)
        except CourierError:
            return Tracking(tracking_id, ())


def test_an_operation_that_swallows_errors_is_found(check: Check) -> None:
    for name in ("test_every_fault_ends_in_its_class", "test_an_unknown_parcel_is_not_found"):
        with pytest.raises((AssertionError, pytest.fail.Exception)):
            check(SwallowsErrors, name, operation=Capability.TRACK_SHIPMENT)


class Undeclared(ToyAdapter):
    def request_rto(self, tracking_id: str, remark: str = "") -> ActionResult:
        return ActionResult()


class WithoutRule(ToyAdapter):
    action_rules: ClassVar = {}


class WithTooMuch(ToyAdapter):
    action_rules: ClassVar = {
        **ToyAdapter.action_rules,
        ActionKind.RTO: ActionRule(frozenset({Status.UNDELIVERED})),
    }


class Empty(ToyAdapter):
    mapper = StatusMapper({"booked": Status.IN_DOUBT})


@pytest.mark.parametrize(
    ("liar", "name", "given"),
    [
        (Undeclared, "test_the_class_is_made_of_what_it_declares", {}),
        (
            WithoutRule,
            "test_every_declared_action_has_its_rule_and_no_other_has",
            {"kind": ActionKind.CANCEL},
        ),
        (
            WithTooMuch,
            "test_every_declared_action_has_its_rule_and_no_other_has",
            {"kind": ActionKind.RTO},
        ),
        (Empty, "test_every_published_status_is_mapped", {}),
        (Empty, "test_no_status_of_the_platform_alone_is_mapped_to", {}),
    ],
)
def test_a_declaration_that_lies_is_found(
    check: Check, liar: Any, name: str, given: dict[str, Any]
) -> None:
    with pytest.raises(AssertionError):
        check(liar, name, **given)
