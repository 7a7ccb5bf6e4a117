"""Asking a courier for an action: one row a request, and one open action a shipment.

The row is committed before the call, with a lease, and is settled by the answer. A process that
dies between the two leaves a row whose lease runs out: then it is not known how the action ended.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from django.db import transaction
from django.utils import timezone
from prometheus_client import Counter

from couriers.conf import tunables
from couriers.contract.action_rules import capability_of
from couriers.contract.actions import ActionKind, ActionResult
from couriers.contract.adapter import BaseCourierAdapter
from couriers.contract.errors import CourierError, InvalidRequest, NotSupported, plugin_fault
from couriers.contract.logs import get_logger
from couriers.contract.platform_errors import ActionOpen
from couriers.contract.registry import CourierFactory
from couriers.contract.signals import ActionOutcome
from couriers.contract.statuses import RTO, Status
from couriers.contract.types import Direction
from couriers.fulfilment.outcomes import end, end_by_status, settle
from couriers.fulfilment.rules import check_action, check_given
from couriers.models import Shipment, ShipmentAction
from couriers.models.asked import OPEN, PLATFORM, AskedState, Asker, asker_columns
from couriers.models.audit import record
from couriers.models.call_audit import audited_call
from couriers.models.claims import seconds_from_now
from couriers.models.fields import readable_or
from couriers.models.seen import refuse_changed
from couriers.models.transactions import refuse_open_transaction

log = get_logger(__name__)

ASKED = Counter(
    "shipcrowd_actions_asked", "Actions asked of couriers", ["courier", "kind", "outcome"]
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """An action that somebody asks for.

    `texts` are what the courier is told besides, by name.
    """

    kind: ActionKind
    day: dt.date | None = None
    slot: str = ""
    texts: Mapping[str, str] = field(default_factory=dict)
    by: Asker = PLATFORM


Call = Callable[[], ActionResult]
# Returns the call for a shipment, which is as it was when the row was written. What it raises is
# raised before the row is written.
Prepare = Callable[[BaseCourierAdapter, Shipment], Call]


def ask(shipment: Shipment, wanted: Wanted, prepare: Prepare) -> ShipmentAction:
    """Ask the shipment's courier for an action; return its row.

    The same request is answered with its open action, and a cancellation with the one that was
    done. Raises ChangedSince where the shipment is not as the person saw it who asks, ActionOpen
    while another action is open, what `check_action` and `check_given`
    raise, and the courier's errors, which the row has, too. A call that was refused before it was
    sent (InvalidRequest, NotSupported) leaves no row. Raises InsideTransaction in a transaction.
    """
    adapter = CourierFactory.get_adapter(shipment.account)
    operation = capability_of(wanted.kind, Direction(shipment.direction)).value
    refuse_open_transaction(operation)
    with transaction.atomic():
        locked = (
            Shipment.objects.select_for_update(of=("self",))
            .select_related("account", "warehouse")
            .get(pk=shipment.pk)
        )
        refuse_changed(locked, wanted.by.seen)
        if found := _open_action(locked, wanted) or _done_cancel(locked, wanted):
            return found
        rule = check_action(adapter, locked, wanted.kind)
        check_given(
            adapter, wanted.kind, rule, day=wanted.day, slot=wanted.slot, texts=wanted.texts
        )
        call = prepare(adapter, locked)
        action = _create(locked, wanted)
    return _call(action, locked, operation, call)


def _open_action(shipment: Shipment, wanted: Wanted) -> ShipmentAction | None:
    """Return the open action if it is the wanted one, None without one. Else raises ActionOpen."""
    found = shipment.actions.filter(state__in=OPEN).first()
    if found is None or end_by_status(found, shipment):
        return None
    if _is_same(found, wanted):
        return found
    raise ActionOpen(shipment.pk, found.pk, found.kind, found.state)


def _is_same(action: ShipmentAction, wanted: Wanted) -> bool:
    asked = readable_or(action, "asked", None)
    return (action.kind, action.day, action.slot, asked) == (
        wanted.kind, wanted.day, wanted.slot, dict(wanted.texts),
    )  # fmt: skip


def _done_cancel(shipment: Shipment, wanted: Wanted) -> ShipmentAction | None:
    """Return the cancellation of a shipment that is cancelled already, or travels back by it.

    A shipment that the courier cancelled by itself gets a row that is done without a call.
    """
    if wanted.kind != ActionKind.CANCEL or shipment.status not in {Status.CANCELLED, *RTO}:
        return None
    done = shipment.actions.filter(kind=ActionKind.CANCEL, state=AskedState.DONE).first()
    if done is not None or shipment.status != Status.CANCELLED:
        return done
    now = timezone.now()
    return ShipmentAction.objects.create(
        shipment=shipment,
        kind=ActionKind.CANCEL,
        state=AskedState.DONE,
        outcome=ActionOutcome.DONE.value,
        words="already cancelled",
        status_after=Status.CANCELLED,
        answered_at=now,
        ended_at=now,
        **asker_columns(wanted.by),
    )


def _create(shipment: Shipment, wanted: Wanted) -> ShipmentAction:
    if wanted.by.key_prefix:  # what staff ask is recorded by the page, with the reason
        day = {"day": str(wanted.day)} if wanted.day else {}
        record(shipment, "ask_action", details={"kind": wanted.kind.value, **day})
    return ShipmentAction.objects.create(
        shipment=shipment,
        kind=wanted.kind,
        day=wanted.day,
        slot=wanted.slot,
        asked=dict(wanted.texts),
        lease_expires_at=seconds_from_now(tunables().ACTION_LEASE),
        **asker_columns(wanted.by),
    )


def _call(action: ShipmentAction, shipment: Shipment, operation: str, call: Call) -> ShipmentAction:
    """Make the call, audit it, and settle the row by its answer; return the row."""
    try:
        with audited_call(shipment.account, operation, shipment):
            result = call()
    except (InvalidRequest, NotSupported):  # refused before the call
        action.delete()
        raise
    except CourierError as error:
        log.info("action_failed", action=operation, shipment=shipment.pk, error=str(error))
        _fail(action, shipment, error)
        raise
    except Exception as error:
        _fail(action, shipment, plugin_fault(error, shipment.courier_id))
        raise
    ASKED.labels(shipment.courier_id, action.kind, result.state.value).inc()
    return settle(action, result, asked_about=shipment)


def _fail(action: ShipmentAction, shipment: Shipment, error: CourierError) -> None:
    ASKED.labels(shipment.courier_id, action.kind, error.outcome).inc()
    end(action, ActionOutcome(error.outcome), words=error.courier_message)
