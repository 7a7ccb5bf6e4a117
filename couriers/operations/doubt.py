"""Settling a booking in doubt by an operator's decision.

A courier's event settles a doubt without an operator (couriers.tracking.confirmation), and so does
a courier that can be asked (couriers.booking.inquiries). Where neither can, nothing is released by
a timer.
"""

from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from couriers.booking.leases import seconds_until_call_is_over
from couriers.booking.settling import settle_absent, settle_confirmed
from couriers.contract.errors import InvalidRequest
from couriers.contract.platform_errors import NotInDoubt, TooEarly
from couriers.contract.signals import SettledBy
from couriers.contract.statuses import Status
from couriers.contract.types import Booking
from couriers.models import Shipment
from couriers.operations.decisions import reason_problems, record_decision
from couriers.operations.tracking_id_check import (
    check_tracking_id,
    id_problems,
    refuse_other_shipments_id,
)

PERMISSION = "shipcrowd_couriers.settle_doubt"  # to settle bookings in doubt
RESOLVED = "resolve_doubt"  # the action of the audit entry


def resolve(
    shipment_id: str,
    *,
    tracking_id: str,
    actor: AbstractBaseUser,
    reason: str,
    waybill: str = "",
    confirm_unchecked: bool = False,
) -> Shipment:
    """Settle a booking in doubt as booked: an operator found it at the courier.

    The courier is asked about the tracking id first. A repeated request with its idempotency key is
    then answered as booked. Returns the shipment. Raises NotInDoubt, InvalidRequest naming
    `tracking_id`, `waybill` or `reason`, and UncheckedTrackingId where the courier cannot say
    whether the id is this order's, unless `confirm_unchecked` is True. Raises InsideTransaction if
    a transaction is open.
    """
    tracking_id, waybill = tracking_id.strip(), waybill.strip()
    if problems := [*reason_problems(reason), *id_problems(tracking_id, waybill)]:
        raise InvalidRequest(problems)
    asked_about = Shipment.objects.select_related("account", "courier").get(pk=shipment_id)
    _check_in_doubt(asked_about)
    refuse_other_shipments_id(asked_about, tracking_id)
    check = check_tracking_id(asked_about, tracking_id, confirm_unchecked=confirm_unchecked)
    with transaction.atomic():
        shipment = _lock_in_doubt(shipment_id)
        refuse_other_shipments_id(shipment, tracking_id)
        booking = Booking(tracking_id, waybill=waybill)
        settle_confirmed(shipment, booking, by=SettledBy.OPERATOR)
        details = {"tracking_id": tracking_id, "attempt": shipment.attempt, **check.as_details()}
        record_decision(shipment, actor, RESOLVED, reason, details)
    return shipment


def release(shipment_id: str, *, actor: AbstractBaseUser, reason: str) -> Shipment:
    """Settle a booking in doubt as not booked: the order may be booked again.

    If the courier confirms it later, a flag is raised. Returns the shipment. Raises NotInDoubt,
    TooEarly while the create call may still be answered, and InvalidRequest naming `reason`.
    """
    if problems := reason_problems(reason):
        raise InvalidRequest(problems)
    with transaction.atomic():
        shipment = _lock_in_doubt(shipment_id)
        _check_call_is_over(shipment)
        failure = "Released by an operator: the courier does not have it."
        settle_absent(shipment, failure, by=SettledBy.OPERATOR)
        record_decision(shipment, actor, "release_doubt", reason, {"attempt": shipment.attempt})
    return shipment


def _lock_in_doubt(shipment_id: str) -> Shipment:
    shipment = Shipment.objects.select_for_update().get(pk=shipment_id)
    _check_in_doubt(shipment)
    return shipment


def _check_in_doubt(shipment: Shipment) -> None:
    if shipment.status != Status.IN_DOUBT:
        raise NotInDoubt(shipment.get_status_display())


def _check_call_is_over(shipment: Shipment) -> None:
    """Raise TooEarly while the create call may still be answered."""
    left = seconds_until_call_is_over(shipment)
    if left > 0:
        raise TooEarly(left)
