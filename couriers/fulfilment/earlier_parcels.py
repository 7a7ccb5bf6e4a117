"""Cancelling the parcel that a courier has which was asked before the shipment's own.

A person asks for it. It is kept how it ended, and what a courier has only accepted is asked about
with growing pauses. The shipment itself is another courier's parcel, and stays as it is.
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from couriers.conf import tunables
from couriers.contract.action_rules import capability_of, is_offered, rule_for
from couriers.contract.actions import ActionKind, ActionResult, ActionState
from couriers.contract.adapter import BaseCourierAdapter, Capability
from couriers.contract.checked_calls import call_adapter
from couriers.contract.errors import (
    CourierError,
    InvalidRequest,
    NotSupported,
    Rejected,
    plugin_fault,
)
from couriers.contract.logs import get_logger
from couriers.contract.masking import mask_text
from couriers.contract.platform_errors import ActionNotAllowed
from couriers.contract.registry import CourierFactory
from couriers.contract.signals import ActionOutcome
from couriers.contract.statuses import RTO, Status
from couriers.contract.text import make_storable
from couriers.contract.types import Direction, Tracking
from couriers.fulfilment.outcomes import LEASE, PAUSES, STATES
from couriers.fulfilment.rules import PROBLEMS
from couriers.models import BookingAttempt, FlagKind, ParcelCancel, Shipment
from couriers.models.asked import OPEN, AskedState, Asker, asker_columns
from couriers.models.audit import record
from couriers.models.call_audit import audited_call
from couriers.models.claims import back_off, bring_forward, claim, due, seconds_from_now, unclaimed
from couriers.models.fields import MAX_ERROR_TEXT
from couriers.models.flag import clear_flags
from couriers.models.transactions import refuse_open_transaction

log = get_logger(__name__)

CANCELLED = "cancel_earlier_parcel"  # the action of the audit entry
CLEARED_BY_CANCEL = "The earlier courier's parcel was cancelled."


def cancel_parcel(attempt_id: int, *, by: Asker, reason: str = "") -> ParcelCancel:
    """Cancel the parcel of an attempt that is over, with its courier; return how it ended.

    While a cancellation is open it is returned without a call, and so is the one that was done.
    Raises ActionNotAllowed where there is no such parcel or its courier does not take the
    cancellation now, NotSupported, and the courier's errors, which the row has, too. Raises
    InsideTransaction if a transaction is open.
    """
    refuse_open_transaction(CANCELLED)
    with transaction.atomic():
        shipment, attempt = _lock(attempt_id)
        found = attempt.cancels.filter(state__in=(*OPEN, AskedState.DONE)).first()
        if found is not None:
            return found
        adapter = CourierFactory.get_adapter(attempt.account)
        status = _check(adapter, attempt, shipment)
        row = ParcelCancel.objects.create(
            attempt=attempt,
            lease_expires_at=seconds_from_now(tunables().ACTION_LEASE),
            **asker_columns(by),
        )
        details = {
            "courier": attempt.courier_id,
            "tracking_id": attempt.tracking_id,
            "attempt": attempt.number,
        }
        record(shipment, CANCELLED, actor=by.user, reason=reason, details=details)
    return _call(row, attempt, shipment, adapter, status)


def expire_cancels() -> int:
    """End the cancellations whose process died before the answer as unknown; return how many."""
    expired = ParcelCancel.objects.filter(state=AskedState.REQUESTED, lease_expires_at__lte=Now())
    return expired.update(
        state=AskedState.UNKNOWN,
        outcome=ActionOutcome.UNKNOWN.value,
        ended_at=timezone.now(),
        lease_expires_at=None,
    )


def due_cancels() -> QuerySet[ParcelCancel]:
    """The accepted cancellations that are to be asked about now."""
    accepted = ParcelCancel.objects.filter(state=AskedState.ACCEPTED)
    return accepted.filter(due(), unclaimed()).order_by("next_attempt_at")


def ask_about_cancels(limit: int = 100) -> int:
    """Find out how due cancellations ended, at most so many; return how many were asked about."""
    bring_forward(ParcelCancel.objects.filter(state=AskedState.ACCEPTED), PAUSES.longest)
    ids = list(due_cancels().values_list("pk", flat=True)[:limit])
    return sum(ask_about_cancel(pk) for pk in ids)


def ask_about_cancel(cancel_id: int) -> bool:
    """Find out how a due cancellation ended; return whether it was claimed to be asked about."""
    claimed = claim(
        due_cancels().filter(pk=cancel_id),
        limit=1,
        lease_expires_at=seconds_from_now(LEASE),
        asks=F("asks") + 1,
    )
    if not claimed:
        return False
    row = claimed[0]
    attempt = BookingAttempt.objects.select_related("account").get(pk=row.attempt_id)
    try:
        if attempt.cancelled_at is not None:
            _end(row, ActionOutcome.DONE, "")
            return True
        if (status := _ask(row, attempt)) is not None:
            _finish(row, status, "")
            return True
    except Rejected as error:
        _end(row, ActionOutcome.REJECTED, error.courier_message or error.message)
        return True
    except CourierError as error:
        log.info("parcel_cancel_not_asked_about", cancel=row.pk, error=str(error))
    except Exception as error:  # noqa: BLE001 - a plug-in may raise anything
        log.error("parcel_cancel_not_asked_about", cancel=row.pk, error=type(error).__name__)
    _wait_or_give_up(row)
    return True


def _lock(attempt_id: int) -> tuple[Shipment, BookingAttempt]:
    """Lock the shipment, then the attempt."""
    shipment_id = BookingAttempt.objects.values_list("shipment_id", flat=True).get(pk=attempt_id)
    shipment = Shipment.objects.select_for_update(of=("self",)).get(pk=shipment_id)
    attempts = BookingAttempt.objects.select_for_update(of=("self",)).select_related("account")
    return shipment, attempts.get(pk=attempt_id)


def _check(adapter: BaseCourierAdapter, attempt: BookingAttempt, shipment: Shipment) -> Status:
    """Return the parcel's status as it is known. Raises what `cancel_parcel` raises."""
    direction = Direction(shipment.direction)
    operation = capability_of(ActionKind.CANCEL, direction).value
    if not is_offered(adapter, ActionKind.CANCEL, direction):
        raise NotSupported(
            f"{adapter.name} does not offer {operation}: ask the courier",
            courier=adapter.code,
            operation=operation,
        )
    rule = rule_for(adapter, ActionKind.CANCEL, direction)
    status = Status(attempt.parcel_status or Status.BOOKED)
    if attempt.has_open_parcel and rule is not None and status in rule.statuses:
        return status
    name, title = PROBLEMS[ActionKind.CANCEL]
    known = status.label.lower() if attempt.has_open_parcel else "not there, or cancelled"
    raise ActionNotAllowed(name, title, f"The earlier courier's parcel is {known}.")


def _call(
    row: ParcelCancel,
    attempt: BookingAttempt,
    shipment: Shipment,
    adapter: BaseCourierAdapter,
    status: Status,
) -> ParcelCancel:
    """Make the call, audit it, and settle the row by its answer; return the row."""
    operation = capability_of(ActionKind.CANCEL, Direction(shipment.direction))
    try:
        with audited_call(attempt.account, operation.value, shipment):
            result: ActionResult = call_adapter(
                adapter, operation, attempt.tracking_id, status=status
            )
    except (InvalidRequest, NotSupported):  # refused before the call
        row.delete()
        raise
    except CourierError as error:
        log.info("parcel_not_cancelled", cancel=row.pk, error=str(error))
        _end(row, ActionOutcome(error.outcome), error.courier_message)
        raise
    except Exception as error:
        _end(row, ActionOutcome(plugin_fault(error, adapter.code).outcome), "")
        raise
    if result.state == ActionState.ACCEPTED:
        row.state, row.outcome = AskedState.ACCEPTED, ActionOutcome.ACCEPTED.value
        row.handle = make_storable(result.handle)[:200]
        row.words = _words(result.remark)
        row.answered_at, row.lease_expires_at = timezone.now(), None
        row.ended_at = None
        row.next_attempt_at = seconds_from_now(back_off(1, PAUSES))
        row.save()
        row.refresh_from_db()
        return row
    return _finish(row, result.status or Status.CANCELLED, result.remark)


def _ask(row: ParcelCancel, attempt: BookingAttempt) -> Status | None:
    """Ask the courier whether the parcel is cancelled; return its status then, None if not yet."""
    adapter = CourierFactory.get_adapter(attempt.account)
    if row.handle and adapter.supports(Capability.OUTCOME_OF):
        result: ActionResult = call_adapter(adapter, Capability.OUTCOME_OF, row.handle)
        return (result.status or Status.CANCELLED) if result.state == ActionState.DONE else None
    if not adapter.supports(Capability.TRACK_SHIPMENT):
        return None
    tracking: Tracking = call_adapter(adapter, Capability.TRACK_SHIPMENT, attempt.tracking_id)
    known = [scan for scan in tracking.scans if scan.mapped.status is not None]
    last = max(known, key=lambda scan: scan.at, default=None)
    status = last.mapped.status if last else None
    return status if status == Status.CANCELLED or status in RTO else None


def _finish(row: ParcelCancel, status: Status, words: str) -> ParcelCancel:
    """Write that the parcel is cancelled, or travels back, and clear its flag."""
    with transaction.atomic():
        shipment, attempt = _lock(row.attempt_id)
        now = timezone.now()
        attempt.parcel_status, attempt.parcel_status_at = status, now
        attempt.cancelled_at = attempt.cancelled_at or now
        attempt.save(update_fields=["parcel_status", "parcel_status_at", "cancelled_at"])
        clear_flags(
            [shipment],
            FlagKind.EARLIER_COURIER,
            tracking_id=attempt.tracking_id,
            reason=CLEARED_BY_CANCEL,
            cleared_by=row.asked_by,
        )
        return _end(row, ActionOutcome.DONE, words)


def _end(row: ParcelCancel, outcome: ActionOutcome, words: str) -> ParcelCancel:
    row.state, row.outcome = STATES[outcome], outcome.value
    row.words = _words(words) or row.words
    row.ended_at = timezone.now()
    row.answered_at = row.answered_at or row.ended_at
    row.lease_expires_at = row.next_attempt_at = None
    row.save(
        update_fields=[
            "state", "outcome", "words", "ended_at", "answered_at", "lease_expires_at",
            "next_attempt_at",
        ]
    )  # fmt: skip
    return row


def _wait_or_give_up(row: ParcelCancel) -> None:
    limit = dt.timedelta(days=tunables().ACTION_LIMIT_DAYS)
    if timezone.now() > row.asked_at + limit:
        _end(row, ActionOutcome.UNKNOWN, "")
        return
    ParcelCancel.objects.filter(pk=row.pk).update(
        next_attempt_at=seconds_from_now(back_off(row.asks + 2, PAUSES)), lease_expires_at=None
    )


def _words(text: str) -> str:
    return make_storable(mask_text(text))[:MAX_ERROR_TEXT]
