"""Read the events of Velocity's callbacks, which have the webhook secret in a header. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import AliasPath, Field

from couriers.contract import reading
from couriers.contract.reading import IndiaTime, OrDefault, Text, at
from couriers.contract.receiver import CourierEvent, MalformedEvent, Topic
from couriers.contract.signatures import StaticHeaderReceiver
from couriers.contract.types import Scan
from couriers_velocity.conf import VelocityTunables
from couriers_velocity.mapper.statuses import VELOCITY_MAPPER

# Of the second one only integrations tell.
EVENTS = ("status_change", "tracking_addition")


class StatusChange(reading.Answer):
    """A callback's body. Its AWB, its status and its time are needed."""

    time: IndiaTime = Field(alias="event_timestamp")
    awb: reading.Identifier = Field(
        min_length=1, validation_alias=AliasPath("data", "tracking_number")
    )
    status: Text = Field(min_length=1, validation_alias=AliasPath("data", "status"))
    detail: OrDefault[Text] = at("data", "sub_status", default="")
    journey: OrDefault[Text] = at("data", "shipment_type", default="")
    order_number: OrDefault[reading.Identifier] = at("data", "order_external_id", default="")
    carrier: OrDefault[reading.Identifier] = at("data", "carrier_name", default="")
    estimate: OrDefault[IndiaTime | None] = at("data", "estimated_delivery_date")


class VelocityReceiver(StaticHeaderReceiver):
    """Velocity does not sign: what is polled for as well is not taken on trust alone."""

    shown_ids = frozenset(
        {"event_id", "event_timestamp", "shipment_id", "tracking_number", "order_id",
         "order_external_id", "order_display_id", "estimated_delivery_date", "delivered_at"}
    )  # fmt: skip
    shown_words = frozenset({"event", "status", "shipment_type", "carrier_name"})

    @property
    def secret_header(self) -> str:
        """The header of WEBHOOK_HEADER."""
        return VelocityTunables.of("velocity").WEBHOOK_HEADER

    def topic_of(self, payload: Mapping[str, Any]) -> Topic:
        """Tell a change of status by its event."""
        return Topic.TRACK_UPDATED if payload.get("event") in EVENTS else Topic.UNKNOWN

    def parse(self, payload: Mapping[str, Any]) -> Sequence[CourierEvent]:
        """Return the callback's single event. Raises MalformedEvent, naming what is wrong."""
        if self.topic_of(payload) is Topic.UNKNOWN:
            raise MalformedEvent("is no event of Velocity's document")
        told = reading.parse_event(StatusChange, payload)
        edd = told.estimate
        mapped = VELOCITY_MAPPER.map(told.status, kind=told.journey)
        event = CourierEvent(
            Topic.TRACK_UPDATED, told.awb, told.order_number, told.awb, told.carrier,
            scan=Scan(mapped, told.time, description=told.detail),
            estimated_delivery_ms=round(edd.timestamp() * 1000) if edd else None,
        )  # fmt: skip
        return [event]
