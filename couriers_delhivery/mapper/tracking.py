"""Read tracking, and what it tells of an order's booking. Times are India's. Pure."""

from typing import Any

from pydantic import Field

from couriers.contract import reading, types
from couriers.contract.found_bookings import FoundBooking
from couriers.contract.reading import Answer, IndiaTime, OrDefault, Text, named
from couriers_delhivery.mapper.answers import READER
from couriers_delhivery.mapper.statuses import DELHIVERY_MAPPER

TRACK, ROWS = "track", "ShipmentData"


class Step(Answer):
    """A scan, the status of a shipment, or the status of a callback."""

    wrapped_in = "ScanDetail"
    word: reading.RequiredText = named("Scan", "Status")
    at: IndiaTime = named("StatusDateTime", "ScanDateTime")
    kind: OrDefault[Text] = named("ScanType", "StatusType", default="")
    code: OrDefault[Text] = Field(default="", alias="StatusCode")
    place: OrDefault[Text] = named("ScannedLocation", "StatusLocation", default="")
    words: OrDefault[Text] = Field(default="", alias="Instructions")

    def scan(self, code: str = "") -> types.Scan:
        """Return it as a scan; `code` stands in for its own."""
        mapped = DELHIVERY_MAPPER.map(self.word, kind=self.kind, code=code or self.code)
        return types.Scan(mapped, self.at, self.place, self.words)


class Shipment(Answer):
    wrapped_in = "Shipment"
    waybill: reading.RequiredId = Field(alias="AWB")
    order: OrDefault[reading.Identifier] = Field(default="", alias="ReferenceNo")
    status: Step = Field(alias="Status")
    scans: list[Step] = Field(default=[], alias="Scans")
    expected: OrDefault[IndiaTime | None] = Field(default=None, alias="ExpectedDeliveryDate")
    promised: OrDefault[IndiaTime | None] = Field(default=None, alias="PromisedDeliveryDate")
    attempts: OrDefault[int | None] = Field(default=None, alias="DispatchCount")
    payment_mode: OrDefault[Text] = Field(default="", alias="OrderType")

    @property
    def steps(self) -> list[Step]:
        """The scans, and the status where it is later than all of them."""
        is_last = all(one.at < self.status.at for one in self.scans)
        return [*self.scans, self.status] if is_last else self.scans

    def tracking(self) -> types.Tracking:
        return types.Tracking(
            self.waybill,
            tuple(step.scan() for step in self.steps),
            order_number=self.order,
            estimated_delivery=self.expected or self.promised,
            attempts=self.attempts,
        )

    def found(self) -> FoundBooking:
        id_, is_return = self.waybill, self.payment_mode.casefold() == "pickup"
        return FoundBooking(
            types.Booking(id_, id_, order_number=self.order, courier_status=self.status.word),
            types.Direction.REVERSE if is_return else types.Direction.FORWARD,
            min(step.at for step in self.steps),
        )


def bookings_from(body: Any) -> list[FoundBooking]:
    """Return what a search found, at least one. Raises Unknown if any of it is unreadable."""
    found = READER.parse_list(Shipment, body, TRACK, field=ROWS, fewest=1)
    return [one.found() for one in found]


def trackings_from(body: Any) -> dict[str, types.Tracking]:
    """Return the trackings of a batch, without those that cannot be read. Raises Unknown."""
    found = READER.parse_readable(Shipment, body, TRACK, field=ROWS, fewest=1)
    return {one.waybill: one.tracking() for one in found}
