"""The conformance of an adapter's operations against the plug-in's stand-in for its courier."""

from __future__ import annotations

import dataclasses
import itertools
import re
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, ClassVar, Protocol
from unittest import mock

import pytest

from couriers.contract.actions import ActionResult, PickupRequest
from couriers.contract.adapter import BaseCourierAdapter, Capability
from couriers.contract.documents import Document, DocumentLink, ManifestDocument
from couriers.contract.errors import CourierError, NotDone, NotSent, Rejected, Unknown
from couriers.contract.registry import CourierFactory
from couriers.contract.types import (
    Booking,
    Pickup,
    Serviceability,
    ShipmentRequest,
    Tracking,
    WarehouseRegistration,
)
from couriers.models import CourierAccount, Warehouse
from couriers.testing.accounts import stored_account
from couriers.testing.declarations import AdapterDeclarations
from couriers.testing.fault_proxy import FaultProxy
from couriers.testing.fault_server import Request
from couriers.testing.faults import LOSSY, FaultKind
from couriers.testing.samples import CONSIGNEE, CREATES

# What an operation returns; of the others it is a list or a mapping.
RESULTS: Mapping[Capability, type | tuple[type, ...]] = {
    Capability.TRACK_SHIPMENT: Tracking,
    Capability.TRACK_WAYBILL: Tracking,
    Capability.CANCEL_SHIPMENT: ActionResult,
    Capability.CANCEL_REVERSE_SHIPMENT: ActionResult,
    Capability.CHECK_SERVICEABILITY: Serviceability,
    Capability.CREATE_WAREHOUSE: WarehouseRegistration,
    Capability.REQUEST_REATTEMPT: ActionResult,
    Capability.UPDATE_DELIVERY_ADDRESS: ActionResult,
    Capability.REQUEST_RTO: ActionResult,
    Capability.SCHEDULE_PICKUP: ActionResult,
    Capability.SCHEDULE_REVERSE_PICKUP: ActionResult,
    Capability.CREATE_MANIFEST: ManifestDocument,
    Capability.GET_LABEL: (Document, DocumentLink),
    Capability.GET_PROOF_OF_DELIVERY: (Document, DocumentLink),
    Capability.FIND_BOOKING: (Booking, type(None)),
    Capability.OUTCOME_OF: ActionResult,
}
# The class that each fault ends in. The last one makes the platform pause.
FAULT_CLASSES: Mapping[FaultKind, tuple[type[CourierError], ...]] = {
    **dict.fromkeys(LOSSY, (Unknown,)),
    FaultKind.ECHO: (Rejected, Unknown),
    FaultKind.RATE_LIMITED: (NotDone, NotSent),
}
SLOW = {FaultKind.TIMEOUT_BEFORE, FaultKind.TIMEOUT_AFTER, FaultKind.DRIP_AFTER}
SHORT_TIMEOUT = 0.3  # seconds
OF_REVERSE = (Capability.CANCEL_REVERSE_SHIPMENT, Capability.SCHEDULE_REVERSE_PICKUP)


class CourierSandbox(Protocol):
    """A plug-in's stand-in for its courier: an HTTP server that shares no code with the plug-in."""

    @property
    def url(self) -> str:
        """Its origin."""

    def booked(self, order_number: str) -> Sequence[str]:
        """Return the tracking ids of all bookings of an order, as the stand-in itself counts."""


class OperationConformance(AdapterDeclarations):
    """Tests of every declared operation, without faults and with each.

    A plug-in writes `start_sandbox` and sets `login`, which its stand-in takes. It overrides
    `arrange` where an operation needs a parcel in a certain state. `spare_requests` are patterns of
    the requests ("POST /path") without which an operation still has its result.
    """

    login: ClassVar[Mapping[str, str]]
    spare_requests: ClassVar[Sequence[str]] = ()
    warehouse: Warehouse
    reference = ""  # the courier's, once the warehouse is registered

    @classmethod
    def start_sandbox(cls) -> AbstractContextManager[CourierSandbox]:
        """Return the plug-in's stand-in, which runs as long as the `with` block."""
        raise NotImplementedError

    def arrange(self, sandbox: Any, capability: Capability, tracking_id: str) -> None:
        """Put a booked parcel into a state in which the courier does the operation."""

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Make one test for each declared operation."""
        declared = [c for c in Capability if c in self.adapter_class.capabilities]
        values: dict[str, list[Any]] = {
            "create": [one for one in declared if one in CREATES],
            "operation": [one for one in declared if one not in CREATES],
        }
        for name in set(values) & set(metafunc.fixturenames):
            metafunc.parametrize(name, values[name])

    @pytest.fixture(scope="class")
    @classmethod
    def sandbox(cls) -> Iterator[Any]:
        """The plug-in's stand-in, one for all tests of the class."""
        with cls.start_sandbox() as running:
            yield running

    @pytest.fixture
    def proxy(self, sandbox: CourierSandbox) -> Iterator[FaultProxy]:
        """The way to the stand-in, which can lose and spoil answers."""
        with FaultProxy(sandbox.url) as running:
            yield running

    @pytest.fixture
    def account(self, db: None, proxy: FaultProxy, settings: Any) -> Iterator[CourierAccount]:
        """A new account whose courier is behind the proxy. Its circuit breaker never opens."""
        settings.SHIPCROWD = {**settings.SHIPCROWD, "BREAKER_FAILURES": 1_000_000}
        code = self.adapter_class.code
        is_installed = code in CourierFactory.codes()
        if not is_installed:
            CourierFactory.register(self.adapter_class)
        yield self.new_account(proxy.url)
        CourierFactory.clear_adapters()
        if not is_installed:
            CourierFactory.unregister(code)

    def new_account(self, base_url: str, **login: str) -> CourierAccount:
        """Store an account; `login` replaces some fields of the stand-in's."""
        self.free_login()
        account = stored_account(self.adapter_class, base_url, {**self.login, **login})
        self.warehouse = account.company.warehouses.get()
        return account

    def free_login(self) -> None:
        """Let the next account have the login of those so far: no two accounts have one."""
        stored = CourierAccount.objects.filter(courier_id=self.adapter_class.code)
        stored.update(login_fingerprint="")

    @pytest.fixture
    def courier(self, account: CourierAccount) -> BaseCourierAdapter:
        """The account's adapter."""
        return CourierFactory.get_adapter(account)

    def pickup(self) -> Pickup:
        sample = super().pickup()
        if warehouse := getattr(self, "warehouse", None):
            return dataclasses.replace(sample, warehouse_id=warehouse.pk)
        return sample

    def registered_pickup(self, courier: BaseCourierAdapter) -> Pickup:
        """Return the warehouse, with the courier's reference where bookings need it."""
        pickup = self.pickup()
        if not courier.registers_warehouses:
            return pickup
        self.reference = courier.create_warehouse(pickup).reference
        return dataclasses.replace(pickup, reference=self.reference)

    def pickup_request(self, tracking_id: str) -> PickupRequest:
        request = super().pickup_request(tracking_id)
        pickup = dataclasses.replace(request.pickup, reference=self.reference)
        return dataclasses.replace(request, pickup=pickup)

    def new_request(
        self, courier: BaseCourierAdapter, create: Capability = Capability.CREATE_SHIPMENT
    ) -> ShipmentRequest:
        """Return a request for a new order, with a reserved number where the courier has them."""
        is_return = create is Capability.CREATE_REVERSE_SHIPMENT
        request = self.return_request() if is_return else self.booking_request()
        reserves = courier.supports(Capability.RESERVE_IDS)
        return dataclasses.replace(
            request,
            pickup=self.registered_pickup(courier),
            reserved_id=courier.reserve_ids(1)[0] if reserves else "",
        )

    def prepared(
        self, courier: BaseCourierAdapter, sandbox: CourierSandbox, operation: Capability
    ) -> Callable[[], Any]:
        """Book a parcel for an operation, and return the operation's call."""
        returns = courier.supports(Capability.CREATE_REVERSE_SHIPMENT)
        if operation in OF_REVERSE and returns:
            request = self.new_request(courier, Capability.CREATE_REVERSE_SHIPMENT)
            booking = courier.create_reverse_shipment(request)
        else:
            booking = courier.create_shipment(self.new_request(courier))
        self.arrange(sandbox, operation, booking.tracking_id)
        if operation is Capability.OUTCOME_OF:
            handle = self.handle(courier, booking.tracking_id)
            return lambda: courier.outcome_of(handle)
        return lambda: self.call(courier, operation, booking.tracking_id, booking.waybill)

    def create_position(
        self, proxy: FaultProxy, sandbox: CourierSandbox, order_number: str, call: Any
    ) -> int:
        """Make a booking, and return the position of the kind of request that books."""
        books: list[str] = []

        def look(answered: Request) -> None:
            if not books and sandbox.booked(order_number):
                books.append(proxy.operation(answered))

        proxy.forget()
        proxy.after_each = look
        call()
        proxy.after_each = lambda _: None
        assert books, "no request books: `booked` of the stand-in shows none"
        return proxy.kinds_of_requests.index(books[0])

    def test_an_operation_returns_what_the_contract_says(
        self, courier: BaseCourierAdapter, sandbox: CourierSandbox, operation: Capability
    ) -> None:
        result = self.prepared(courier, sandbox, operation)()
        expected = RESULTS.get(operation, (Sequence, Mapping))
        assert isinstance(result, expected), f"{operation} returned {type(result).__name__}"

    def test_every_fault_ends_in_its_class(
        self,
        courier: BaseCourierAdapter,
        sandbox: CourierSandbox,
        proxy: FaultProxy,
        operation: Capability,
        settings: Any,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        self.prepared(courier, sandbox, operation)()  # logs in
        again = self.prepared(courier, sandbox, operation)
        proxy.forget()
        again()
        positions = range(len(proxy.kinds_of_requests))
        for fault, position in itertools.product(FAULT_CLASSES, positions):
            call = self.prepared(courier, sandbox, operation)
            with self.failing(proxy, fault, position, settings):
                error = error_of(call)
            where = f"{fault} of {proxy.operation(proxy.failed[0])}"
            if error is None and self._is_spare(proxy.operation(proxy.failed[0])):
                continue
            assert isinstance(error, FAULT_CLASSES[fault]), f"{where}: {error!r}"
            self.check_error(error, proxy, caplog)

    @contextmanager
    def failing(
        self, proxy: FaultProxy, fault: FaultKind, position: int, settings: Any
    ) -> Iterator[None]:
        """Let the request at a position fail inside the block; slow faults meet short time-outs."""
        before = settings.SHIPCROWD
        if fault in SLOW:
            settings.SHIPCROWD = self._impatient(before)
        longest = self.adapter_class.max_create_seconds()
        proxy.fail(fault, position)
        with self._short_reads() if fault in SLOW else nullcontext():
            started = time.monotonic()
            yield
            took = time.monotonic() - started
        proxy.heal()
        settings.SHIPCROWD = before
        assert proxy.failed, f"there were {len(proxy.requests)} requests, not {position + 1}"
        assert took < longest + 1, f"{took:.1f} s is longer than max_create_seconds: {longest:.1f}"

    def _impatient(self, before: Mapping[str, Any]) -> dict[str, Any]:
        """Return the settings with short read time-outs for the courier."""
        couriers, code = before.get("COURIERS", {}), self.adapter_class.code
        times = {"READ_TIMEOUT": SHORT_TIMEOUT, "AUTH_READ_TIMEOUT": SHORT_TIMEOUT}
        return {**before, "COURIERS": {**couriers, code: {**couriers.get(code, {}), **times}}}

    def _short_reads(self) -> AbstractContextManager[Any]:
        """Shorten the time-outs of operations that have one of their own inside the block."""
        client = getattr(self.adapter_class, "client_class", None)
        operations = client.operations if client else {}
        short = {
            name: dataclasses.replace(operation, read_timeout=SHORT_TIMEOUT)
            for name, operation in operations.items()
            if operation.read_timeout
        }
        return mock.patch.dict(operations, short)

    def check_error(
        self, error: CourierError, proxy: FaultProxy, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Check what an error names, and that neither it nor the log has a secret."""
        assert error.courier == self.adapter_class.code, "an error names its courier"
        assert error.operation in self.adapter_class.default_limits, (
            f"default_limits has no {error.operation}"
        )
        shown = [*traceback.format_exception(error), repr(error), error.reason, caplog.text]
        headers = {v for r in proxy.requests for n, v in r.headers.items() if n == "authorization"}
        secrets = {
            "the token": [value.rpartition(" ")[2] for value in headers],
            "the consignee's phone": [CONSIGNEE.phone],
            "the consignee's address": [CONSIGNEE.address],
            "the consignee's landmark": [CONSIGNEE.landmark],
            "the consignee's e-mail": [CONSIGNEE.email],
            "the login": [
                self.login[field.name]
                for field in self.adapter_class.login_fields
                if field.secret and field.name in self.login
            ],
        }
        for name, values in secrets.items():
            for value in values:
                assert not any(value in text for text in shown), f"{name} is shown: {error}"

    def _is_spare(self, request: str) -> bool:
        return any(re.fullmatch(pattern, request) for pattern in self.spare_requests)


def error_of(call: Callable[[], Any]) -> CourierError | None:
    """Return the CourierError that a call raises, None where it succeeds."""
    try:
        call()
    except CourierError as error:
        return error
    return None
