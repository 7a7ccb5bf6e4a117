"""A parcel that the courier recreated: the new tracking id becomes current, the old is kept.

The old id's scans still apply, and so do its late ones. The courier's word is taken only where it
can mean but one shipment; otherwise an operator must look, and nothing is changed.
"""

from __future__ import annotations

import structlog
from django.db import transaction
from django.utils import timezone

from couriers.booking.settling import (
    BOOKED_FIELDS,
    flag,
    mark_booked,
    second_shipment,
    store_answer,
)
from couriers.contract.receiver import CourierEvent
from couriers.contract.statuses import RELEASES_ORDER, UNSETTLED, Status
from couriers.models import CourierAccount, Shipment
from couriers.operations.doubt import Confirmation, confirm_from_courier

log = structlog.get_logger(__name__)


def relink(account: CourierAccount, event: CourierEvent) -> Confirmation:
    """Apply the courier's word that it recreated an order's parcel under another tracking id.

    RELINKED: its shipment has the new id now. SETTLED: the booking was in doubt and is booked
    under the new id; the first one is learnt from its own event. KNOWN, FLAGGED and UNKNOWN are
    as with a creation.
    """
    with transaction.atomic():
        shipments = list(
            Shipment.objects.select_for_update(of=("self",))
            .filter(account=account, order_number=event.order_number)
            .order_by("id")
        )
        for shipment in shipments:
            if event.tracking_id in (shipment.tracking_id, *shipment.former_tracking_ids):
                _note_recreation(shipment, event.tracking_id)
                return Confirmation.KNOWN
        # A parcel that came back home is not sent on; a booking that failed was never there.
        possible = [s for s in shipments if s.status not in (Status.RTO_DELIVERED, Status.FAILED)]
        if not possible:
            return confirm_from_courier(account, event)
        if len(possible) > 1:
            live = [s for s in possible if s.status not in RELEASES_ORDER]
            why = f"The courier recreated a parcel of this order as {event.tracking_id}: which?"
            flag((live or possible)[-1], why)
            return Confirmation.FLAGGED
        others = Shipment.objects.filter(account=account, tracking_id=event.tracking_id)
        if others.exclude(pk=possible[0].pk).exists():
            why = f"The courier recreated it as {event.tracking_id}, which is another shipment's."
            flag(possible[0], why)
            return Confirmation.FLAGGED
        if possible[0].status in UNSETTLED:
            return _settle(possible[0], event)
        return _move(possible[0], event)


def _settle(shipment: Shipment, event: CourierEvent) -> Confirmation:
    now = timezone.now()
    mark_booked(shipment, event.tracking_id, event.waybill, event.vendor, now)
    shipment.confirmed_at = shipment.recreated_at = now
    shipment.save(update_fields=[*BOOKED_FIELDS, "confirmed_at", "recreated_at"])
    store_answer(shipment)
    return Confirmation.SETTLED


def _move(shipment: Shipment, event: CourierEvent) -> Confirmation:
    now = timezone.now()
    log.warning(
        "shipment_recreated",
        shipment=shipment.pk,
        tracking_id=event.tracking_id,
        former=shipment.tracking_id,
    )
    shipment.former_tracking_ids = [*shipment.former_tracking_ids, shipment.tracking_id]
    shipment.tracking_id = event.tracking_id
    shipment.waybill = event.waybill or shipment.waybill
    shipment.vendor = event.vendor or shipment.vendor
    shipment.recreated_at = now
    shipment.confirmed_at = shipment.confirmed_at or now
    # The same word may have come before, by a way that could not say what it meant.
    shipment.attention = " ".join(
        shipment.attention.replace(second_shipment(event.tracking_id), "").split()
    )
    shipment.save(
        update_fields=[
            "former_tracking_ids", "tracking_id", "waybill", "vendor", "recreated_at",
            "confirmed_at", "attention", "updated_at",
        ]
    )  # fmt: skip
    return Confirmation.RELINKED


def _note_recreation(shipment: Shipment, tracking_id: str) -> None:
    """We had the new id already, from elsewhere: its first one may yet be told."""
    if shipment.recreated_at is None and shipment.tracking_id == tracking_id:
        shipment.recreated_at = timezone.now()
        shipment.save(update_fields=["recreated_at", "updated_at"])
