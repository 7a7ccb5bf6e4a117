"""Correcting a tracking id that an operator gave to a shipment, and that was another parcel's.

The scans of the wrong id are another parcel's: they are deleted, the audit log keeps what they
were, and the remaining scans decide the status. Callbacks that wait for the right id are applied
by whoever listens to `shipment_tracking_id_corrected`.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from couriers.booking.answers import shipment_json
from couriers.contract.errors import FieldProblem, InvalidRequest
from couriers.contract.platform_errors import NotCorrectable
from couriers.contract.statuses import UNSETTLED, Status
from couriers.models import FlagKind, IdempotencyKey, Shipment
from couriers.models.announcements import status_changed, tracking_id_corrected
from couriers.models.flag import clear_flags
from couriers.operations.decisions import reason_problems, record_decision
from couriers.operations.doubt import RESOLVED
from couriers.operations.tracking_id_check import (
    check_tracking_id,
    id_problems,
    refuse_other_shipments_id,
)
from couriers.tracking.status import order_is_taken, recount

CORRECTED = "correct_tracking_id"  # the action of the audit entry
MAX_LISTED = 50  # scans that the audit entry lists
CLEARED_BY_CORRECTION = "An operator corrected the tracking id."
# The kinds of flags that a wrong tracking id raises: by the right id, and by the wrong one.
_ABOUT_RIGHT_ID = (
    FlagKind.SECOND_SHIPMENT, FlagKind.AMBIGUOUS_CREATION, FlagKind.AMBIGUOUS_RECREATION,
)  # fmt: skip
_ABOUT_WRONG_ID = (FlagKind.OTHER_ORDER,)

# Columns of a shipment that the wrong parcel decided, and the other columns that are written.
_OF_THE_WRONG_PARCEL = (
    "tracked_at", "estimated_delivery", "polled_at", "delivery_attempts", "confirmed_at",
)  # fmt: skip
_WRITTEN = (
    "tracking_id", "waybill", "status", "status_at", "courier_status", "ndr_reason", "updated_at",
)  # fmt: skip


def is_correctable(shipment: Shipment) -> bool:
    """Whether an operator gave the shipment its present tracking id."""
    if not shipment.tracking_id or shipment.status in (*UNSETTLED, Status.FAILED):
        return False
    given = shipment.audit.filter(action__in=(RESOLVED, CORRECTED))
    return given.filter(details__tracking_id=shipment.tracking_id).exists()


def correct_tracking_id(
    shipment_id: str,
    *,
    tracking_id: str,
    actor: AbstractBaseUser,
    reason: str,
    waybill: str = "",
    confirm_unchecked: bool = False,
) -> Shipment:
    """Give the shipment another tracking id in the place of a wrong one; returns the shipment.

    The courier is asked about the id first, as when a doubt is settled. From then on the booking's
    idempotency key is answered with the right id. Raises NotCorrectable, InvalidRequest naming
    `tracking_id`, `waybill` or `reason`, UncheckedTrackingId unless `confirm_unchecked` is True,
    and InsideTransaction if a transaction is open.
    """
    tracking_id, waybill = tracking_id.strip(), waybill.strip()
    if problems := [*reason_problems(reason), *id_problems(tracking_id, waybill)]:
        raise InvalidRequest(problems)
    asked_about = Shipment.objects.select_related("account", "courier").get(pk=shipment_id)
    _check_correctable(asked_about, tracking_id)
    check = check_tracking_id(asked_about, tracking_id, confirm_unchecked=confirm_unchecked)
    with transaction.atomic():
        shipment = Shipment.objects.select_for_update().get(pk=shipment_id)
        _check_correctable(shipment, tracking_id)
        if shipment.tracking_id != asked_about.tracking_id:
            raise NotCorrectable("its tracking id has just been changed")
        wrong_id = shipment.tracking_id
        removed = _remove_scans(shipment, wrong_id)
        _give_id(shipment, tracking_id, waybill)
        _clear_flags(shipment, wrong_id, actor)
        details = {"tracking_id": tracking_id, "wrong": wrong_id, **removed, **check.as_details()}
        record_decision(shipment, actor, CORRECTED, reason, details)
        tracking_id_corrected(shipment, wrong_id)
    return shipment


def _check_correctable(shipment: Shipment, tracking_id: str) -> None:
    if not is_correctable(shipment):
        raise NotCorrectable("its tracking id was not given by an operator")
    if order_is_taken(shipment):
        raise NotCorrectable("the order has another live shipment")
    if tracking_id == shipment.tracking_id:
        raise InvalidRequest([FieldProblem("tracking_id", "is the present one")])
    refuse_other_shipments_id(shipment, tracking_id)


def _remove_scans(shipment: Shipment, wrong_id: str) -> dict[str, Any]:
    """Delete the scans of the wrong id; returns what they were, for the audit log."""
    wrong = shipment.scans.filter(tracking_id=wrong_id)
    listed = [
        {
            "at": scan.at.isoformat(),
            "status": scan.status,
            "courier_type": scan.courier_type,
            "courier_status": scan.courier_status,
            "courier_code": scan.courier_code,
        }
        for scan in wrong.order_by("at", "id")[:MAX_LISTED]
    ]
    count, _ = wrong.delete()
    return {"scans_removed": count, "scans": listed}


def _give_id(shipment: Shipment, tracking_id: str, waybill: str) -> None:
    """Set the id, and the status by the scans that are left: `booked` where there are none."""
    previous = shipment.status
    shipment.tracking_id = tracking_id
    shipment.waybill = waybill
    shipment.status = Status.BOOKED
    shipment.status_at = shipment.booked_at
    shipment.courier_status = shipment.ndr_reason = ""
    for name in _OF_THE_WRONG_PARCEL:
        setattr(shipment, name, None)
    shipment.save(update_fields=[*_WRITTEN, *_OF_THE_WRONG_PARCEL])
    status_changed(shipment, previous, Status.BOOKED)
    recount([shipment])
    IdempotencyKey.objects.filter(shipment=shipment, response_status=201).update(
        response_body=shipment_json(shipment)
    )


def _clear_flags(shipment: Shipment, wrong_id: str, actor: AbstractBaseUser) -> None:
    """Clear the flags that the wrong id had raised."""
    about = [(kind, shipment.tracking_id) for kind in _ABOUT_RIGHT_ID]
    about += [(kind, wrong_id) for kind in _ABOUT_WRONG_ID]
    for kind, tracking_id in about:
        clear_flags(
            [shipment],
            kind,
            tracking_id=tracking_id,
            reason=CLEARED_BY_CORRECTION,
            cleared_by=actor,
        )
