"""The booking protocol: reserve, call, settle."""

from __future__ import annotations

from dataclasses import dataclass

from couriers.models import Company, Shipment
from couriers.types import ShipmentDraft


@dataclass(frozen=True, slots=True)
class BookingResult:
    """The end of a booking: the answer in the bytes that were, or would have been, sent first."""

    shipment: Shipment
    status_code: int
    body: bytes
    replayed: bool = False


class BookingConflict(Exception):
    """The request meets another booking; nothing was called."""


class KeyReused(BookingConflict):
    """The key stands for another request; `fields` names what differs, never the values."""

    def __init__(self, fields: tuple[str, ...]) -> None:
        self.fields = fields
        super().__init__(f"the key was used for another request; different: {', '.join(fields)}")


class BookingInFlight(BookingConflict):
    """The same booking is being made right now; ask again after `retry_after` seconds."""

    def __init__(self, shipment_id: str, retry_after: int) -> None:
        self.shipment_id = shipment_id
        self.retry_after = retry_after
        super().__init__("this booking is being made right now")


class OrderAlreadyLive(BookingConflict):
    """The order has a live shipment, booked under another key."""

    def __init__(self, shipment_id: str, status: str) -> None:
        self.shipment_id = shipment_id
        self.status = status
        super().__init__(f"the order has a live shipment already: {shipment_id} ({status})")


def book(
    company: Company, draft: ShipmentDraft, *, key: str | None = None, patient: bool = False
) -> BookingResult:
    """Book a shipment once."""
    raise NotImplementedError
