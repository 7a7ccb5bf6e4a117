"""The booking protocol: reserve, call, settle. It gives each order one shipment.

A courier's create call can neither be repeated nor looked up afterwards. So the platform commits
the reservation before the call and the result after it, and holds no transaction open during the
call. A crash or a lost answer between the two commits leaves the shipment *in doubt*. A booking in
doubt is never repeated: the courier's event settles it (tracking/confirmation.py), or an operator
does (operations/doubt.py).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from contextlib import nullcontext

from django.db import IntegrityError, transaction
from django.utils import timezone

from couriers.booking.answers import shipment_json
from couriers.booking.drafts import clean_draft, clean_key
from couriers.booking.fingerprints import compute_fingerprints, differing_fields
from couriers.booking.preparation import Prepared, prepare
from couriers.booking.settling import (
    BookingResult,
    settle_booked,
    settle_failed,
    settle_in_doubt,
    store_answer,
)
from couriers.booking.steps import Step, signal_step
from couriers.conf import tunables
from couriers.contract.errors import CourierError, NotDone, NotSent, Rejected, plugin_fault
from couriers.contract.logs import get_logger
from couriers.contract.platform_errors import BookingInFlight, KeyReused, OrderAlreadyLive
from couriers.contract.registry import CourierFactory
from couriers.contract.statuses import Status
from couriers.contract.types import Booking, Direction, ShipmentDraft, ShipmentRequest
from couriers.models import Company, CourierCall, IdempotencyKey, Shipment
from couriers.models.announcements import FACTS, status_changed
from couriers.models.transactions import refuse_open_transaction
from couriers.resilience import deadline, rate_limit
from couriers.resilience.retry import retry_safely

log = get_logger(__name__)

# Two attempts with the same values in these fields are the same order to the courier.
SAME_ORDER_FIELDS = ("account_id", "courier_id", "direction", "order_number")


def book(
    company: Company, draft: ShipmentDraft, *, key: str | None = None, long_waits: bool = False
) -> BookingResult:
    """Book a shipment once, even if several callers request it several times.

    `key` identifies the booking within the company; without a key the order number does.
    `long_waits` lets the call wait for the rate limiter as bulk work may; an API request must not.

    Raises InvalidRequest before anything is stored. Raises NotSent, NotDone or Rejected, and the
    key may then be used again. Raises a PlatformError if another booking prevents this one. An
    unknown outcome raises nothing: the result's shipment is in doubt. Raises InsideTransaction
    before anything is stored or sent if a transaction is open.
    """
    refuse_open_transaction("book()")
    draft = clean_draft(draft)
    key = clean_key(draft.order_number if key is None else key)
    earlier = _stored_key(company.pk, key)
    if earlier and (result := _replay(earlier, draft)):
        return result
    prepared = prepare(company, draft)
    fingerprints = compute_fingerprints(draft)
    try:
        if earlier:
            call = _reserve_again(earlier, prepared, fingerprints)
        else:
            call = _reserve(key, prepared, fingerprints)
    except IntegrityError as error:
        return _answer_conflict(error, prepared, key, draft)
    return _call_and_settle(prepared, call, long_waits=long_waits)


def expire_leases() -> int:
    """Put every booking whose lease has run out in doubt; return how many there were.

    The process that was booking has died or is stuck. A later answer still settles the booking.
    """
    now = timezone.now()
    with transaction.atomic():
        expired = list(
            Shipment.objects.select_for_update(of=("self",))
            .filter(status=Status.BOOKING, lease_expires_at__lte=now)
            .only(*FACTS)
            .order_by("id")
        )
        if expired:
            Shipment.objects.filter(pk__in=[shipment.pk for shipment in expired]).update(
                status=Status.IN_DOUBT, updated_at=now
            )
        for shipment in expired:
            status_changed(shipment, Status.BOOKING, Status.IN_DOUBT)
    return len(expired)


def _stored_key(company_id: int, key: str) -> IdempotencyKey | None:
    # Most keys are new, so the shipment is not joined; it is fetched where the key exists.
    return IdempotencyKey.objects.filter(company_id=company_id, key=key).first()


def _replay(earlier: IdempotencyKey, draft: ShipmentDraft) -> BookingResult | None:
    """Return the answer for a key that was used before, or None if its booking has failed.

    Raises KeyReused or BookingInFlight.
    """
    shipment = earlier.shipment
    if shipment.status == Status.FAILED:
        return None
    if different := differing_fields(earlier.fingerprints, draft):
        raise KeyReused(different)
    if earlier.response_body is not None and earlier.response_status is not None:
        return BookingResult(
            shipment, earlier.response_status, bytes(earlier.response_body), replayed=True
        )
    if shipment.status == Status.BOOKING:
        left = lease_seconds_left(shipment)
        if left > 0:
            raise BookingInFlight(shipment.pk, retry_after=max(1, min(2, round(left))))
        expire_leases()
        shipment.refresh_from_db()
        return _replay(_with_shipment(earlier), draft)
    if shipment.status == Status.IN_DOUBT:
        return BookingResult(shipment, 202, shipment_json(shipment), replayed=True)
    return BookingResult(shipment, 201, store_answer(shipment), replayed=True)


def _with_shipment(earlier: IdempotencyKey) -> IdempotencyKey:
    return IdempotencyKey.objects.select_related("shipment").get(pk=earlier.pk)


def lease_seconds_left(shipment: Shipment) -> float:
    """Return the seconds until the booking's lease runs out, 0 or less once it has."""
    return (_lease_end(shipment) - timezone.now()).total_seconds()


def _lease_end(shipment: Shipment) -> dt.datetime:
    return shipment.lease_expires_at or shipment.created_at


def _reserve(key: str, prepared: Prepared, fingerprints: dict[str, str]) -> CourierCall:
    """Make the first commit: the key, the shipment and the pending call."""
    shipment = prepared.shipment
    _start_attempt(shipment)
    call = _new_call(shipment)
    with transaction.atomic():
        IdempotencyKey.objects.create(
            company_id=shipment.company_id,
            key=key,
            fingerprints=fingerprints,
            shipment_id=shipment.pk,
        )
        shipment.save(force_insert=True)
        call.save(force_insert=True)
        signal_step(Step.RESERVING, shipment.pk)
    signal_step(Step.RESERVED, shipment.pk)
    return call


def _reserve_again(
    earlier: IdempotencyKey, prepared: Prepared, fingerprints: dict[str, str]
) -> CourierCall:
    """Make the first commit for a key whose last attempt has failed, with the same shipment.

    If the key is now used for another order, it gets another shipment.
    """
    shipment = prepared.shipment
    with transaction.atomic():
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
        _start_attempt(shipment)
        call = _new_call(shipment)
        # While this request waited for the row, another one may have given the key a new shipment.
        if not IdempotencyKey.objects.filter(pk=earlier.pk, shipment_id=last.pk).update(
            fingerprints=fingerprints, shipment_id=shipment.pk, created_at=timezone.now()
        ):
            raise BookingInFlight(last.pk, retry_after=1)
        shipment.save(force_insert=not same, force_update=same)
        call.save(force_insert=True)
        if same:
            status_changed(shipment, last.status, shipment.status)
        signal_step(Step.RESERVING, shipment.pk)
    signal_step(Step.RESERVED, shipment.pk)
    return call


def _start_attempt(shipment: Shipment) -> None:
    shipment.status = Status.BOOKING
    shipment.lease_expires_at = timezone.now() + dt.timedelta(seconds=tunables().BOOKING_LEASE)


def _new_call(shipment: Shipment) -> CourierCall:
    return CourierCall(
        account_id=shipment.account_id,
        shipment=shipment,
        operation=_operation(shipment.direction),
        attempt=shipment.attempt,
        started_at=timezone.now(),
    )


def _operation(direction: str) -> str:
    return "create_reverse_shipment" if direction == Direction.REVERSE else "create_shipment"


def _answer_conflict(
    error: IntegrityError, prepared: Prepared, key: str, draft: ShipmentDraft
) -> BookingResult:
    """Turn a unique violation into the answer of the booking that won."""
    constraint = getattr(getattr(error.__cause__, "diag", None), "constraint_name", "")
    if constraint == "couriers_one_use_of_a_key":
        earlier = _stored_key(prepared.account.company_id, key)
        result = _replay(earlier, draft) if earlier else None
        if result:
            return result
        # That booking has just failed, or its key was purged: the caller may ask again.
        raise BookingInFlight(earlier.shipment_id if earlier else "", retry_after=1) from error
    if constraint == "couriers_one_live_shipment":
        live = _live_shipment(prepared.shipment)
        if live:
            raise OrderAlreadyLive(live.pk, live.status) from error
        raise BookingInFlight("", retry_after=1) from error
    raise error


def _live_shipment(shipment: Shipment) -> Shipment | None:
    """Return the order's live shipment, which prevents another one."""
    return Shipment.objects.live().same_order_as(shipment).first()


def _call_and_settle(prepared: Prepared, call: CourierCall, *, long_waits: bool) -> BookingResult:
    shipment = prepared.shipment
    signal_step(Step.CALLING, shipment.pk)
    answer = _call_courier(prepared, long_waits=long_waits)
    signal_step(Step.CALLED, shipment.pk)
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


def _call_courier(prepared: Prepared, *, long_waits: bool) -> Booking | CourierError:
    """Make the create call. Repeat it if it certainly was not carried out."""
    adapter = CourierFactory.get_adapter(prepared.account)
    create: Callable[[ShipmentRequest], Booking] = (
        adapter.create_reverse_shipment
        if prepared.request.direction == Direction.REVERSE
        else adapter.create_shipment
    )

    def send() -> Booking:
        deadline.seconds_left()
        return create(prepared.request)

    send_before = _lease_end(prepared.shipment) - dt.timedelta(seconds=adapter.max_create_seconds())
    try:
        with (
            deadline.send_only_before(send_before),
            rate_limit.allow_long_waits() if long_waits else nullcontext(),
        ):
            return retry_safely(send, max_delay=30.0 if long_waits else 3.0)
    except CourierError as error:
        return error
    except Exception as error:
        log.exception("adapter_failed", courier=adapter.code, shipment=prepared.shipment.pk)
        return plugin_fault(error, adapter.code)
