"""Read tracking, and what it tells of an order's booking. Times are India's. Pure."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from pydantic import AliasChoices, Field

from couriers.contract import reading, types
from couriers.contract.errors import Unknown
from couriers.contract.reading import Answer, IndiaTime, OrDefault, Text
from couriers_delhivery.mapper.bookings import READER, booking_of
from couriers_delhivery.mapper.statuses import map_status

TRACK = "track"


def _either(*names: str) -> Any:
    """Return a field for people, "" by default: scans and statuses have names of their own."""
    return Field(default="", validation_alias=AliasChoices(*names))


class Step(Answer):
    """A scan, the status of a shipment, or the status of a callback."""

    word: Text = Field(validation_alias=AliasChoices("Scan", "Status"), min_length=1)
    at: IndiaTime = Field(validation_alias=AliasChoices("StatusDateTime", "ScanDateTime"))
    kind: OrDefault[Text] = _either("ScanType", "StatusType")
    code: OrDefault[Text] = Field(default="", alias="StatusCode")
    place: OrDefault[Text] = _either("ScannedLocation", "StatusLocation")
    words: OrDefault[Text] = Field(default="", alias="Instructions")

    def scan(self, code: str = "") -> types.Scan:
        """Return it as a scan; `code` stands in for its own."""
        mapped = map_status(self.word, self.kind, code or self.code)
        return types.Scan(mapped, self.at, self.place, self.words)


class ScanRow(Answer):
    step: Step = Field(alias="ScanDetail")


class Shipment(Answer):
    waybill: reading.RequiredId = Field(alias="AWB")
    order: OrDefault[reading.Identifier] = Field(default="", alias="ReferenceNo")
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
        return [*steps, self.status] if all(one.at < self.status.at for one in steps) else steps

    def tracking(self) -> types.Tracking:
        return types.Tracking(
            self.waybill,
            tuple(step.scan() for step in self.steps),
            order_number=self.order,
            estimated_delivery=self.expected or self.promised,
            attempts=self.attempts,
        )


class TrackAnswer(Answer):
    rows: list[dict[str, Any]] = Field(alias="ShipmentData", min_length=1)


def shipments_from(body: Any) -> Iterator[Shipment]:
    """Yield the shipments of an answer, at least one. Raises Unknown for one that is unreadable."""
    for row in READER.parse(TrackAnswer, body, TRACK).rows:
        yield READER.parse(Shipment, row.get("Shipment"), TRACK)


def trackings_from(body: Any, waybills: Sequence[str]) -> dict[str, types.Tracking]:
    """Return the trackings of a batch: one that cannot be read is left out, for the others' sake.

    Raises Unknown where it was the only one that was asked for.
    """
    found = {}
    for row in READER.parse(TrackAnswer, body, TRACK).rows:
        with suppress(*[Unknown] * (len(waybills) > 1)):
            one = READER.parse(Shipment, row.get("Shipment"), TRACK)
            found[one.waybill] = one.tracking()
    return {waybill: found[waybill] for waybill in waybills if waybill in found}


def booking_among(
    found: list[Shipment], request: types.ShipmentRequest, boxes: int
) -> types.Booking | None:
    """Return the booking of the request among the shipments of its order; None for none.

    It is the one with the reserved number. Otherwise it is the one that was booked last, of the
    request's direction: the platform knows whose it is. Raises Unknown if boxes are missing, and
    if what was found names another order: then nobody can say that this one is absent.
    """
    mine = [one for one in found if one.order == request.order_number]
    if len(mine) < len(found):
        raise READER.unknown(TRACK, "what was found is of another order")
    named = [one for one in mine if one.waybill == request.reserved_id]
    if named and len(mine) < boxes:
        raise READER.unknown(TRACK, f"{len(mine)} of {boxes} boxes are booked: ask Delhivery")
    is_return = request.direction == types.Direction.REVERSE
    others = [one for one in mine if (one.payment_mode.casefold() == "pickup") == is_return]
    if not (candidates := named or others):
        return None
    last = max(candidates, key=lambda one: min(step.at for step in one.steps))
    return booking_of(last.waybill, last.order, last.status.word)
