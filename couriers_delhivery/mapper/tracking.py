"""Read tracking, and what it tells of an order's booking. Pure.

Times are India time without a zone. Scans call the word `Scan`, the status calls it `Status`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from pydantic import AliasChoices, Field

from couriers.contract.errors import Unknown
from couriers.contract.reading import (
    Answer,
    Identifier,
    IndiaTime,
    OrDefault,
    Reader,
    RequiredId,
    Text,
)
from couriers.contract.types import Booking, Direction, Scan, ShipmentRequest, Tracking
from couriers_delhivery.mapper.bookings import booking_of
from couriers_delhivery.mapper.statuses import map_status

READER = Reader("delhivery")
TRACK = "track"


class Step(Answer):
    """A scan, the status of a shipment, or the status of a callback."""

    word: Text = Field(validation_alias=AliasChoices("Scan", "Status"), min_length=1)
    kind: OrDefault[Text] = Field(
        default="", validation_alias=AliasChoices("ScanType", "StatusType")
    )
    code: OrDefault[Text] = Field(default="", alias="StatusCode")
    at: IndiaTime = Field(validation_alias=AliasChoices("StatusDateTime", "ScanDateTime"))
    place: OrDefault[Text] = Field(
        default="", validation_alias=AliasChoices("ScannedLocation", "StatusLocation")
    )
    words: OrDefault[Text] = Field(default="", alias="Instructions")

    def scan(self, code: str = "") -> Scan:
        """Return it as a scan; `code` stands in for its own."""
        mapped = map_status(self.word, self.kind, code or self.code)
        return Scan(mapped, self.at, self.place, self.words)


class ScanRow(Answer):
    step: Step = Field(alias="ScanDetail")


class Shipment(Answer):
    waybill: RequiredId = Field(alias="AWB")
    order: OrDefault[Identifier] = Field(default="", alias="ReferenceNo")
    status: Step = Field(alias="Status")
    rows: list[ScanRow] = Field(default=[], alias="Scans")
    expected: OrDefault[IndiaTime | None] = Field(default=None, alias="ExpectedDeliveryDate")
    promised: OrDefault[IndiaTime | None] = Field(default=None, alias="PromisedDeliveryDate")
    attempts: OrDefault[int | None] = Field(default=None, alias="DispatchCount")
    payment_mode: OrDefault[Text] = Field(default="", alias="OrderType")

    @property
    def steps(self) -> list[Step]:
        """The scans, and the status where it is later than all of them."""
        steps = [row.step for row in self.rows]
        is_later = all(step.at < self.status.at for step in steps)
        return [*steps, self.status] if is_later else steps

    def tracking(self) -> Tracking:
        return Tracking(
            tracking_id=self.waybill,
            scans=tuple(step.scan() for step in self.steps),
            order_number=self.order,
            estimated_delivery=self.expected or self.promised,
            attempts=self.attempts,
        )

    def booking(self) -> Booking:
        return booking_of(self.waybill, self.order, self.status.word)

    @property
    def first_seen(self) -> dt.datetime:
        """The time of the first scan: that of the booking."""
        return min(step.at for step in self.steps)


class Row(Answer):
    shipment: dict[str, Any] = Field(alias="Shipment")


class TrackAnswer(Answer):
    rows: list[Row] = Field(alias="ShipmentData")


def shipments_from(body: Any, *, skip_unreadable: bool = False) -> list[Shipment]:
    """Return the shipments of an answer; at least one, or Unknown is raised.

    With `skip_unreadable`, one that cannot be read is left out: the others of its batch are not to
    wait for it.
    """
    return list(_shipments(body, skip_unreadable)) or _refuse_empty()


def _shipments(body: Any, skip_unreadable: bool) -> Iterator[Shipment]:
    for row in READER.parse(TrackAnswer, body, TRACK).rows:
        if not skip_unreadable:
            yield READER.parse(Shipment, row.shipment, TRACK)
            continue
        with suppress(Unknown):
            yield READER.parse(Shipment, row.shipment, TRACK)


def _refuse_empty() -> list[Shipment]:
    raise READER.unreadable(TRACK, "ShipmentData")


def booking_among(found: list[Shipment], request: ShipmentRequest, boxes: int) -> Booking | None:
    """Return the booking of the request among the shipments of its order; None for none.

    It is the one with the reserved number. Otherwise it is the one that was booked last, of the
    request's direction: the platform knows whose it is. Raises Unknown if boxes are missing.
    """
    mine = [one for one in found if one.order == request.order_number]
    named = [one for one in mine if one.waybill == request.reserved_id]
    if named and len(mine) < boxes:
        raise READER.unknown(TRACK, f"{len(mine)} of {boxes} boxes are booked: ask Delhivery")
    is_return = request.direction == Direction.REVERSE
    candidates = named or [
        one for one in mine if (one.payment_mode.casefold() == "pickup") == is_return
    ]
    return max(candidates, key=lambda one: one.first_seen).booking() if candidates else None
