"""Read Delhivery's callbacks: one scan each, with a header of our choosing and no signature."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import Field

from couriers.contract.reading import Answer, Identifier, OrDefault, RequiredId, Text, parse_event
from couriers.contract.receiver import CourierEvent, Topic
from couriers.contract.signatures import StaticHeaderReceiver
from couriers_delhivery.conf import DelhiveryTunables
from couriers_delhivery.mapper.tracking import Step


class Scanned(Answer):
    wrapped_in = "Shipment"
    waybill: RequiredId = Field(alias="AWB")
    order: OrDefault[Identifier] = Field(default="", alias="ReferenceNo")
    code: OrDefault[Text] = Field(default="", alias="NSLCode")  # in tracking it is a scan's own
    step: Step = Field(alias="Status")


class DelhiveryReceiver(StaticHeaderReceiver):
    """Takes scans alone: proofs and pictures come as callbacks of other kinds, and are unknown."""

    shown_ids = frozenset(
        {"Shipment", "AWB", "ReferenceNo", "NSLCode", "Sortcode", "PickUpDate", "StatusDateTime"}
    )
    shown_words = frozenset({"Status", "StatusType", "StatusLocation"})

    @property
    def secret_header(self) -> str:
        return DelhiveryTunables.of("delhivery").CALLBACK_HEADER

    def topic_of(self, payload: Mapping[str, Any]) -> Topic:
        return Topic.TRACK_UPDATED if "Shipment" in payload else Topic.UNKNOWN

    def parse(self, payload: Mapping[str, Any]) -> Sequence[CourierEvent]:
        found = parse_event(Scanned, payload)
        scan, id_ = found.step.scan(found.code), found.waybill
        return [CourierEvent(Topic.TRACK_UPDATED, id_, found.order, waybill=id_, scan=scan)]
