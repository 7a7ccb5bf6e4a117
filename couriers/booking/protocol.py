"""The booking protocol: reserve, call, settle. It gives each order one shipment.

A create call may be neither repeatable nor searchable. So the platform commits the reservation
before the call and the result after it, and holds no transaction open during the call. A crash or a
lost answer between the two commits leaves the shipment *in doubt*. A booking in doubt is never
repeated, except with the same reserved number. The courier's event settles it
(tracking/confirmation.py), or its answer to an inquiry (booking/inquiries.py), or an operator
(operations/doubt.py).
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import partial

from django.db import IntegrityError, transaction
from django.utils import timezone

from couriers.booking import reserved_ids
from couriers.booking.choosing import choose, is_auto, keep_choice, with_courier
from couriers.booking.create_call import create_booking
from couriers.booking.drafts import clean_draft
from couriers.booking.fingerprints import compute_fingerprints
from couriers.booking.permission import check_again
from couriers.booking.preparation import Prepared, prepare
from couriers.booking.replay import BookingKey, Earlier, find_earlier
from couriers.booking.returned_goods import refuse_excess
from couriers.booking.search import revive_earlier_attempt
from couriers.booking.settling import BookingResult, settle_booked, settle_failed, settle_in_doubt
from couriers.booking.steps import Step, signal_step
from couriers.conf import tunables
from couriers.contract.errors import (
    CourierError,
    NoReservedId,
    NotDone,
    NotSent,
    Rejected,
)
from couriers.contract.platform_errors import BookingInFlight, OrderAlreadyLive
from couriers.contract.registry import CourierFactory
from couriers.contract.statuses import Status
from couriers.contract.types import Booking, Direction, ShipmentDraft
from couriers.models import Company, CourierAccount, CourierCall, IdempotencyKey, Shipment
from couriers.models.announcements import status_changed
from couriers.models.claims import seconds_from_now
from couriers.models.transactions import refuse_open_transaction
from couriers.rates.choice import Choice
from couriers.resilience import bulkhead, deadline, waits
from couriers.resilience.deadline import Deadline

# Two attempts with the same values in these fields are the same order to the courier.
SAME_ORDER_FIELDS = ("account_id", "courier_id", "direction", "order_number")


def book(
    company: Company,
    draft: ShipmentDraft,
    *,
    key: str | None = None,
    is_test: bool = False,
    rebook: bool = False,
    longest_wait: float | None = None,
    is_trial: bool = False,
) -> BookingResult:
    """Book a shipment once, even if several callers request it several times.

    An order that names no courier, or `auto`, gets the one that the company's rules choose.
    `key` identifies the booking within the company; without a key the order number does. A test
    booking is made with the company's test account, and live ones do not count for it. Without a
    key, `rebook` books an order once more whose shipment has ended, once for each ended shipment.
    `longest_wait` is how many seconds bulk work waits for the rate limiter, and for a delay that
    the courier names. Without it, the waits are those of an API request. A trial is booked though
    the company may not book yet (operations/trials.py).

    Raises InvalidRequest before anything is stored. Raises NotSent, NotDone or Rejected, and the
    key may then be used again. Raises a PlatformError if another booking prevents this one. An
    unknown outcome raises nothing: the result's shipment is in doubt. Raises InsideTransaction
    before anything is stored or sent if a transaction is open.
    """
    refuse_open_transaction("book()")
    draft = clean_draft(draft)
    find = partial(find_earlier, company.pk, draft, key, is_test=is_test, rebook=rebook)
    earlier = find()
    if earlier.answer:
        return earlier.answer
    choice = _choice(company, draft, is_test=is_test, longest_wait=longest_wait)
    named = with_courier(draft, choice.candidates[0]) if choice else draft
    prepared = prepare(company, named, is_test=is_test, is_trial=is_trial)
    if choice:
        keep_choice(prepared.shipment, choice, choice.candidates[0])
    if revive_earlier_attempt(prepared):
        # The courier has an earlier attempt, which is booked now.
        earlier = find()
        if earlier.answer:
            return earlier.answer
    try:
        reserved = _reserve_with_number(earlier, prepared, compute_fingerprints(draft))
    except IntegrityError as error:
        if not _is_conflict(error):
            raise
        # Another booking of the key or the order was committed first.
        earlier = find()
        if earlier.answer:
            return earlier.answer
        if live := _live_shipment(prepared.shipment):
            raise OrderAlreadyLive(live.pk, live.status) from error
        # That booking has just failed or ended: the caller may ask again.
        failed = earlier.failed
        raise BookingInFlight(failed.shipment_id if failed else "", retry_after=1) from error
    return _call_and_settle(reserved, longest_wait)


def _choice(
    company: Company, draft: ShipmentDraft, *, is_test: bool, longest_wait: float | None
) -> Choice | None:
    """Return whom the company's rules choose, or None where the order names its courier."""
    if not is_auto(draft):
        return None
    return choose(company, draft, is_test=is_test, longest_wait=longest_wait)


@dataclass(frozen=True, slots=True)
class Reserved:
    """A booking whose first commit is made. Its request is sent before `send_before`."""

    prepared: Prepared
    call: CourierCall
    send_before: Deadline


def _reserve_with_number(
    earlier: Earlier, prepared: Prepared, fingerprints: dict[str, str]
) -> Reserved:
    """Make the first commit. Where no reserved number is left, fetch a batch and try once more."""
    reserve = (
        partial(_reserve_again, earlier.failed)
        if earlier.failed
        else partial(_reserve, earlier.key)
    )
    try:
        return reserve(prepared, fingerprints, send_before(prepared.account))
    except NoReservedId:
        reserved_ids.fetch(prepared.account)
        return reserve(prepared, fingerprints, send_before(prepared.account))


def send_before(account: CourierAccount) -> Deadline:
    """Return the deadline of a create call that is reserved after this: its lease ends later."""
    adapter = CourierFactory.get_adapter(account)
    return deadline.after(tunables().BOOKING_LEASE - adapter.max_create_seconds())


def _reserve(
    key: BookingKey, prepared: Prepared, fingerprints: dict[str, str], send_before: Deadline
) -> Reserved:
    """Make the first commit: the key, the shipment and the pending call."""
    shipment = prepared.shipment
    _start_attempt(shipment)
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
        prepared = _identify(prepared)
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
        # is used again only for the same order.
        same = all(getattr(shipment, name) == getattr(last, name) for name in SAME_ORDER_FIELDS)
        if same:
            shipment.pk = last.pk
            shipment.attempt = last.attempt + 1
            shipment.created_at = last.created_at
        refuse_excess(shipment)
        _start_attempt(shipment)
        call = new_call(shipment)
        # While this request waited for the row, another one may have given the key a new shipment.
        if not IdempotencyKey.objects.filter(pk=earlier.pk, shipment_id=last.pk).update(
            fingerprints=fingerprints, shipment_id=shipment.pk, created_at=timezone.now()
        ):
            raise BookingInFlight(last.pk, retry_after=1)
        shipment.save(force_insert=not same, force_update=same)
        call.save(force_insert=True)
        prepared = _identify(prepared)
        if same:
            status_changed(shipment, last.status, shipment.status)
        signal_step(Step.RESERVING, shipment.pk)
    signal_step(Step.RESERVED, shipment.pk)
    return Reserved(prepared, call, send_before)


def _identify(prepared: Prepared) -> Prepared:
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


def _start_attempt(shipment: Shipment) -> None:
    shipment.status = Status.BOOKING
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


def _is_conflict(error: IntegrityError) -> bool:
    """Whether the reservation failed because the key or the order was reserved before."""
    constraint = getattr(getattr(error.__cause__, "diag", None), "constraint_name", "")
    return constraint in ("couriers_one_use_of_a_key", "couriers_one_live_shipment")


def _live_shipment(shipment: Shipment) -> Shipment | None:
    """Return the order's live shipment, which prevents another one."""
    return Shipment.objects.live().same_order_as(shipment).first()


def _call_and_settle(reserved: Reserved, longest_wait: float | None) -> BookingResult:
    shipment, call = reserved.prepared.shipment, reserved.call
    answer = call_courier(reserved, longest_wait)
    if isinstance(answer, Booking):
        result = settle_booked(shipment, call, answer)
        if result.shipment.status == Status.FAILED and (live := _live_shipment(shipment)):
            raise OrderAlreadyLive(live.pk, live.status)
        return result
    if isinstance(answer, (NotSent, NotDone, Rejected)):
        if settled := settle_failed(shipment, call, answer):
            return settled
        raise answer
    return settle_in_doubt(shipment, call, answer)


def call_courier(reserved: Reserved, longest_wait: float | None) -> Booking | CourierError:
    """Make the create call, and repeat it where that is safe. Returns the error, never raises it.

    `longest_wait` is as in `book`.
    """
    signal_step(Step.CALLING, reserved.prepared.shipment.pk)
    answer = _call_before(reserved, longest_wait)
    signal_step(Step.CALLED, reserved.prepared.shipment.pk)
    return answer


def _call_before(reserved: Reserved, longest_wait: float | None) -> Booking | CourierError:
    prepared, operation = reserved.prepared, reserved.call.operation
    adapter = CourierFactory.get_adapter(prepared.account)
    try:
        with (
            deadline.send_only_before(reserved.send_before),
            waits.limit_sum() if longest_wait is None else waits.allow_long_waits(longest_wait),
            bulkhead.hold_place(prepared.account, operation),
        ):
            return create_booking(adapter, operation, prepared.request)
    except CourierError as error:
        return error
