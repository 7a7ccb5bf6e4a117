"""AdapterConformance: all that an adapter must do, with the plug-in's stand-in for its courier."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable
from typing import Any

import pytest

from couriers.contract.actions import ActionState
from couriers.contract.adapter import BaseCourierAdapter, Capability
from couriers.contract.errors import CourierError, NotFound, Rejected, Unknown
from couriers.contract.registry import CourierFactory
from couriers.contract.types import Booking, ShipmentRequest
from couriers.models import CourierAccount
from couriers.testing.doubts import DoubtConformance, skip_without
from couriers.testing.fault_proxy import FaultProxy
from couriers.testing.faults import LOSSY, FaultKind
from couriers.testing.operations import FAULT_CLASSES, CourierSandbox, error_of
from couriers.testing.samples import new_order_number

SETTLED_BY_SEARCH = (FaultKind.RESET_BEFORE, FaultKind.RESET_AFTER, FaultKind.HALF_AFTER)


def create_with(
    courier: BaseCourierAdapter, create: Capability, request: ShipmentRequest
) -> Callable[[], Booking]:
    """Return the call of create_shipment or create_reverse_shipment with a request."""
    method: Callable[[ShipmentRequest], Booking] = getattr(courier, create)
    return lambda: method(request)


class AdapterConformance(DoubtConformance):
    """The whole conformance of an adapter. See OperationConformance for what a plug-in sets."""

    def test_a_booking_is_the_one_that_the_courier_has(
        self, courier: BaseCourierAdapter, sandbox: CourierSandbox, create: Capability
    ) -> None:
        request = self.new_request(courier, create)
        booking = create_with(courier, create, request)()
        assert isinstance(booking, Booking)
        assert sandbox.booked(request.order_number) == [booking.tracking_id]
        assert booking.order_number in ("", request.order_number), "another order"

    def test_a_create_that_fails_is_classified_and_never_sent_again(
        self,
        courier: BaseCourierAdapter,
        sandbox: CourierSandbox,
        proxy: FaultProxy,
        create: Capability,
        settings: Any,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        create_with(courier, create, self.new_request(courier, create))()  # logs in
        request = self.new_request(courier, create)
        call = create_with(courier, create, request)
        position = self.create_position(proxy, sandbox, request.order_number, call)
        for fault in FAULT_CLASSES:
            request = self.new_request(courier, create)
            with self.failing(proxy, fault, position, settings):
                error = error_of(create_with(courier, create, request))
            expected = Unknown if fault.is_lossy else CourierError
            assert isinstance(error, expected), f"{fault}: {error!r}"
            assert len(proxy.failed) == 1, f"{fault}: the create was sent again"
            self.check_end(error, sandbox, request)
            self.check_error(error, proxy, caplog)

    def test_a_fault_before_the_create_books_nothing(
        self,
        account: CourierAccount,
        sandbox: CourierSandbox,
        proxy: FaultProxy,
        settings: Any,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """The login, above all, but whatever else comes before a booking."""
        courier, request = self.first_request(account)
        call = create_with(courier, Capability.CREATE_SHIPMENT, request)
        before = self.create_position(proxy, sandbox, request.order_number, call)
        for fault, position in itertools.product(FAULT_CLASSES, range(before)):
            courier, request = self.first_request(self.new_account(proxy.url))
            with self.failing(proxy, fault, position, settings):
                error = error_of(create_with(courier, Capability.CREATE_SHIPMENT, request))
            self.check_end(error, sandbox, request)
            if error:
                assert not isinstance(error, Unknown), f"{fault}: nothing was booked: {error!r}"
                self.check_error(error, proxy, caplog)

    def first_request(self, account: CourierAccount) -> tuple[BaseCourierAdapter, ShipmentRequest]:
        """Return a new account's adapter, and a request that is made with as few calls as can be.

        Then most of what comes before a booking is a part of the create call.
        """
        courier = CourierFactory.get_adapter(account)
        if courier.registers_warehouses or courier.supports(Capability.RESERVE_IDS):
            return courier, self.new_request(courier)
        return courier, self.booking_request()

    def check_end(
        self, error: CourierError | None, sandbox: CourierSandbox, request: ShipmentRequest
    ) -> None:
        """Check that the end of a create call says no more than what is true."""
        booked = sandbox.booked(request.order_number)
        assert len(booked) <= 1, f"booked {len(booked)} times"
        if error is None:
            assert booked, "a booking that the courier does not have"
        elif not isinstance(error, Unknown):
            assert not booked, f"the courier has it, and the error says that it has not: {error!r}"

    def test_a_wrong_login_is_a_refused_login_and_books_nothing(
        self, account: CourierAccount, sandbox: CourierSandbox, proxy: FaultProxy
    ) -> None:
        wrong = dict.fromkeys(self.login, "wrong-login")
        courier = CourierFactory.get_adapter(self.new_account(proxy.url, **wrong))
        request = self.booking_request()
        for call in (
            lambda: courier.create_shipment(request),
            lambda: courier.create_warehouse(request.pickup),
        ):
            with pytest.raises(CourierError) as caught:
                call()
            assert not isinstance(caught.value, Unknown), f"{caught.value!r}"
        assert sandbox.booked(request.order_number) == []

    def test_a_login_that_is_put_right_books_at_once(
        self, account: CourierAccount, sandbox: CourierSandbox, proxy: FaultProxy
    ) -> None:
        wrong = dict.fromkeys(self.login, "wrong-login")
        corrected = self.new_account(proxy.url, **wrong)
        assert error_of(
            lambda: CourierFactory.get_adapter(corrected).create_shipment(self.booking_request())
        )
        self.set_login(corrected)
        courier = CourierFactory.get_adapter(corrected)
        courier.create_shipment(self.new_request(courier))

    def set_login(self, account: CourierAccount) -> None:
        """Give the account the login that the stand-in takes."""
        self.free_login()
        account.login = dict(self.login)
        account.save()

    def test_an_unknown_parcel_is_not_found(self, courier: BaseCourierAdapter) -> None:
        skip_without(courier, Capability.TRACK_SHIPMENT)
        with pytest.raises(NotFound):
            courier.track_shipment("NO-SUCH-PARCEL")

    def test_tracking_tells_of_the_parcel_that_was_booked(
        self, courier: BaseCourierAdapter
    ) -> None:
        skip_without(courier, Capability.TRACK_SHIPMENT)
        request = self.new_request(courier)
        booking = courier.create_shipment(request)
        tracking = courier.track_shipment(booking.tracking_id)
        assert tracking.tracking_id == booking.tracking_id
        assert tracking.order_number in ("", request.order_number)
        for scan in tracking.scans:
            assert scan.at.tzinfo, "the time of a scan has a zone"
            assert scan.mapped.status, f"not mapped: {scan.mapped.courier_status}"

    def test_a_cancel_that_is_repeated_is_done(
        self, courier: BaseCourierAdapter, sandbox: CourierSandbox
    ) -> None:
        skip_without(courier, Capability.CANCEL_SHIPMENT)
        call = self.prepared(courier, sandbox, Capability.CANCEL_SHIPMENT)
        assert call().state == call().state

    def test_a_warehouse_that_is_registered_again_is_done(
        self, courier: BaseCourierAdapter
    ) -> None:
        skip_without(courier, Capability.CREATE_WAREHOUSE)
        first = courier.create_warehouse(self.pickup())
        again = dataclasses.replace(self.pickup(), reference=first.reference)
        assert courier.create_warehouse(again).reference == first.reference

    def test_callbacks_that_are_registered_again_are_not_new(
        self, courier: BaseCourierAdapter
    ) -> None:
        skip_without(courier, Capability.REGISTER_WEBHOOKS)
        courier.register_webhooks([self.webhook()])
        assert not any(one.is_new for one in courier.register_webhooks([self.webhook()]))

    def test_the_outcome_of_an_accepted_action_can_be_asked(
        self, courier: BaseCourierAdapter, sandbox: CourierSandbox
    ) -> None:
        skip_without(courier, Capability.OUTCOME_OF)
        assert self.prepared(courier, sandbox, Capability.OUTCOME_OF)().state in ActionState
        with pytest.raises(Rejected):
            courier.outcome_of("NO-SUCH-HANDLE")

    def test_a_search_finds_what_was_booked_and_nothing_else(
        self, courier: BaseCourierAdapter, sandbox: CourierSandbox, proxy: FaultProxy, settings: Any
    ) -> None:
        skip_without(courier, Capability.FIND_BOOKING)
        create = Capability.CREATE_SHIPMENT
        request = self.new_request(courier)
        call = create_with(courier, create, request)
        position = self.create_position(proxy, sandbox, request.order_number, call)
        for loss in LOSSY:
            request = self.new_request(courier)
            with self.failing(proxy, loss, position, settings):
                error_of(create_with(courier, create, request))
            found = courier.find_booking(request)
            booked = sandbox.booked(request.order_number)
            assert ([found.tracking_id] if found else []) == booked, f"{loss}: {found}"
            assert found is None or found.order_number == request.order_number

    def test_a_search_is_not_content_with_an_order_that_begins_so(
        self, courier: BaseCourierAdapter
    ) -> None:
        skip_without(courier, Capability.FIND_BOOKING)
        number = new_order_number()
        longer = dataclasses.replace(self.new_request(courier), order_number=f"{number}1")
        courier.create_shipment(longer)
        shorter = dataclasses.replace(longer, order_number=number)
        assert courier.find_booking(shorter) is None

    def test_a_reserved_number_books_once_however_often_it_is_sent(
        self, courier: BaseCourierAdapter, sandbox: CourierSandbox, proxy: FaultProxy, settings: Any
    ) -> None:
        skip_without(courier, Capability.RESERVE_IDS)
        create = Capability.CREATE_SHIPMENT
        request = self.new_request(courier)
        call = create_with(courier, create, request)
        position = self.create_position(proxy, sandbox, request.order_number, call)
        for loss in SETTLED_BY_SEARCH:
            request = self.new_request(courier)
            with self.failing(proxy, loss, position, settings):
                assert isinstance(error_of(create_with(courier, create, request)), Unknown)
            first, second = courier.create_shipment(request), courier.create_shipment(request)
            assert first.tracking_id == second.tracking_id
            assert sandbox.booked(request.order_number) == [first.tracking_id]

    def test_reserved_numbers_are_all_different(self, courier: BaseCourierAdapter) -> None:
        skip_without(courier, Capability.RESERVE_IDS)
        size = courier.reserve_size
        numbers = [*courier.reserve_ids(size), *courier.reserve_ids(1)]
        assert len(numbers) <= size + 1, "more numbers than were asked for"
        assert len(set(numbers)) == len(numbers), "a number twice"
        assert all(numbers), "an empty number"
