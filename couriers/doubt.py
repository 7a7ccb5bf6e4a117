"""Settling doubt: what the courier's own events say of bookings whose answer was lost.

An event that names a shipment nobody here believes in is never dropped: it is flagged, loudly.
"""

from __future__ import annotations

import enum

import structlog
from django.db import transaction
from django.utils import timezone

from couriers.booking import UNSETTLED, store_answer
from couriers.models import CourierAccount, Shipment
from couriers.receiver import CourierEvent
from couriers.statuses import RELEASES_ORDER, Status

log = structlog.get_logger(__name__)


class Confirmation(enum.StrEnum):
    """What a shipment_created event meant."""

    SETTLED = "settled"
    KNOWN = "known"
    FLAGGED = "flagged"
    UNKNOWN = "unknown"


def confirm_from_courier(account: CourierAccount, event: CourierEvent) -> Confirmation:
    """Apply the courier's word that a shipment exists (order number → tracking id).

    SETTLED: a booking in flight or in doubt is booked now. KNOWN: we had it. FLAGGED: it is a
    second shipment of its order, or one that was given up; an operator must look. UNKNOWN: no
    such order here (yet).
    """
    with transaction.atomic():
        shipments = list(
            Shipment.objects.select_for_update(of=("self",))
            .filter(account=account, order_number=event.order_number)
            .order_by("id")
        )
        if any(event.tracking_id in (s.tracking_id, *s.former_tracking_ids) for s in shipments):
            return Confirmation.KNOWN
        unsettled = [s for s in shipments if s.status in UNSETTLED]
        if unsettled:
            _book(unsettled[-1], event)
            return Confirmation.SETTLED
        live = [s for s in shipments if s.status not in RELEASES_ORDER]
        if live:
            _flag(live[-1], f"Second shipment: the courier also has {event.tracking_id}.")
            return Confirmation.FLAGGED
        given_up = [s for s in shipments if s.status == Status.FAILED and not s.tracking_id]
        if given_up:
            # It exists after all: live again, so that nobody books it a second time.
            _book(given_up[-1], event)
            _flag(given_up[-1], "Given up as not booked, but the courier confirmed it.")
            return Confirmation.FLAGGED
        if shipments:
            _flag(shipments[-1], f"The courier booked this order again: {event.tracking_id}.")
            return Confirmation.FLAGGED
    return Confirmation.UNKNOWN


def _book(shipment: Shipment, event: CourierEvent) -> None:
    now = timezone.now()
    shipment.status = Status.BOOKED
    shipment.tracking_id = event.tracking_id
    shipment.waybill = event.waybill
    shipment.vendor = event.vendor
    shipment.booked_at = shipment.status_at = now
    shipment.lease_expires_at = None
    shipment.failure = ""
    shipment.save(
        update_fields=[
            "status", "tracking_id", "waybill", "vendor", "booked_at", "status_at",
            "lease_expires_at", "failure", "updated_at",
        ]
    )  # fmt: skip
    store_answer(shipment)


def _flag(shipment: Shipment, why: str) -> None:
    shipment.attention = why[:300]
    shipment.save(update_fields=["attention", "updated_at"])
    log.error("second_shipment", shipment=shipment.pk, why=why)
