"""The first commit of a booking: the order's key, its shipment and the call about to be made."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import partial

from django.db import transaction
from django.utils import timezone

from couriers.booking import reserved_ids
from couriers.booking.permission import check_again
from couriers.booking.preparation import Prepared
from couriers.booking.replay import BookingKey, Earlier
from couriers.booking.returned_goods import refuse_excess
from couriers.booking.steps import Step, signal_step
from couriers.conf import tunables
from couriers.contract.errors import NoReservedId
from couriers.contract.platform_errors import BookingInFlight
from couriers.contract.registry import CourierFactory
from couriers.contract.statuses import Status
from couriers.contract.types import Direction
from couriers.models import CourierAccount, CourierCall, IdempotencyKey, Shipment
from couriers.models.announcements import status_changed
from couriers.models.claims import seconds_from_now
from couriers.resilience import deadline
from couriers.resilience.deadline import Deadline

# Attempts with the same values in these fields are of one order, and of one order to a courier.
SAME_ORDER_FIELDS = ("direction", "order_number")
SAME_COURIER_FIELDS = ("account_id", "courier_id")


@dataclass(frozen=True, slots=True)
class Reserved:
    """A booking whose first commit is made. Its request is sent before `send_before`."""

    prepared: Prepared
    call: CourierCall
    send_before: Deadline


def reserve(earlier: Earlier, prepared: Prepared, fingerprints: dict[str, str]) -> Reserved:
    """Make the first commit. Where no reserved number is left, fetch a batch and try once more."""
    make = (
        partial(_reserve_again, earlier.failed)
        if earlier.failed
        else partial(_reserve_first, earlier.key)
    )
    try:
        return make(prepared, fingerprints, send_before(prepared.account))
    except NoReservedId:
        reserved_ids.fetch(prepared.account)
        return make(prepared, fingerprints, send_before(prepared.account))


def send_before(account: CourierAccount) -> Deadline:
    """Return the deadline of a create call that is reserved after this: its lease ends later."""
    adapter = CourierFactory.get_adapter(account)
    return deadline.after(tunables().BOOKING_LEASE - adapter.max_create_seconds())


def _reserve_first(
    key: BookingKey, prepared: Prepared, fingerprints: dict[str, str], send_before: Deadline
) -> Reserved:
    """Make the first commit: the key, the shipment and the pending call."""
    shipment = prepared.shipment
    start_attempt(shipment)
    call = new_call(shipment)
    with transaction.atomic():
        check_again(prepared.permitted, prepared.account, shipment.order_number)
        refuse_excess(shipment)
        IdempotencyKey.objects.create(
            company_id=key.company_id,
            scope=key.scope,
            key=key.key,
            is_test=key.is_test,
            fingerprints=fingerprints,
            shipment_id=shipment.pk,
        )
        shipment.save(force_insert=True)
        call.save(force_insert=True)
        prepared = identify(prepared)
        signal_step(Step.RESERVING, shipment.pk)
    signal_step(Step.RESERVED, shipment.pk)
    return Reserved(prepared, call, send_before)


def _reserve_again(
    earlier: IdempotencyKey,
    prepared: Prepared,
    fingerprints: dict[str, str],
    send_before: Deadline,
) -> Reserved:
    """Make the first commit for a key whose last attempt has failed, with the same shipment.

    If the key is now used for another order, it gets another shipment.
    """
    shipment = prepared.shipment
    with transaction.atomic():
        check_again(prepared.permitted, prepared.account, shipment.order_number)
        last = Shipment.objects.select_for_update().get(pk=earlier.shipment_id)
        if last.status != Status.FAILED:
            raise BookingInFlight(last.pk, retry_after=1)
        # The courier may still confirm the last attempt, and its event names the order. So the row
        # is used again only for the same order, with the same courier or where rules choose it.
        chosen = shipment.choice is not None and last.choice is not None
        compared = SAME_ORDER_FIELDS if chosen else (*SAME_ORDER_FIELDS, *SAME_COURIER_FIELDS)
        same = all(getattr(shipment, name) == getattr(last, name) for name in compared)
        if same:
            shipment.pk = last.pk
            shipment.attempt = last.attempt + 1
            shipment.created_at = last.created_at
        refuse_excess(shipment)
        start_attempt(shipment)
        call = new_call(shipment)
        # While this request waited for the row, another one may have given the key a new shipment.
        if not IdempotencyKey.objects.filter(pk=earlier.pk, shipment_id=last.pk).update(
            fingerprints=fingerprints, shipment_id=shipment.pk, created_at=timezone.now()
        ):
            raise BookingInFlight(last.pk, retry_after=1)
        shipment.save(force_insert=not same, force_update=same)
        call.save(force_insert=True)
        prepared = identify(prepared)
        if same:
            status_changed(shipment, last.status, shipment.status)
        signal_step(Step.RESERVING, shipment.pk)
    signal_step(Step.RESERVED, shipment.pk)
    return Reserved(prepared, call, send_before)


def identify(prepared: Prepared) -> Prepared:
    """Give the request the attempt's identity, and a reserved number where the courier wants one.

    Raises NoReservedId, which rolls the first commit back.
    """
    shipment = prepared.shipment
    adapter = CourierFactory.get_adapter(prepared.account)
    request = dataclasses.replace(
        prepared.request,
        shipment_id=shipment.pk,
        attempt=shipment.attempt,
        reserved_id=reserved_ids.take(shipment) if reserved_ids.reserves_ids(adapter) else "",
    )
    return dataclasses.replace(prepared, request=request)


def start_attempt(shipment: Shipment) -> None:
    """Set in memory that an attempt to book the shipment starts now."""
    shipment.status = Status.BOOKING
    shipment.attempt_started_at = timezone.now()
    shipment.lease_expires_at = seconds_from_now(tunables().BOOKING_LEASE)


def new_call(shipment: Shipment) -> CourierCall:
    """Return the unsaved row of a create call of the shipment that starts now."""
    return CourierCall(
        account_id=shipment.account_id,
        shipment=shipment,
        operation=_operation(shipment.direction),
        attempt=shipment.attempt,
        started_at=timezone.now(),
    )


def _operation(direction: str) -> str:
    return "create_reverse_shipment" if direction == Direction.REVERSE else "create_shipment"
