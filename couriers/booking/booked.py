"""What is written of a shipment that its courier has: its columns, and the answer to replay."""

from __future__ import annotations

import datetime as dt

from couriers.booking.answers import shipment_json
from couriers.booking.charges import BROUGHT_FIELDS, set_brought
from couriers.contract.statuses import Status
from couriers.contract.types import Booking
from couriers.models import IdempotencyKey, Shipment

BOOKED_FIELDS = (
    "status", "tracking_id", "waybill", "vendor", "booked_at", "status_at", "updated_at",
    "lease_expires_at", "failure", *BROUGHT_FIELDS,
)  # fmt: skip


def mark_booked(shipment: Shipment, booking: Booking, now: dt.datetime) -> None:
    """Set the BOOKED_FIELDS of a booked shipment in memory; `now` is the time of the booking."""
    shipment.status = Status.BOOKED
    shipment.tracking_id = booking.tracking_id
    shipment.waybill = booking.waybill
    shipment.vendor = booking.vendor
    set_brought(shipment, booking)
    shipment.booked_at = shipment.status_at = shipment.updated_at = now
    shipment.lease_expires_at = None
    shipment.failure = ""


def store_answer(shipment: Shipment) -> bytes:
    """Store the booking's answer with its key, to be replayed, and return it.

    Only the first answer is stored. Call after the booked shipment has been saved.
    """
    body = shipment_json(shipment)
    is_first = IdempotencyKey.objects.filter(
        shipment=shipment, response_status__isnull=True
    ).update(response_status=201, response_body=body)
    if is_first:
        return body
    key = IdempotencyKey.objects.filter(shipment=shipment).first()
    return (key and key.answer()) or body
