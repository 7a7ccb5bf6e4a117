"""Pickups of a warehouse on a day, for couriers that are asked so.

A warehouse has one pickup for each courier and day. It is for every parcel there, so a second
request is answered with the first one.
"""

from __future__ import annotations

import datetime as dt

from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils import timezone

from couriers.conf import tunables
from couriers.contract.action_rules import rule_for
from couriers.contract.actions import (
    ActionKind,
    ActionResult,
    ActionState,
    PickupRequest,
    PickupScope,
)
from couriers.contract.adapter import BaseCourierAdapter, Capability
from couriers.contract.checked_calls import call_adapter
from couriers.contract.errors import (
    CourierError,
    FieldProblem,
    InvalidRequest,
    NotSupported,
    plugin_fault,
)
from couriers.contract.logs import get_logger
from couriers.contract.masking import mask_text
from couriers.contract.registry import CourierFactory
from couriers.contract.signals import ActionOutcome
from couriers.contract.text import make_storable
from couriers.contract.types import Direction
from couriers.fulfilment.asking import ASKED
from couriers.fulfilment.outcomes import STATES
from couriers.fulfilment.rules import check_given
from couriers.models import CourierAccount, Warehouse, WarehousePickup, WarehouseRegistration
from couriers.models.asked import PLATFORM, AskedState, Asker, asker_columns
from couriers.models.audit import record
from couriers.models.call_audit import audited_call
from couriers.models.claims import seconds_from_now
from couriers.models.fields import MAX_ERROR_TEXT
from couriers.models.pickup import HELD
from couriers.models.transactions import refuse_open_transaction

log = get_logger(__name__)

OPERATION = Capability.SCHEDULE_PICKUP.value


def request_pickup(
    account: CourierAccount,
    warehouse: Warehouse,
    day: dt.date,
    *,
    count: int,
    slot: str = "",
    by: Asker = PLATFORM,
) -> tuple[WarehousePickup, bool]:
    """Ask for a pickup of `count` parcels at a warehouse, on a day in India.

    Returns its row, and whether it is new: one that the day has already is returned without a call.
    Raises NotSupported where the courier's pickups are not a warehouse's, InvalidRequest for a day
    or a slot that it does not take and for a warehouse that it does not know yet, and the courier's
    errors.
    """
    refuse_open_transaction(OPERATION)
    adapter = CourierFactory.get_adapter(account)
    reference = _reference(account, warehouse)
    _check(adapter, day, slot, reference)
    held = WarehousePickup.objects.filter(
        account=account, warehouse=warehouse, day=day, state__in=HELD
    )
    if found := held.first():
        return found, False
    request = PickupRequest(warehouse.as_pickup(reference), day, slot=slot, count=count)
    try:
        with transaction.atomic():
            pickup = WarehousePickup.objects.create(
                account=account,
                warehouse=warehouse,
                day=day,
                slot=slot,
                count=count,
                lease_expires_at=seconds_from_now(tunables().ACTION_LEASE),
                **asker_columns(by),
            )
            if by.key_prefix:
                record(warehouse, "ask_pickup", details={"day": str(day), "count": count})
    except IntegrityError:  # another process was quicker
        return held.get(), False
    return _call(pickup, account, adapter, request), True


def expire_pickups() -> int:
    """End the pickups whose process died before the answer as unknown; return how many."""
    expired = WarehousePickup.objects.filter(
        state=AskedState.REQUESTED, lease_expires_at__lte=Now()
    )
    return expired.update(
        state=AskedState.UNKNOWN,
        outcome=ActionOutcome.UNKNOWN.value,
        ended_at=timezone.now(),
        lease_expires_at=None,
    )


def _check(adapter: BaseCourierAdapter, day: dt.date, slot: str, reference: str) -> None:
    rule = rule_for(adapter, ActionKind.PICKUP, Direction.FORWARD)
    is_offered = adapter.supports(Capability.SCHEDULE_PICKUP) and rule is not None
    if rule is None or not is_offered or adapter.pickup_scope != PickupScope.WAREHOUSE:
        raise NotSupported(f"{adapter.name} takes no pickup of a warehouse", courier=adapter.code)
    check_given(adapter, ActionKind.PICKUP, rule, day=day, slot=slot, texts={})
    if adapter.registers_warehouses and not reference:
        message = f"{adapter.name} does not know it yet: the first booking from it registers it"
        raise InvalidRequest([FieldProblem("warehouse", message)], courier=adapter.code)


def _reference(account: CourierAccount, warehouse: Warehouse) -> str:
    registrations = WarehouseRegistration.objects.filter(account=account, warehouse=warehouse)
    return registrations.values_list("reference", flat=True).first() or ""


def _call(
    pickup: WarehousePickup,
    account: CourierAccount,
    adapter: BaseCourierAdapter,
    request: PickupRequest,
) -> WarehousePickup:
    """Make the call, audit it, and settle the row by its answer; return the row."""
    try:
        with audited_call(account, OPERATION):
            result: ActionResult = call_adapter(adapter, Capability.SCHEDULE_PICKUP, request)
    except (InvalidRequest, NotSupported):  # refused before the call
        pickup.delete()
        raise
    except CourierError as error:
        log.info("pickup_failed", pickup=pickup.pk, error=str(error))
        _end(pickup, ActionOutcome(error.outcome), error.courier_message)
        raise
    except Exception as error:
        fault = plugin_fault(error, account.courier_id)
        _end(pickup, ActionOutcome(fault.outcome), "")
        raise
    pickup.handle = make_storable(result.handle)[:200]
    if result.state == ActionState.DONE:
        _end(pickup, ActionOutcome.DONE, result.remark)
    else:
        _write(pickup, AskedState.ACCEPTED, ActionOutcome.ACCEPTED, result.remark)
    return pickup


def _end(pickup: WarehousePickup, outcome: ActionOutcome, words: str) -> None:
    pickup.ended_at = timezone.now()
    _write(pickup, STATES[outcome], outcome, words)


def _write(pickup: WarehousePickup, state: AskedState, outcome: ActionOutcome, words: str) -> None:
    """Write how the call ended. An answer that comes after the lease still counts.

    Where the day has another pickup since, it stays unknown how this one ended.
    """
    pickup.state = state
    pickup.outcome = outcome.value
    pickup.words = make_storable(mask_text(words))[:MAX_ERROR_TEXT]
    pickup.answered_at = timezone.now()
    pickup.lease_expires_at = None
    try:
        with transaction.atomic():
            pickup.save()
    except IntegrityError:
        pickup.state = AskedState.UNKNOWN
        pickup.ended_at = pickup.answered_at
        pickup.save()
    ASKED.labels(pickup.account.courier_id, ActionKind.PICKUP.value, outcome.value).inc()
