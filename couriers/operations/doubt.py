"""Settling doubt: by the courier's own events, by its search where it has one, or by an operator.

Nothing is released by a timer. An event that names a shipment nobody here believes in is never
dropped: it is flagged, loudly.
"""

from __future__ import annotations

import datetime as dt
import enum

import structlog
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import F, Value
from django.utils import timezone

from couriers.booking.settling import (
    BOOKED_FIELDS,
    flag,
    mark_booked,
    second_shipment,
    store_answer,
)
from couriers.conf import tunables
from couriers.contract.errors import FieldProblem, InvalidRequest
from couriers.contract.platform_errors import NotInDoubt, TooEarly
from couriers.contract.receiver import CourierEvent
from couriers.contract.statuses import RELEASES_ORDER, UNSETTLED, Status
from couriers.contract.text import has_control_characters
from couriers.models import AuditEntry, CourierAccount, Shipment
from couriers.models.call import Outcome

log = structlog.get_logger(__name__)

LONGEST_REASON = 500


class Confirmation(enum.StrEnum):
    """What a shipment_created or shipment_recreated event meant."""

    SETTLED = "settled"
    KNOWN = "known"
    RELINKED = "relinked"
    FLAGGED = "flagged"
    UNKNOWN = "unknown"


def confirm_from_courier(account: CourierAccount, event: CourierEvent) -> Confirmation:
    """Apply the courier's word that a shipment exists (order number → tracking id).

    SETTLED: a booking in flight or in doubt is booked now. KNOWN: we had it. RELINKED: it is the
    first id of a parcel that we know as a recreated one. FLAGGED: it is a second shipment of its
    order, or one that was given up; an operator must look. UNKNOWN: no such order here (yet).
    """
    with transaction.atomic():
        shipments = list(
            Shipment.objects.select_for_update(of=("self",))
            .filter(account=account, order_number=event.order_number)
            .order_by("id")
        )
        if any(event.tracking_id in (s.tracking_id, *s.former_tracking_ids) for s in shipments):
            return Confirmation.KNOWN
        recreated = [s for s in shipments if s.recreated_at and not s.former_tracking_ids]
        if len(recreated) == 1:
            recreated[0].former_tracking_ids = [event.tracking_id]
            recreated[0].save(update_fields=["former_tracking_ids", "updated_at"])
            return Confirmation.RELINKED
        unsettled = [s for s in shipments if s.status in UNSETTLED]
        if len(unsettled) == 1:
            unsettled[0].confirmed_at = timezone.now()
            _book(unsettled[0], event.tracking_id, event.waybill, event.vendor)
            return Confirmation.SETTLED
        if unsettled:
            # A shipment and a return under one number: the event does not say which it means.
            for shipment in unsettled:
                flag(shipment, f"The courier has {event.tracking_id}: this one, or its twin.")
            return Confirmation.FLAGGED
        live = [s for s in shipments if s.status not in RELEASES_ORDER]
        if live:
            flag(live[-1], second_shipment(event.tracking_id))
            return Confirmation.FLAGGED
        given_up = [s for s in shipments if s.status == Status.FAILED and not s.tracking_id]
        if given_up:
            # It exists after all: live again, so that nobody books it a second time.
            given_up[-1].confirmed_at = timezone.now()
            _book(given_up[-1], event.tracking_id, event.waybill, event.vendor)
            flag(given_up[-1], "Given up as not booked, but the courier confirmed it.")
            return Confirmation.FLAGGED
        if shipments:
            flag(shipments[-1], f"The courier booked this order again: {event.tracking_id}.")
            return Confirmation.FLAGGED
        _ask_about_prefixed(account, event)
    return Confirmation.UNKNOWN


def is_told_of(shipment: Shipment, order_number: str) -> bool:
    """Whether a courier's order number can mean the shipment's: some put a prefix to it."""
    return not order_number or order_number.endswith(shipment.order_number)


def _ask_about_prefixed(account: CourierAccount, event: CourierEvent) -> None:
    """Doubts that an event under an order number of the courier's own making may settle.

    It is not for us to guess: an operator looks, and resolves the doubt with the tracking id.
    """
    doubtful = (
        Shipment.objects.select_for_update(of=("self",), skip_locked=True)
        .filter(account=account, status__in=UNSETTLED)
        .alias(told=Value(event.order_number))
        .filter(told__endswith=F("order_number"))
        .order_by("id")
    )
    for shipment in doubtful:
        flag(
            shipment,
            f"The courier created {event.tracking_id} for {event.order_number}: perhaps this one.",
        )


def resolve(
    shipment_id: str, *, tracking_id: str, actor: AbstractBaseUser, reason: str, waybill: str = ""
) -> Shipment:
    """An operator's word that a booking in doubt exists at the courier, under this tracking id.

    Its key replays it as booked from now on. Raises NotInDoubt; InvalidRequest naming
    `tracking_id` or `reason`.
    """
    tracking_id, waybill = tracking_id.strip(), waybill.strip()
    problems = _reason_problems(reason)
    if not tracking_id or len(tracking_id) > 100 or has_control_characters(tracking_id):
        problems.append(FieldProblem("tracking_id", "must have 1 to 100 printable characters"))
    if len(waybill) > 100 or has_control_characters(waybill):
        problems.append(FieldProblem("waybill", "must have at most 100 printable characters"))
    if problems:
        raise InvalidRequest(problems)
    with transaction.atomic():
        shipment = _in_doubt(shipment_id)
        others = Shipment.objects.filter(account=shipment.account_id, tracking_id=tracking_id)
        if other := others.exclude(pk=shipment.pk).first():
            raise InvalidRequest(
                [FieldProblem("tracking_id", f"is the one of order {other.order_number}")]
            )
        _book(shipment, tracking_id, waybill, "")
        _note(shipment, actor, "resolve_doubt", reason, {"tracking_id": tracking_id})
    return shipment


def release(shipment_id: str, *, actor: AbstractBaseUser, reason: str) -> Shipment:
    """An operator's word that a booking in doubt does not exist: the order may be booked again.

    Should the courier confirm it after all, it is flagged as a second shipment. Raises
    NotInDoubt; TooEarly while the call may yet be answered; InvalidRequest naming `reason`.
    """
    if problems := _reason_problems(reason):
        raise InvalidRequest(problems)
    with transaction.atomic():
        shipment = _in_doubt(shipment_id)
        _check_call_is_over(shipment)
        shipment.status = Status.FAILED
        shipment.lease_expires_at = None
        shipment.failure = "Released by an operator: the courier does not have it."
        shipment.save(update_fields=["status", "lease_expires_at", "failure", "updated_at"])
        _note(shipment, actor, "release_doubt", reason, {})
    return shipment


def _in_doubt(shipment_id: str) -> Shipment:
    shipment = Shipment.objects.select_for_update().get(pk=shipment_id)
    if shipment.status != Status.IN_DOUBT:
        raise NotInDoubt(shipment.get_status_display())
    return shipment


def _check_call_is_over(shipment: Shipment) -> None:
    """A call whose end nobody wrote down is over when its lease would be."""
    pending = shipment.calls.filter(outcome=Outcome.PENDING).order_by("-id").first()
    if pending is not None:
        lease = dt.timedelta(seconds=tunables().BOOKING_LEASE)
        left = (pending.started_at + lease - timezone.now()).total_seconds()
        if left > 0:
            raise TooEarly(left)


def _reason_problems(reason: str) -> list[FieldProblem]:
    if not reason.strip() or len(reason) > LONGEST_REASON:
        return [FieldProblem("reason", f"must have 1 to {LONGEST_REASON} characters")]
    return []


def _note(
    shipment: Shipment, actor: AbstractBaseUser, action: str, reason: str, details: dict[str, str]
) -> None:
    AuditEntry.objects.create(
        company_id=shipment.company_id,
        shipment=shipment,
        actor_id=actor.pk,
        action=action,
        reason=reason.strip(),
        details={**details, "attempt": shipment.attempt},
    )
    log.warning(action, shipment=shipment.pk, actor=actor.pk)


def _book(shipment: Shipment, tracking_id: str, waybill: str, vendor: str) -> None:
    mark_booked(shipment, tracking_id, waybill, vendor, timezone.now())
    shipment.save(update_fields=[*BOOKED_FIELDS, "confirmed_at"])
    store_answer(shipment)
