"""The toy courier's adapter, in three forms: one can be searched, one reserves its numbers."""

from collections.abc import Sequence
from typing import Any

from couriers.contract.accounts import Account
from couriers.contract.actions import (
    ActionKind,
    ActionResult,
    ActionRule,
    ActionState,
    statuses_where,
)
from couriers.contract.adapter import BaseCourierAdapter, Capability
from couriers.contract.errors import Rejected
from couriers.contract.logins import LoginField
from couriers.contract.reading import Reader
from couriers.contract.statuses import Status
from couriers.contract.types import Booking, Direction, Scan, ShipmentRequest, Tracking
from couriers.http.tunables import http_tunables
from couriers.testing.toy import client
from couriers.testing.toy.statuses import MAPPER


class ToyAdapter(BaseCourierAdapter):
    code = "toy_neither"
    name = "Toy"
    mapper = MAPPER
    default_limits = client.LIMITS
    login_fields = (LoginField("api_key", "API key"),)
    login_identity = ("api_key",)
    action_rules = {
        ActionKind.CANCEL: ActionRule(
            statuses_where("cancellable"), directions=frozenset({Direction.FORWARD})
        )
    }
    capabilities = frozenset(
        {
            Capability.CREATE_SHIPMENT,
            Capability.TRACK_SHIPMENT,
            Capability.CANCEL_SHIPMENT,
            Capability.OUTCOME_OF,
        }
    )
    client_class = client.ToyClient

    def __init__(self, account: Account) -> None:
        super().__init__(account)
        self.client = self.client_class(account)
        self.reader = Reader(self.code)

    @classmethod
    def max_create_seconds(cls) -> float:
        return http_tunables(cls.code).longest_call()

    def create_shipment(self, request: ShipmentRequest) -> Booking:
        order = self.reader.parse(client.Order, self.client.book(request), "book")
        return Booking(order.parcel, order_number=order.order)

    def track_shipment(self, tracking_id: str) -> Tracking:
        parcel = self.reader.parse(client.Parcel, self.client.parcel(tracking_id), "track")
        scans = tuple(Scan(MAPPER.map(step.word), step.at, step.place) for step in parcel.scans)
        return Tracking(parcel.parcel, scans, order_number=parcel.order)

    def cancel_shipment(self, tracking_id: str, *, status: Status | None = None) -> ActionResult:
        return self._result(self.client.cancel(tracking_id), "cancel")

    def outcome_of(self, handle: str) -> ActionResult:
        return self._result(self.client.ticket(handle), "ticket")

    def _result(self, answer: Any, operation: str) -> ActionResult:
        cancelled = self.reader.parse(client.Cancelled, answer, operation)
        match cancelled.state:
            case "cancelled":
                return ActionResult(status=Status.CANCELLED)
            case "going back":
                return ActionResult(status=Status.RTO_REQUESTED)
            case "waiting":
                return ActionResult(ActionState.ACCEPTED, handle=cancelled.ticket)
        raise Rejected(
            "refused", courier=self.code, operation=operation, courier_message=cancelled.state
        )


class SearchClient(client.ToyClient):
    courier = "toy_search"


class ToySearchAdapter(ToyAdapter):
    code = "toy_search"
    client_class = SearchClient
    capabilities = ToyAdapter.capabilities | {Capability.FIND_BOOKING}
    lookup_lag = 2.0

    def find_booking(self, request: ShipmentRequest) -> Booking | None:
        answer = self.reader.parse(client.Orders, self.client.find(request.order_number), "find")
        for found in answer.orders:
            if found.order == request.order_number:
                return Booking(found.parcel, order_number=found.order)
        return None


class ReservationClient(client.ToyClient):
    courier = "toy_reservation"


class ToyReservationAdapter(ToyAdapter):
    code = "toy_reservation"
    client_class = ReservationClient
    capabilities = ToyAdapter.capabilities | {Capability.RESERVE_IDS}

    def reserve_ids(self, count: int) -> Sequence[str]:
        return self.reader.parse(client.Numbers, self.client.reserve(count), "reserve").numbers
