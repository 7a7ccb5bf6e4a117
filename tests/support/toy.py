"""A courier for tests: an adapter and a receiver without a network."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar

from pydantic import ConfigDict

from couriers.contract.actions import (
    ActionKind,
    ActionResult,
    ActionRule,
    DayRange,
    PickupRequest,
    ReattemptRequest,
    statuses_where,
)
from couriers.contract.adapter import BaseCourierAdapter, Capability
from couriers.contract.documents import Document, ManifestDocument
from couriers.contract.logins import LoginField
from couriers.contract.options import Options
from couriers.contract.receiver import CourierEvent, MalformedEvent, Topic
from couriers.contract.signatures import StaticHeaderReceiver
from couriers.contract.statuses import AWAITING_PICKUP, ReasonFacts, Status, StatusMapper
from couriers.contract.types import (
    Booking,
    Direction,
    RateQuote,
    RateRequest,
    Scan,
    Serviceability,
    ShipmentRequest,
    Tracking,
)

MAPPER = StatusMapper(
    {status.value: status for status in Status},
    {"refused by customer": ReasonFacts("refused", reattemptable=False)},
)
_UNDELIVERED = frozenset({Status.UNDELIVERED})
_FORWARD = frozenset({Direction.FORWARD})
ACTION_RULES = {
    ActionKind.CANCEL: ActionRule(statuses_where("cancellable")),
    ActionKind.REATTEMPT: ActionRule(
        _UNDELIVERED,
        days=DayRange(1, 7),
        fields=frozenset({"instructions"}),
        directions=_FORWARD,
    ),
    ActionKind.RTO: ActionRule(_UNDELIVERED, directions=_FORWARD),
    ActionKind.ADDRESS: ActionRule(
        _UNDELIVERED,
        days=DayRange(1, 7),
        fields=frozenset({"phone", "address"}),
        directions=_FORWARD,
    ),
    ActionKind.PICKUP: ActionRule(AWAITING_PICKUP, days=DayRange(1, 30)),
}
PDF = (
    # An empty page of 4 by 6 inches.
    b"%PDF-1.4\n"
    b"% a label\n"
    b"1 0 obj<</Type/Catalog/Pages 2 0 R>> endobj\n"
    b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>> endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 288 432]>> endobj\n"
    b"xref\n"
    b"0 4\n"
    b"0000000000 65535 f \n"
    b"0000000019 00000 n \n"
    b"0000000063 00000 n \n"
    b"0000000113 00000 n \n"
    b"trailer<</Size 4/Root 1 0 R>>\n"
    b"startxref\n"
    b"177\n"
    b"%%EOF\n"
)
_numbers = itertools.count(1)


def cancelled(status: Status | None) -> ActionResult:
    """The result of a cancel: a parcel that was picked up travels back."""
    ended = status in AWAITING_PICKUP
    return ActionResult(
        remark="cancelled", status=Status.CANCELLED if ended else Status.RTO_REQUESTED
    )


class ToyOptions(Options):
    """Any options."""

    model_config = ConfigDict(extra="allow")


class ToyAdapter(BaseCourierAdapter):
    """Books in memory. `on_create` is called for each create call and may return its answer."""

    code = "toy"
    name = "Toy"
    mapper = MAPPER
    login_fields = (
        LoginField("client_id", "Client id", secret=False),
        LoginField("username", "Username"),
        LoginField("password", "Password"),
    )
    login_identity = ("client_id", "username")
    options_model = ToyOptions
    capabilities = frozenset(
        {
            Capability.CREATE_SHIPMENT,
            Capability.CREATE_REVERSE_SHIPMENT,
            Capability.CANCEL_SHIPMENT,
            Capability.TRACK_SHIPMENT,
        }
    )
    action_rules = {ActionKind.CANCEL: ActionRule(statuses_where("cancellable"))}
    booked: ClassVar[list[str]] = []
    on_create: ClassVar[Callable[[ShipmentRequest], Booking | None] | None] = None

    def create_shipment(self, request: ShipmentRequest) -> Booking:
        hook = type(self).on_create
        given = hook(request) if hook else None
        self.booked.append(request.order_number)
        return given or Booking(tracking_id=f"TOY{next(_numbers):06d}", waybill="W1", vendor="TOY")

    create_reverse_shipment = create_shipment

    def cancel_shipment(self, tracking_id: str, *, status: Status | None = None) -> ActionResult:
        return cancelled(status)

    def track_shipment(self, tracking_id: str) -> Tracking:
        scan = Scan(MAPPER.map("in_transit"), dt.datetime.now(dt.UTC), "PUNE", "On its way")
        return Tracking(tracking_id, (scan,), attempts=1)


class AbleToyAdapter(ToyAdapter):
    """A courier that offers nearly everything.

    It keeps the calls in `asked`. `on_call` has a function by method name, which is called for each
    call and may return its answer.
    """

    capabilities = frozenset(Capability) - {
        Capability.TRACK_SHIPMENTS,
        Capability.FIND_BOOKING,
        Capability.RESERVE_IDS,
        Capability.OUTCOME_OF,
        Capability.REGISTER_WEBHOOKS,
    }
    action_rules = ACTION_RULES
    pickup_slots = ("10-13", "14-18")
    asked: ClassVar[list[tuple[str, Any]]] = []
    on_call: ClassVar[dict[str, Callable[[Any], Any]]] = {}

    def _call(self, name: str, argument: Any, answer: Any) -> Any:
        self.asked.append((name, argument))
        hook = self.on_call.get(name)
        given = hook(argument) if hook else None
        return answer if given is None else given

    def cancel_shipment(self, tracking_id: str, *, status: Status | None = None) -> ActionResult:
        return self._call("cancel_shipment", tracking_id, cancelled(status))

    def cancel_reverse_shipment(
        self, tracking_id: str, *, status: Status | None = None
    ) -> ActionResult:
        return self._call("cancel_reverse_shipment", tracking_id, cancelled(status))

    def track_shipment(self, tracking_id: str) -> Tracking:
        return self._call("track_shipment", tracking_id, super().track_shipment(tracking_id))

    def request_reattempt(self, request: ReattemptRequest) -> ActionResult:
        return self._call("request_reattempt", request, ActionResult(remark="again"))

    def update_delivery_address(self, request: ReattemptRequest) -> ActionResult:
        return self._call("update_delivery_address", request, ActionResult())

    def request_rto(self, tracking_id: str, remark: str = "") -> ActionResult:
        return self._call("request_rto", (tracking_id, remark), ActionResult())

    def schedule_pickup(self, request: PickupRequest) -> ActionResult:
        return self._call("schedule_pickup", request, ActionResult())

    def schedule_reverse_pickup(self, request: PickupRequest) -> ActionResult:
        return self._call("schedule_reverse_pickup", request, ActionResult())

    def get_label(self, tracking_ids: Sequence[str]) -> Document:
        return self._call("get_label", tracking_ids, Document(PDF, "application/pdf", "l.pdf"))

    def get_proof_of_delivery(self, tracking_id: str) -> Document:
        proof = Document(PDF, "application/pdf", "pod.pdf")
        return self._call("get_proof_of_delivery", tracking_id, proof)

    def get_rates(self, request: RateRequest) -> Sequence[RateQuote]:
        parts = {"freight": Decimal("80.00"), "cod": Decimal("20.50")}
        quote = RateQuote("SURFACE", Decimal("100.50"), parts, zone="C", billed_weight_g=500)
        return self._call("get_rates", request, [quote])

    def check_serviceability(self, pincode: str, *, origin: str = "") -> Serviceability:
        return self._call("check_serviceability", pincode, Serviceability(pincode, True, cod=True))

    def list_serviceability(self) -> Iterator[Serviceability]:
        yield from self._call("list_serviceability", None, [])

    def create_manifest(self, tracking_ids: Sequence[str]) -> ManifestDocument:
        number = f"M{next(_numbers)}"
        pdf = Document(PDF, "application/pdf", f"{number}.pdf")
        document = ManifestDocument(number, dt.datetime.now(dt.UTC), pdf)
        return self._call("create_manifest", tracking_ids, document)


class ToyReceiver(StaticHeaderReceiver):
    """Verifies callbacks by a static header."""

    own_path_topics = frozenset({Topic.SHIPMENT_RECREATED})

    secret_header = "x-toy-secret"

    def topic_of(self, payload: Mapping[str, Any]) -> Topic:
        return Topic.TRACK_UPDATED if "status" in payload else Topic.SHIPMENT_CREATED

    def parse(self, payload: Mapping[str, Any]) -> Sequence[CourierEvent]:
        if "id" not in payload:
            raise MalformedEvent("lacks an id")
        if payload.get("poison"):
            raise RuntimeError("a fault in the plug-in")
        scan = None
        if "status" in payload:
            at = dt.datetime(2026, 11, 1, tzinfo=dt.UTC) + dt.timedelta(hours=payload["hour"])
            mapped = MAPPER.map(payload["status"], reason=payload.get("reason", ""))
            scan = Scan(mapped, at, payload.get("place", ""), payload.get("text", ""))
        return [
            CourierEvent(
                self.topic_of(payload),
                payload["id"],
                payload.get("order", ""),
                scan=scan,
                estimated_delivery_ms=payload.get("estimate"),
            )
        ]
