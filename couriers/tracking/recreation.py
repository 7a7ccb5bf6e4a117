"""Parcels that the courier recreated: the new tracking id becomes current, the old one is kept.

Scans of the old id still apply. A recreated event is applied only where it can mean one shipment.
Otherwise it raises a flag and changes nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone

from couriers.booking.settling import settle_confirmed
from couriers.contract.logs import get_logger
from couriers.contract.receiver import CourierEvent
from couriers.contract.signals import SettledBy
from couriers.contract.statuses import RELEASES_ORDER, UNSETTLED, Status
from couriers.contract.types import Booking
from couriers.models import CourierAccount, FlagKind, Shipment
from couriers.models.flag import clear_flags, raise_flag
from couriers.tracking.confirmation import (
    Confirmation,
    holder_of,
    lock_order,
    match_creation,
)

log = get_logger(__name__)

CLEARED_BY_RECREATION = "The courier recreated the parcel under this tracking id."


def apply_recreation(account: CourierAccount, event: CourierEvent) -> Confirmation:
    """Apply the event that an order's parcel was recreated under another tracking id.

    RELINKED: its shipment now has the new id. SETTLED: the booking was in doubt and is now booked
    under the new id; the event of the first id will add that one. KNOWN, FLAGGED and UNKNOWN mean
    the same as for `apply_creation`.
    """
    with transaction.atomic():
        order = lock_order(account, event.order_number)
        if holder := holder_of(event.tracking_id, order.shipments):
            _note_recreation(holder, event.tracking_id)
            return Confirmation.KNOWN
        # A parcel that returned to its origin is not sent again. A failed booking has no parcel.
        ended = (Status.RTO_DELIVERED, Status.FAILED)
        possible = [s for s in order.shipments if s.status not in ended]
        if not possible:
            return match_creation(account, event, order)
        if len(possible) > 1:
            return _flag_ambiguous(event, possible)
        shipment = possible[0]
        others = Shipment.objects.filter(account=account, tracking_id=event.tracking_id)
        if others.exclude(pk=shipment.pk).exists():
            raise_flag(shipment, FlagKind.RECREATED_AS_OTHER, tracking_id=event.tracking_id)
            return Confirmation.FLAGGED
        if shipment.status in UNSETTLED:
            return _settle(shipment, event)
        return _relink(shipment, event)


def _flag_ambiguous(event: CourierEvent, possible: Sequence[Shipment]) -> Confirmation:
    live = [s for s in possible if s.status not in RELEASES_ORDER]
    raise_flag((live or possible)[-1], FlagKind.AMBIGUOUS_RECREATION, tracking_id=event.tracking_id)
    return Confirmation.FLAGGED


def _settle(shipment: Shipment, event: CourierEvent) -> Confirmation:
    shipment.confirmed_at = shipment.recreated_at = timezone.now()
    settle_confirmed(
        shipment,
        Booking(event.tracking_id, waybill=event.waybill, vendor=event.vendor),
        by=SettledBy.CALLBACK,
        also_changed=["confirmed_at", "recreated_at"],
    )
    return Confirmation.SETTLED


def _relink(shipment: Shipment, event: CourierEvent) -> Confirmation:
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
    shipment.save(
        update_fields=[
            "former_tracking_ids", "tracking_id", "waybill", "vendor", "recreated_at",
            "confirmed_at", "updated_at",
        ]
    )  # fmt: skip
    # A created event of this id may have raised the flag of a second shipment.
    clear_flags(
        [shipment],
        FlagKind.SECOND_SHIPMENT,
        tracking_id=event.tracking_id,
        reason=CLEARED_BY_RECREATION,
    )
    return Confirmation.RELINKED


def _note_recreation(shipment: Shipment, tracking_id: str) -> None:
    """Mark the shipment as recreated where it got its id from another event than this one."""
    if shipment.recreated_at is None and shipment.tracking_id == tracking_id:
        shipment.recreated_at = timezone.now()
        shipment.save(update_fields=["recreated_at", "updated_at"])
