"""Lifting the end of a shipment: an operator found a terminal scan to be wrong.

The scan is kept and marked as lifted. The other scans then decide the status, and a repeat of the
lifted scan changes nothing.
"""

from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from couriers.contract.errors import InvalidRequest
from couriers.contract.platform_errors import NotLiftable
from couriers.contract.statuses import TERMINAL
from couriers.models import Scan, Shipment
from couriers.operations.decisions import reason_problems, record_decision
from couriers.tracking import scans
from couriers.tracking.scans import StoredScan
from couriers.tracking.status import order_is_taken, recount, walk_scans

PERMISSION = "shipcrowd_couriers.lift_status"  # to lift the end of a shipment


def terminal_scan_of(shipment: Shipment) -> StoredScan | None:
    """The terminal scan that decided the shipment's status, or None where no scan did."""
    if shipment.status not in TERMINAL:
        return None
    mine = scans.of_shipments([shipment.pk])[shipment.pk]
    latest = walk_scans(mine, shipment.former_tracking_ids).latest
    if latest is None or latest.status != shipment.status:
        return None
    return latest


def lift(shipment_id: str, *, actor: AbstractBaseUser, reason: str) -> Shipment:
    """Mark the terminal scan of a shipment as lifted; returns the shipment.

    Raises NotLiftable where no scan ended it or where its order has another live shipment, and
    InvalidRequest naming `reason`.
    """
    if problems := reason_problems(reason):
        raise InvalidRequest(problems)
    with transaction.atomic():
        shipment = Shipment.objects.select_for_update().get(pk=shipment_id)
        end = terminal_scan_of(shipment)
        if end is None:
            state = shipment.get_status_display().lower()
            raise NotLiftable(f"the shipment is {state}, and no scan of the courier ended it")
        Scan.objects.filter(pk=end.pk).update(lifted=True)
        recount([shipment])
        if order_is_taken(shipment):
            raise NotLiftable("the order has another live shipment")
        details = {"scan": end.pk, "status": end.status, "now": shipment.status}
        record_decision(shipment, actor, "lift_status", reason, details)
    return shipment
