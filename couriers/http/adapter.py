"""HttpAdapter: the base of the adapters of couriers that are called over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, ClassVar, TypeVar

from couriers.contract.accounts import Account
from couriers.contract.adapter import BaseCourierAdapter
from couriers.contract.errors import FieldProblem, NoReservedId, NotFound, UnknownPickupAlias
from couriers.contract.reading import Answer, Reader, StatusAnswer
from couriers.contract.registry import CourierFactory
from couriers.contract.types import RateQuote, RateRequest, ShipmentRequest, Tracking
from couriers.http.client import CourierClient
from couriers.http.metrics import CallMetrics
from couriers.http.preparation import before_sending
from couriers.http.quotes import DeliveryDays, quote_services
from couriers.http.tunables import http_tunables

Read = TypeVar("Read", bound=Answer)
Accepted = TypeVar("Accepted", bound=StatusAnswer)


class HttpAdapter(BaseCourierAdapter):
    """Has a client and a reader of its answers. A plug-in sets `client_class`.

    `default_limits` are those of the client's operations.
    """

    client_class: ClassVar[type[CourierClient]]
    # The operations that book, where others may take longer; none: each may be one.
    create_operations: ClassVar[Collection[str]] = ()

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "client_class" in cls.__dict__:
            cls.default_limits = {
                name: operation.limit for name, operation in cls.client_class.operations.items()
            }

    def __init__(self, account: Account) -> None:
        super().__init__(account)
        self.client = self.client_class(account)
        self.reader = Reader(self.code)

    def ask(self, model: type[Read], operation: str, **given: Any) -> Read:
        """Call an operation and read its answer; `given` is what `CourierClient.call` takes.

        Raises Unknown for an answer that cannot be read, beside what the call raises.
        """
        return self.reader.parse(model, self.client.call(operation, **given), operation)

    def ask_accepted(self, model: type[Accepted], operation: str, **given: Any) -> Accepted:
        """Ask as `ask` does. Raises Rejected, with its remark, for an answer that says no."""
        answer = self.client.call(operation, **given)
        return self.reader.parse_accepted(model, answer, operation)

    def booking_problems(self, request: ShipmentRequest) -> Sequence[FieldProblem]:
        """Return every problem that the courier would refuse a booking for. Makes no call."""
        return ()

    def check_request(self, request: ShipmentRequest) -> None:
        self._refuse(self.booking_problems(request), "create_shipment")

    @contextmanager
    def building(self, operation: str, request: ShipmentRequest) -> Iterator[None]:
        """Check a booking's request, and wrap the building of what the operation sends.

        Whatever fails is raised as a refusal or as not sent. Raises UnknownPickupAlias where a
        booking needs a registered warehouse and has none.
        """
        with before_sending(self.code, operation, "the request could not be built"):
            self.check_request(request)
            needs_reference = self.registers_warehouses and not self.books_without_registration
            if needs_reference and not request.pickup.reference:
                message = "the warehouse is not registered"
                raise self.reader.error(UnknownPickupAlias, operation, message)
            yield

    def numbers_for(self, request: ShipmentRequest, boxes: int) -> list[str]:
        """Return the numbers of a shipment's boxes: its reserved one, and new ones for the others.

        A single box without a reserved number has none. Raises NoReservedId.
        """
        numbers = [request.reserved_id] if request.reserved_id else []
        if boxes > 1:
            numbers += self.reserve_ids(boxes - len(numbers))
            if len(numbers) < boxes:
                message = "there are not enough numbers for the boxes"
                raise self.reader.error(NoReservedId, "reserve_ids", message)
        return numbers

    def quote_services(
        self,
        request: RateRequest,
        operation: str,
        *,
        price: Callable[[RateRequest, str], RateQuote],
        days: Callable[[RateRequest, str], DeliveryDays | None],
    ) -> Sequence[RateQuote]:
        """Return a quote for the service that is asked for, or each of `order_limits.services`.

        `price` and `days` take the request and a service (couriers.http.quotes.quote_services).
        Raises InvalidRequest for what a booking would refuse.
        """
        self._refuse(self.order_limits.problems_of(request), operation)
        return quote_services(
            self.account,
            [request.service] if request.service else self.order_limits.services or (),
            prepare=self.client.ensure_token,
            price=partial(price, request),
            days=partial(days, request),
        )

    def check_login(self) -> bool:
        """Log in, where that is a call. A plug-in whose login is a key may write its own."""
        return self.client.check_login()

    @classmethod
    def declare_metrics(cls) -> None:
        """Have what is counted by operation shown with 0 before the first call."""
        client = cls.client_class
        CallMetrics(cls.code, client.metrics_prefix).declare_operations(client.operations)

    @classmethod
    def max_create_seconds(cls) -> float:
        """Longest that one create call can last, in seconds: as long as the slowest operation.

        Where there are `create_operations`, these alone count.
        """
        times, operations = http_tunables(cls.code), cls.client_class.operations
        return max(
            times.longest_call(operations[name].read_timeout)
            for name in cls.create_operations or operations
        )


class BatchTrackingAdapter(HttpAdapter):
    """Base for couriers that track several shipments in a call. A plug-in writes `track_batch`."""

    def track_batch(self, tracking_ids: list[str]) -> Mapping[str, Tracking]:
        """Return the trackings of 1 to `track_size` different ids. NotFound: none is known."""
        raise NotImplementedError

    def track_shipments(self, tracking_ids: Sequence[str]) -> Mapping[str, Tracking]:
        ids = self._check_ids(tracking_ids, self.track_size, "track")
        try:
            return self.track_batch(ids)
        except NotFound:
            return {}

    def track_shipment(self, tracking_id: str) -> Tracking:
        if found := self.track_shipments([tracking_id]).get(tracking_id):
            return found
        raise self.reader.error(NotFound, "track", "no such shipment")


def declare_calls() -> None:
    """Have the counters of calls shown with 0 for each courier before its first call."""
    for courier in CourierFactory.codes():
        adapter = CourierFactory.adapter_class(courier)
        if issubclass(adapter, HttpAdapter):
            adapter.declare_metrics()
