"""The toy courier's adapter, in three forms: one can be searched, one reserves its numbers."""

from collections.abc import Sequence

from couriers.contract import actions
from couriers.contract.actions import ActionKind, ActionResult, ActionState
from couriers.contract.adapter import Capability
from couriers.contract.logins import LoginField
from couriers.contract.statuses import Status
from couriers.contract.types import Booking, ShipmentRequest, Tracking
from couriers.http.adapter import HttpAdapter
from couriers.testing.toy import client
from couriers.testing.toy.statuses import MAPPER


class ToyAdapter(HttpAdapter):
    code = "toy_neither"
    name = "Toy"
    mapper = MAPPER
    client_class = client.ToyClient
    login_fields = (LoginField("api_key", "API key"),)
    login_identity = ("api_key",)
    action_rules = {ActionKind.CANCEL: actions.ActionRule(actions.statuses_where("cancellable"))}
    capabilities = frozenset(
        {Capability.CREATE_SHIPMENT, Capability.TRACK_SHIPMENT, Capability.CANCEL_SHIPMENT,
         Capability.OUTCOME_OF}
    )  # fmt: skip

    def create_shipment(self, request: ShipmentRequest) -> Booking:
        to = request.consignee
        order = {
            "order": request.order_number,
            "number": request.reserved_id,
            "name": to.name,
            "phone": to.phone,
            "address": to.street,
            "pin": to.pincode,
            "kilograms": f"{request.parcel.weight_g / 1000:.3f}",
            "collect": f"{request.cod_amount:.2f}",
        }
        booked = self.ask(client.Order, "book", json=order)
        return Booking(booked.parcel, order_number=booked.order)

    def track_shipment(self, tracking_id: str) -> Tracking:
        parcel = self.ask(client.Parcel, "track", parcel=tracking_id)
        scans = tuple(step.scan() for step in parcel.scans)
        return Tracking(parcel.parcel, scans, order_number=parcel.order)

    def cancel_shipment(self, tracking_id: str, *, status: Status | None = None) -> ActionResult:
        return self._result("cancel", parcel=tracking_id)

    def outcome_of(self, handle: str) -> ActionResult:
        return self._result("ticket", ticket=handle)

    def _result(self, operation: str, **path: str) -> ActionResult:
        answer = self.ask(client.Cancelled, operation, **path)
        match answer.state:
            case "cancelled":
                return ActionResult(status=Status.CANCELLED)
            case "going back":
                return ActionResult(status=Status.RTO_REQUESTED)
            case "waiting":
                return ActionResult(ActionState.ACCEPTED, handle=answer.ticket)
        raise self.reader.rejection(operation, answer.state)


class ToySearchAdapter(ToyAdapter):
    code = "toy_search"
    capabilities = ToyAdapter.capabilities | {Capability.FIND_BOOKING}
    lookup_lag = 2.0

    def find_booking(self, request: ShipmentRequest) -> Booking | None:
        answer = self.ask(client.Orders, "find", params={"q": request.order_number})
        found = [one for one in answer.orders if one.order == request.order_number]
        return Booking(found[-1].parcel, order_number=found[-1].order) if found else None


class ToyReservationAdapter(ToyAdapter):
    code = "toy_reservation"
    capabilities = ToyAdapter.capabilities | {Capability.RESERVE_IDS}

    def reserve_ids(self, count: int) -> Sequence[str]:
        return self.ask(client.Numbers, "reserve", json={"count": count}).numbers
