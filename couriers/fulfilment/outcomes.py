"""How actions end: by the courier's answer, by asking later, or by the shipment's status.

An accepted action is asked about with growing pauses until it ends. After ACTION_LIMIT_DAYS it is
unknown how it ended, and an operator is told to ask the courier.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from couriers.conf import tunables
from couriers.contract import india
from couriers.contract.action_rules import capability_of
from couriers.contract.actions import ActionKind, ActionResult, ActionState
from couriers.contract.adapter import Capability
from couriers.contract.checked_calls import call_adapter
from couriers.contract.errors import (
    CourierError,
    CredentialsRefused,
    InvalidRequest,
    NotFound,
    NotSupported,
    Rejected,
)
from couriers.contract.logs import get_logger
from couriers.contract.masking import mask_text
from couriers.contract.registry import CourierFactory
from couriers.contract.signals import ActionOutcome
from couriers.contract.statuses import AWAITING_PICKUP, RTO, TERMINAL, Status
from couriers.contract.text import make_storable
from couriers.contract.types import Direction
from couriers.models import FlagKind, Shipment, ShipmentAction
from couriers.models.announcements import action_ended
from couriers.models.asked import OPEN, AskedState
from couriers.models.claims import (
    DoublingPauses,
    back_off,
    bring_forward,
    claim,
    due,
    seconds_from_now,
    unclaimed,
)
from couriers.models.fields import MAX_ERROR_TEXT, readable_or
from couriers.models.flag import clear_flags, raise_flag
from couriers.models.phones import stored_phone_hash
from couriers.tracking.events import mark_cancelled, mark_rto

log = get_logger(__name__)

# Seconds until an accepted action is asked about, doubled each time.
PAUSES = DoublingPauses(first=60.0, longest=4 * 3600.0)
LEASE = 120.0  # seconds for which a worker holds an action that it asks about
# What the courier answers so says nothing of the action.
_NO_ANSWER = (NotFound, CredentialsRefused, NotSupported, InvalidRequest)
# The state of what ended so.
STATES: Mapping[ActionOutcome, AskedState] = {
    ActionOutcome.DONE: AskedState.DONE,
    ActionOutcome.NOT_SENT: AskedState.REFUSED,
    ActionOutcome.NOT_DONE: AskedState.REFUSED,
    ActionOutcome.REJECTED: AskedState.REFUSED,
    ActionOutcome.UNKNOWN: AskedState.UNKNOWN,
}
# The consignee's columns that an address change writes.
_COLUMNS = {"phone": "consignee_phone", "address": "consignee_address", "name": "consignee_name"}
_OUT_FOR_DELIVERY = frozenset({Status.OUT_FOR_DELIVERY, Status.DELIVERED})


def settle(
    action: ShipmentAction, result: ActionResult, *, asked_about: Shipment
) -> ShipmentAction:
    """Write the courier's answer to an action and what follows from it; return the row.

    `asked_about` is the shipment with the tracking id that the courier was asked about. An answer
    that comes after the lease still counts.
    """
    with transaction.atomic():
        shipment, row = _lock(action)
        if row.state not in (*OPEN, AskedState.UNKNOWN):
            return row
        if row.kind == ActionKind.ADDRESS and row.state != AskedState.ACCEPTED:
            _store_address(shipment, row)
        if result.state == ActionState.ACCEPTED:
            _accept(shipment, row, result)
        else:
            _follow(shipment, row, result, asked_about)
            _end(shipment, row, ActionOutcome.DONE, result.remark)
    return row


def end(action: ShipmentAction, outcome: ActionOutcome, *, words: str = "") -> ShipmentAction:
    """Write that an open action has ended so, and announce it; return the row."""
    with transaction.atomic():
        shipment, row = _lock(action)
        if row.is_open or (row.state == AskedState.UNKNOWN and outcome != ActionOutcome.UNKNOWN):
            _end(shipment, row, outcome, words)
    return row


def end_by_status(action: ShipmentAction, shipment: Shipment) -> bool:
    """End an accepted action that the shipment's status shows to be over; return whether it did.

    Call with the shipment's row locked.
    """
    if action.state != AskedState.ACCEPTED:
        return False
    outcome = _outcome_by_status(action, shipment)
    if outcome is not None:
        _end(shipment, action, outcome, "")
    return outcome is not None


def expire_requests() -> int:
    """End the actions whose process died before the answer as unknown; return how many."""
    expired = ShipmentAction.objects.filter(state=AskedState.REQUESTED, lease_expires_at__lte=Now())
    ids = list(expired.order_by("pk").values_list("pk", flat=True)[:1000])
    for pk in ids:
        with transaction.atomic():
            shipment, row = _lock(ShipmentAction(pk=pk))
            if row.state == AskedState.REQUESTED:
                _give_up(shipment, row)
    return len(ids)


def due_actions() -> QuerySet[ShipmentAction]:
    """The accepted actions that are to be asked about now."""
    accepted = ShipmentAction.objects.filter(state=AskedState.ACCEPTED)
    return accepted.filter(due(), unclaimed()).order_by("next_attempt_at")


def bring_forward_late_actions() -> None:
    """Make due the actions that a clock which was set back since keeps waiting."""
    bring_forward(ShipmentAction.objects.filter(state=AskedState.ACCEPTED), PAUSES.longest)


def ask_about(action_id: str) -> bool:
    """Find out how a due action ended; return whether it has ended. Makes a call where it can."""
    claimed = claim(
        due_actions().filter(pk=action_id),
        limit=1,
        lease_expires_at=seconds_from_now(LEASE),
        asks=F("asks") + 1,
    )
    if not claimed:
        return False
    action = claimed[0]
    shipment = Shipment.objects.select_related("account").get(pk=action.shipment_id)
    retry_after = None
    try:
        if _is_answered(action, shipment) or _ends_by_status(action):
            return True
    except CourierError as error:
        retry_after = error.retry_after
        log.info("action_not_asked_about", action=action.pk, error=str(error))
    except Exception as error:  # noqa: BLE001 - a plug-in may raise anything
        log.error("action_not_asked_about", action=action.pk, error=type(error).__name__)
    return _wait_or_give_up(action, retry_after)


def _is_answered(action: ShipmentAction, shipment: Shipment) -> bool:
    """Ask the courier where it can be asked; return whether the action has ended."""
    adapter = CourierFactory.get_adapter(shipment.account)
    if not (action.handle and adapter.supports(Capability.OUTCOME_OF)):
        return False
    try:
        result: ActionResult = call_adapter(adapter, Capability.OUTCOME_OF, action.handle)
    except _NO_ANSWER:
        raise
    except Rejected as error:
        end(action, ActionOutcome.REJECTED, words=error.courier_message or error.message)
        return True
    if result.state == ActionState.DONE:
        settle(action, result, asked_about=shipment)
    return result.state == ActionState.DONE


def _ends_by_status(action: ShipmentAction) -> bool:
    with transaction.atomic():
        shipment, row = _lock(action)
        return end_by_status(row, shipment)


def _wait_or_give_up(action: ShipmentAction, retry_after: float | None) -> bool:
    with transaction.atomic():
        shipment, row = _lock(action)
        if row.state != AskedState.ACCEPTED:
            return True
        if _is_past_limit(row):
            _give_up(shipment, row)
            return True
        row.next_attempt_at = seconds_from_now(back_off(row.asks + 1, PAUSES, retry_after))
        row.lease_expires_at = None
        row.save(update_fields=["next_attempt_at", "lease_expires_at"])
    return False


def _is_past_limit(action: ShipmentAction) -> bool:
    since = action.asked_at.astimezone(india.IST).date()
    last = max(since, action.day or since) + dt.timedelta(days=tunables().ACTION_LIMIT_DAYS)
    return india.today() > last


def _lock(action: ShipmentAction) -> tuple[Shipment, ShipmentAction]:
    """Lock the shipment, then the action, as everybody does."""
    shipment_id = ShipmentAction.objects.values_list("shipment_id", flat=True).get(pk=action.pk)
    shipment = Shipment.objects.select_for_update(of=("self",)).get(pk=shipment_id)
    return shipment, ShipmentAction.objects.select_for_update().get(pk=action.pk)


def _accept(shipment: Shipment, action: ShipmentAction, result: ActionResult) -> None:
    """Write that the courier has taken the action on. An answer of an unknown one reopens it.

    Where another action was opened since, its handle is kept, and it stays unknown.
    """
    action.handle = make_storable(result.handle)[:200]
    action.words = _words(result.remark)
    action.answered_at = timezone.now()
    others = shipment.actions.filter(state__in=OPEN).exclude(pk=action.pk)
    if action.state == AskedState.UNKNOWN and others.exists():
        action.save()
        return
    _forget_unknown(shipment, action)
    action.state = AskedState.ACCEPTED
    action.outcome = ActionOutcome.ACCEPTED.value
    action.ended_at = action.lease_expires_at = None
    action.next_attempt_at = seconds_from_now(back_off(1, PAUSES))
    action.save()
    action.refresh_from_db(fields=["next_attempt_at"])
    action_ended(shipment, _operation(shipment, action), ActionOutcome.ACCEPTED, action.handle)


def _end(shipment: Shipment, action: ShipmentAction, outcome: ActionOutcome, words: str) -> None:
    _forget_unknown(shipment, action)
    action.state = STATES[outcome]
    action.outcome = outcome.value
    action.words = _words(words) or action.words
    action.ended_at = timezone.now()
    action.answered_at = action.answered_at or action.ended_at
    action.lease_expires_at = action.next_attempt_at = None
    action.save()
    action_ended(shipment, _operation(shipment, action), outcome, action.handle)


def _give_up(shipment: Shipment, action: ShipmentAction) -> None:
    """End the action as unknown, and tell operators."""
    _end(shipment, action, ActionOutcome.UNKNOWN, "")
    raise_flag(shipment, FlagKind.ACTION_UNKNOWN)


def _forget_unknown(shipment: Shipment, action: ShipmentAction) -> None:
    if action.state == AskedState.UNKNOWN:
        clear_flags([shipment], FlagKind.ACTION_UNKNOWN, reason="The courier's answer came.")


def _operation(shipment: Shipment, action: ShipmentAction) -> str:
    return capability_of(ActionKind(action.kind), Direction(shipment.direction)).value


def _words(text: str) -> str:
    return make_storable(mask_text(text))[:MAX_ERROR_TEXT]


def _follow(
    shipment: Shipment, action: ShipmentAction, result: ActionResult, asked_about: Shipment
) -> None:
    """Give the shipment the status that the courier says follows a cancellation or an RTO.

    A cancellation that names none ends a parcel that was not picked up yet. Any other travels back
    or goes on, which its scans will tell: its order is not free.
    """
    status = result.status
    if action.kind == ActionKind.CANCEL:
        if status is None and shipment.status in AWAITING_PICKUP:
            status = Status.CANCELLED
        if status == Status.CANCELLED or status in RTO:
            mark_cancelled(asked_about, status)
    elif action.kind == ActionKind.RTO and status in RTO:
        mark_rto(asked_about, status)
    action.status_after = status or ""


def _store_address(shipment: Shipment, action: ShipmentAction) -> None:
    """Store the consignee's new data, which the courier has taken.

    The consignee may have been erased during the call, and a late answer may come after that to a
    later change.
    """
    if shipment.actions.filter(kind=ActionKind.ADDRESS, pk__gt=action.pk).exists():
        return
    asked = readable_or(action, "asked", {})
    changes = {column: asked[name] for name, column in _COLUMNS.items() if asked.get(name)}
    if phone := asked.get("phone"):
        changes["phone_hash"] = stored_phone_hash(phone)
    if asked.get("address"):
        changes["consignee_landmark"] = None  # it is near the former address
    if changes:
        Shipment.objects.filter(pk=shipment.pk, erased_at__isnull=True).update(
            **changes, updated_at=timezone.now()
        )


def _outcome_by_status(action: ShipmentAction, shipment: Shipment) -> ActionOutcome | None:
    """Return how an action ended by the shipment's status and scans, None if they do not tell."""
    status = Status(shipment.status)
    if action.kind == ActionKind.PICKUP:
        done = status not in AWAITING_PICKUP and status not in (
            Status.CANCELLED, Status.NOT_SERVICEABLE,
        )  # fmt: skip
        done, over = done or status == Status.OUT_FOR_PICKUP, status in TERMINAL
    elif action.kind in (ActionKind.CANCEL, ActionKind.RTO):
        done, over = status in RTO, status in TERMINAL
        if action.kind == ActionKind.CANCEL:
            done = done or status == Status.CANCELLED
    else:
        tried = shipment.scans.filter(at__gt=action.asked_at, status__in=_OUT_FOR_DELIVERY)
        done = status in _OUT_FOR_DELIVERY or tried.exists()
        over = status in TERMINAL or status in RTO
    if done:
        return ActionOutcome.DONE
    return ActionOutcome.REJECTED if over else None
