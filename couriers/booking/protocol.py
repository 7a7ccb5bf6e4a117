"""The booking protocol: reserve, call, settle. It gives each order one shipment.

A courier's create call can neither be repeated nor looked up afterwards. So the platform commits
the reservation before the call and the result after it, and holds no transaction open during the
call. A crash or a lost answer between the two commits leaves the shipment *in doubt*. A booking in
doubt is never repeated: the courier's event settles it (tracking/confirmation.py), or an operator
does (operations/doubt.py).
"""

from __future__ import annotations

from collections.abc import Callable

from django.db import IntegrityError, transaction
from django.utils import timezone

from couriers.booking.drafts import clean_draft
from couriers.booking.fingerprints import compute_fingerprints
from couriers.booking.preparation import Prepared, prepare
from couriers.booking.registration import book_registered
from couriers.booking.replay import BookingKey, find_earlier
from couriers.booking.settling import BookingResult, settle_booked, settle_failed, settle_in_doubt
from couriers.booking.steps import Step, signal_step
from couriers.conf import tunables
from couriers.contract.errors import CourierError, NotDone, NotSent, Rejected, plugin_fault
from couriers.contract.logs import get_logger
from couriers.contract.platform_errors import BookingInFlight, OrderAlreadyLive
from couriers.contract.registry import CourierFactory
from couriers.contract.statuses import Status
from couriers.contract.types import Booking, Direction, ShipmentDraft, ShipmentRequest
from couriers.models import Company, CourierCall, IdempotencyKey, Shipment
from couriers.models.announcements import status_changed
from couriers.models.claims import seconds_from_now
from couriers.models.transactions import refuse_open_transaction
from couriers.resilience import bulkhead, deadline, waits
from couriers.resilience.deadline import Deadline
from couriers.resilience.retry import retry_safely

log = get_logger(__name__)

# Two attempts with the same values in these fields are the same order to the courier.
SAME_ORDER_FIELDS = ("account_id", "courier_id", "direction", "order_number")


def book(
    company: Company,
    draft: ShipmentDraft,
    *,
    key: str | None = None,
    rebook: bool = False,
    longest_wait: float | None = None,
) -> BookingResult:
    """Book a shipment once, even if several callers request it several times.

    `key` identifies the booking within the company; without a key the order number does. Without a
    key, `rebook` books an order once more whose shipment has ended, once for each ended shipment.
    `longest_wait` is how many seconds bulk work waits for the rate limiter, and for a delay that
    the courier names. Without it, the waits are those of an API request.

    Raises InvalidRequest before anything is stored. Raises NotSent, NotDone or Rejected, and the
    key may then be used again. Raises a PlatformError if another booking prevents this one. An
    unknown outcome raises nothing: the result's shipment is in doubt. Raises InsideTransaction
    before anything is stored or sent if a transaction is open.
    """
    refuse_open_transaction("book()")
    draft = clean_draft(draft)
    earlier = find_earlier(company.pk, draft, key, rebook=rebook)
    if earlier.answer:
        return earlier.answer
    prepared = prepare(company, draft)
    fingerprints = compute_fingerprints(draft)
    send_before = _send_before(prepared)
    try:
        if earlier.failed:
            call = _reserve_again(earlier.failed, prepared, fingerprints)
        else:
            call = _reserve(earlier.key, prepared, fingerprints)
    except IntegrityError as error:
        if not _is_conflict(error):
            raise
        # Another booking of the key or the order was committed first.
        earlier = find_earlier(company.pk, draft, key, rebook=rebook)
        if earlier.answer:
            return earlier.answer
        if live := _live_shipment(prepared.shipment):
            raise OrderAlreadyLive(live.pk, live.status) from error
        # That booking has just failed or ended: the caller may ask again.
        failed = earlier.failed
        raise BookingInFlight(failed.shipment_id if failed else "", retry_after=1) from error
    return _call_and_settle(prepared, call, send_before, longest_wait)


def _send_before(prepared: Prepared) -> Deadline:
    """Return the deadline of a booking that is reserved after this: its lease ends later."""
    adapter = CourierFactory.get_adapter(prepared.account)
    return deadline.after(tunables().BOOKING_LEASE - adapter.max_create_seconds())


def _reserve(key: BookingKey, prepared: Prepared, fingerprints: dict[str, str]) -> CourierCall:
    """Make the first commit: the key, the shipment and the pending call."""
    shipment = prepared.shipment
    _start_attempt(shipment)
    call = _new_call(shipment)
    with transaction.atomic():
        IdempotencyKey.objects.create(
            company_id=key.company_id,
            scope=key.scope,
            key=key.key,
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
    shipment.lease_expires_at = seconds_from_now(tunables().BOOKING_LEASE)


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


def _is_conflict(error: IntegrityError) -> bool:
    """Whether the reservation failed because the key or the order was reserved before."""
    constraint = getattr(getattr(error.__cause__, "diag", None), "constraint_name", "")
    return constraint in ("couriers_one_use_of_a_key", "couriers_one_live_shipment")


def _live_shipment(shipment: Shipment) -> Shipment | None:
    """Return the order's live shipment, which prevents another one."""
    return Shipment.objects.live().same_order_as(shipment).first()


def _call_and_settle(
    prepared: Prepared, call: CourierCall, send_before: Deadline, longest_wait: float | None
) -> BookingResult:
    shipment = prepared.shipment
    signal_step(Step.CALLING, shipment.pk)
    answer = _call_courier(prepared, call.operation, send_before, longest_wait)
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


def _call_courier(
    prepared: Prepared, operation: str, send_before: Deadline, longest_wait: float | None
) -> Booking | CourierError:
    """Make the create call. Repeat it if it certainly was not carried out."""
    adapter = CourierFactory.get_adapter(prepared.account)
    create: Callable[[ShipmentRequest], Booking] = (
        adapter.create_reverse_shipment
        if prepared.request.direction == Direction.REVERSE
        else adapter.create_shipment
    )

    def send() -> Booking:
        deadline.seconds_left()
        return book_registered(adapter, prepared.request, create)

    try:
        with (
            deadline.send_only_before(send_before),
            waits.limit_sum() if longest_wait is None else waits.allow_long_waits(longest_wait),
            bulkhead.hold_place(prepared.account, operation),
        ):
            return retry_safely(send)
    except CourierError as error:
        return error
    except Exception as error:
        log.exception("adapter_failed", courier=adapter.code, shipment=prepared.shipment.pk)
        return plugin_fault(error, adapter.code)
