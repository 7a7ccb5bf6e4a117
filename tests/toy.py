"""A courier of a few lines: what a plug-in is to the platform, without any network."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from couriers.adapter import BaseCourierAdapter, Capability
from couriers.receiver import CourierEvent, MalformedEvent, Topic, WebhookReceiver
from couriers.statuses import Status, StatusMapper
from couriers.types import ActionResult, Booking, Scan, ShipmentRequest, Tracking

MAPPER = StatusMapper({status.value: status for status in Status})
_numbers = itertools.count(1)


class ToyAdapter(BaseCourierAdapter):
    """Books in memory; `on_create` lets a test say what a call does, and what it answers."""

    code = "toy"
    name = "Toy"
    mapper = MAPPER
    capabilities = frozenset(
        {
            Capability.CREATE_SHIPMENT,
            Capability.CREATE_REVERSE_SHIPMENT,
            Capability.CANCEL_SHIPMENT,
            Capability.TRACK_SHIPMENT,
        }
    )
    booked: ClassVar[list[str]] = []
    on_create: ClassVar[Callable[[ShipmentRequest], Booking | None] | None] = None

    def create_shipment(self, request: ShipmentRequest) -> Booking:
        hook = type(self).on_create
        given = hook(request) if hook else None
        self.booked.append(request.order_number)
        return given or Booking(tracking_id=f"TOY{next(_numbers):06d}", waybill="W1", vendor="TOY")

    create_reverse_shipment = create_shipment

    def cancel_shipment(self, tracking_id: str) -> ActionResult:
        return ActionResult(remark="cancelled")

    def track_shipment(self, tracking_id: str) -> Tracking:
        scan = Scan(MAPPER.map("in_transit"), dt.datetime.now(dt.UTC), "PUNE", "On its way")
        return Tracking(tracking_id, (scan,), attempts=1)


class ToyReceiver(WebhookReceiver):
    """Signed by a static header."""

    def verify(self, body: bytes, headers: Mapping[str, str], secrets: Sequence[str]) -> bool:
        return bool(secrets) and headers.get("x-toy-secret") in secrets

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
            scan = Scan(MAPPER.map(payload["status"]), at, payload.get("place", ""))
        return [
            CourierEvent(self.topic_of(payload), payload["id"], payload.get("order", ""), scan=scan)
        ]
