"""Does one item of an operator's job: asks the courier, and writes how that ended.

An item asks once. A worker that died may have asked already: then the action's own row tells, and
nobody asks again. Only a call that certainly did nothing is repeated, until the operator's patience
is over.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from django.db.models import QuerySet
from django.utils import timezone

from couriers.conf import tunables
from couriers.contract.action_rules import rule_for
from couriers.contract.actions import ActionKind
from couriers.contract.errors import (
    CircuitOpen,
    CourierError,
    NotDone,
    NotSent,
    RateLimited,
    Rejected,
)
from couriers.contract.logs import get_logger
from couriers.contract.masking import mask_text
from couriers.contract.platform_errors import (
    ActionOpen,
    ChangedSince,
    PlatformError,
)
from couriers.contract.registry import CourierFactory
from couriers.contract.signals import ActionOutcome
from couriers.contract.text import make_storable
from couriers.contract.types import Direction
from couriers.fulfilment import actions
from couriers.fulfilment.changes import last_change
from couriers.models import OperatorJob, OperatorJobItem, Shipment, ShipmentAction
from couriers.models.asked import AskedState, Asker
from couriers.models.claims import DoublingPauses, back_off, seconds_from_now
from couriers.models.fields import MAX_ERROR_TEXT
from couriers.models.operator_job import ItemOutcome, OperatorAct
from couriers.resilience.database import is_outage

log = get_logger(__name__)

PAUSES = DoublingPauses(first=15.0, longest=300.0)  # seconds between two tries of an item
AWAITED = "The courier has been asked, and its answer is awaited."
FAULT = "A fault of the platform, which is in its log."
_NOTHING_DONE = (ActionOutcome.NOT_SENT.value, ActionOutcome.NOT_DONE.value)
_OUTCOMES: Mapping[str, ItemOutcome] = {
    AskedState.DONE: ItemOutcome.DONE,
    AskedState.ACCEPTED: ItemOutcome.ACCEPTED,
    AskedState.REFUSED: ItemOutcome.REFUSED,
    AskedState.UNKNOWN: ItemOutcome.UNKNOWN,
}


def do(item: OperatorJobItem, *, worker_died: bool) -> bool:
    """Do a claimed item; return whether the courier held it back.

    `worker_died` says that an earlier worker had claimed it. Raises InsideTransaction in a
    transaction, and an error of the database if it cannot serve.
    """
    shipment = Shipment.objects.select_related("account", "warehouse").get(pk=item.shipment_id)
    try:
        _do(item, shipment, worker_died)
    except (PlatformError, Rejected) as error:
        _refuse(item, shipment, error)
    except CourierError as error:
        if isinstance(error, (NotSent, NotDone)) or item.job.act == OperatorAct.TRACK:
            return _put_off(item, error)
        _end(item, ItemOutcome.UNKNOWN, f"{_reason(error)}. Ask the courier before you go on.")
    except Exception as error:
        if is_outage(error):
            raise
        log.exception("operator_item_failed", job=item.job_id, shipment=item.shipment_id)
        _end(item, ItemOutcome.UNKNOWN, FAULT)
    return False


def _do(item: OperatorJobItem, shipment: Shipment, worker_died: bool) -> None:
    if worker_died and (found := _own_action(item)) is not None:
        _end_as(item, found)
    elif item.job.act == OperatorAct.TRACK:
        tracked = actions.refresh_tracking(shipment)
        _end(item, ItemOutcome.DONE, f"It is {tracked.get_status_display().lower()}.")
    else:
        _end_as(item, _ask(item.job, item, shipment))


def _refuse(item: OperatorJobItem, shipment: Shipment, error: Exception) -> None:
    if isinstance(error, ChangedSince):
        _end(item, ItemOutcome.CHANGED, last_change(shipment))
    elif isinstance(error, ActionOpen):
        _end(item, ItemOutcome.REFUSED, f"Another action is under way. {last_change(shipment)}")
    else:
        _end(item, ItemOutcome.REFUSED, _reason(error))


def _ask(job: OperatorJob, item: OperatorJobItem, shipment: Shipment) -> ShipmentAction:
    by = Asker(user=job.actor, seen=item.seen)
    asked = dict(job.asked)
    if job.act == OperatorAct.CANCEL:
        return actions.cancel(shipment, by=by)
    if job.act == OperatorAct.RTO:
        return actions.request_rto(shipment, asked.get("remark", ""), by=by)
    day, asked = _as_taken(job, shipment, asked)
    if job.act == OperatorAct.REATTEMPT:
        return actions.request_reattempt(shipment, day, asked.get("instructions", ""), by=by)
    if job.act == OperatorAct.ADDRESS:
        return actions.change_address(shipment, day, **asked, by=by)
    return actions.set_dispatch_date(shipment, day, job.slot, by=by)


def _as_taken(
    job: OperatorJob, shipment: Shipment, asked: dict[str, str]
) -> tuple[dt.date | None, dict[str, str]]:
    """Return the day and the texts for this courier, which may choose the day itself.

    Instructions are for those couriers that take some. The form says so.
    """
    adapter = CourierFactory.adapter_class(shipment.courier_id)
    rule = rule_for(adapter, ActionKind(job.act), Direction(shipment.direction))
    if rule is None:
        return job.day, asked
    if "instructions" not in rule.fields:
        asked.pop("instructions", None)
    return job.day if rule.days is not None else None, asked


def _own_action(item: OperatorJobItem) -> ShipmentAction | None:
    """Return the action that an earlier worker of the item asked for, if it may be done.

    It is of the job's actor and kind, and younger than the first claim.
    """
    if item.started_at is None or item.job.act == OperatorAct.TRACK:
        return None
    found = ShipmentAction.objects.filter(
        shipment=item.shipment_id,
        kind=item.job.act,
        asked_by=item.job.actor_id,
        asked_at__gte=item.started_at,
    )
    return found.exclude(outcome__in=_NOTHING_DONE).first()


def _end_as(item: OperatorJobItem, action: ShipmentAction) -> None:
    """End the item as its action did. One whose answer is still to come is looked at again."""
    if action.state == AskedState.REQUESTED:
        _pending(item).update(
            action=action, words=AWAITED, next_attempt_at=seconds_from_now(PAUSES.first)
        )  # The lease stays: so the next worker looks for this action again.
        return
    _end(item, _OUTCOMES[action.state], action.words, action)


def _put_off(item: OperatorJobItem, error: CourierError) -> bool:
    """Have the item tried again later, or give it up. Returns whether it was held back by us."""
    waited = (timezone.now() - item.job.created_at).total_seconds()
    held_back = isinstance(error, (RateLimited, CircuitOpen))
    tries = item.tries + 1
    if waited >= tunables().OPERATOR_PATIENCE:
        _end(item, ItemOutcome.GIVEN_UP, f"Nothing was done: {_reason(error)}.")
        return held_back
    pause = min(back_off(tries, PAUSES, error.retry_after), 2 * PAUSES.longest)
    _pending(item).update(
        tries=tries,
        words=_storable(_sentence(_reason(error))),
        lease_expires_at=None,
        next_attempt_at=seconds_from_now(pause),
    )
    return held_back


def _end(
    item: OperatorJobItem, outcome: ItemOutcome, words: str, action: ShipmentAction | None = None
) -> None:
    _pending(item).update(
        outcome=outcome,
        words=_storable(words),
        action=action,
        lease_expires_at=None,
        finished_at=timezone.now(),
    )


def _pending(item: OperatorJobItem) -> QuerySet[OperatorJobItem]:
    return OperatorJobItem.objects.filter(pk=item.pk, outcome=ItemOutcome.WAITING)


def _reason(error: Exception) -> str:
    return error.reason if isinstance(error, CourierError) else str(error)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def _storable(text: str) -> str:
    return make_storable(mask_text(text))[:MAX_ERROR_TEXT]
