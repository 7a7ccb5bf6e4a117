"""Lifting the end of a shipment: an operator does not believe a terminal scan.

The scan stays and is marked; the status then follows the scans past it, as if it had not come. It
is thus still a function of the scans and of what was lifted, and a repeat of the scan changes
nothing.
"""

from __future__ import annotations

import structlog
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from couriers.contract.errors import FieldProblem, InvalidRequest
from couriers.contract.platform_errors import NotLiftable
from couriers.contract.statuses import TERMINAL
from couriers.contract.text import storable
from couriers.models import AuditEntry, Scan, Shipment
from couriers.operations.doubt import LONGEST_REASON
from couriers.tracking import scans
from couriers.tracking.scans import StoredScan
from couriers.tracking.status import fold, order_is_taken, recount

log = structlog.get_logger(__name__)


def end_of(shipment: Shipment) -> StoredScan | None:
    """The terminal scan that made the shipment's status, or None where none did."""
    if shipment.status not in TERMINAL:
        return None
    latest = fold(
        scans.of_shipments([shipment.pk])[shipment.pk], shipment.former_tracking_ids
    ).latest
    if latest is None or latest.status != shipment.status:
        return None
    return latest


def lift(shipment_id: str, *, actor: AbstractBaseUser, reason: str) -> Shipment:
    """An operator's word that the terminal scan of a shipment is wrong; returns the shipment.

    Raises NotLiftable; InvalidRequest naming `reason`.
    """
    reason = storable(reason).strip()
    if not reason or len(reason) > LONGEST_REASON:
        message = f"must have 1 to {LONGEST_REASON} characters"
        raise InvalidRequest([FieldProblem("reason", message)])
    with transaction.atomic():
        shipment = Shipment.objects.select_for_update().get(pk=shipment_id)
        end = end_of(shipment)
        if end is None:
            state = shipment.get_status_display().lower()
            raise NotLiftable(f"the shipment is {state}, and no scan of the courier's ended it")
        Scan.objects.filter(pk=end.pk).update(lifted=True)
        recount([shipment])
        if order_is_taken(shipment):
            raise NotLiftable("the order has another live shipment by now")
        AuditEntry.objects.create(
            company_id=shipment.company_id,
            shipment=shipment,
            actor_id=actor.pk,
            action="lift_status",
            reason=reason,
            details={"scan": end.pk, "status": end.status, "now": shipment.status},
        )
    log.warning("lift_status", shipment=shipment.pk, actor=actor.pk)
    return shipment
