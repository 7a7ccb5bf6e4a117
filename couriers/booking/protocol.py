"""The booking protocol: reserve, call, settle. It gives each order one shipment.

A create call may be neither repeatable nor searchable. So the platform commits the reservation
before the call and the result after it, and holds no transaction open during the call. A crash or a
lost answer between the two commits leaves the shipment *in doubt*. A booking in doubt is never
repeated, except with the same reserved number. The courier's event settles it
(tracking/confirmation.py), or its answer to an inquiry (booking/inquiries.py), or an operator
(operations/doubt.py).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from django.db import IntegrityError
from psycopg.errors import ForeignKeyViolation

from couriers.booking.choosing import choose, is_auto
from couriers.booking.create_call import create_booking
from couriers.booking.drafts import clean_draft
from couriers.booking.fail_over import Turns
from couriers.booking.fingerprints import compute_fingerprints
from couriers.booking.preparation import Prepared, prepare
from couriers.booking.replay import Earlier, find_earlier
from couriers.booking.reserving import Reserved, reserve
from couriers.booking.search import revive_earlier_attempt
from couriers.booking.settling import BookingResult, settle_booked, settle_failed, settle_in_doubt
from couriers.booking.steps import Step, signal_step
from couriers.contract.errors import (
    CourierError,
    FieldProblem,
    InvalidRequest,
    NotDone,
    NotSent,
    Rejected,
)
from couriers.contract.platform_errors import BookingInFlight, OrderAlreadyLive
from couriers.contract.registry import CourierFactory
from couriers.contract.statuses import Status
from couriers.contract.types import Booking, ShipmentDraft
from couriers.models import Company, CourierAccount, CourierCall, Shipment, Warehouse
from couriers.models.transactions import refuse_open_transaction
from couriers.resilience import bulkhead, deadline, waits


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

    An order that names no courier, or `auto`, gets the one that the company's rules choose, and
    the next of them where one surely did not book it (booking/fail_over.py).
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
    turns = None
    if is_auto(draft):
        choice = choose(company, draft, is_test=is_test, longest_wait=longest_wait)
        turns = Turns(
            company, draft, choice, is_test=is_test, is_trial=is_trial, longest_wait=longest_wait
        )
    prepared = (
        turns.first() if turns else prepare(company, draft, is_test=is_test, is_trial=is_trial)
    )
    while True:
        if revive_earlier_attempt(prepared):
            # The courier has an earlier attempt, which is booked now.
            earlier = find()
            if earlier.answer:
                return earlier.answer
        try:
            reserved = _reserve(earlier, prepared, compute_fingerprints(draft), find)
        except (NotSent, Rejected) as error:
            if turns is None:
                raise
            prepared = turns.instead_of(prepared, error)
            continue
        if isinstance(reserved, BookingResult):
            return reserved
        return call_and_settle(reserved, longest_wait, turns)


def _reserve(
    earlier: Earlier,
    prepared: Prepared,
    fingerprints: dict[str, str],
    find: Callable[[], Earlier],
) -> Reserved | BookingResult:
    """Make the first commit, or return the answer of another booking that was quicker.

    Raises InvalidRequest where what it refers to was deleted meanwhile.
    """
    try:
        return reserve(earlier, prepared, fingerprints)
    except IntegrityError as error:
        if isinstance(error.__cause__, ForeignKeyViolation):
            _refuse_deleted(prepared.shipment)
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


def _is_conflict(error: IntegrityError) -> bool:
    """Whether the reservation failed because the key or the order was reserved before."""
    constraint = getattr(getattr(error.__cause__, "diag", None), "constraint_name", "")
    return constraint in ("couriers_one_use_of_a_key", "couriers_one_live_shipment")


def _refuse_deleted(shipment: Shipment) -> None:
    """Raise InvalidRequest if the account or the warehouse was deleted since it was found."""
    used = {
        "courier": CourierAccount.objects.filter(pk=shipment.account_id),
        "warehouse": Warehouse.objects.filter(pk=shipment.warehouse_id),
    }
    gone = [
        FieldProblem(field, "was deleted just now") for field in used if not used[field].exists()
    ]
    if gone:
        raise InvalidRequest(gone, courier=shipment.courier_id)


def _live_shipment(shipment: Shipment) -> Shipment | None:
    """Return the order's live shipment, which prevents another one."""
    return Shipment.objects.live().same_order_as(shipment).first()


def call_and_settle(
    reserved: Reserved, longest_wait: float | None, turns: Turns | None = None
) -> BookingResult:
    """Call the courier of a reserved booking, and write what came of it.

    With `turns`, the next courier is called after one that surely did not book. Raises the error of
    a booking that surely was not made.
    """
    while True:
        shipment, call = reserved.prepared.shipment, reserved.call
        answer = call_courier(reserved, longest_wait)
        if isinstance(answer, Booking):
            return _booked(shipment, call, answer)
        if not isinstance(answer, (NotSent, NotDone, Rejected)):
            return settle_in_doubt(shipment, call, answer)
        following = turns.start_next(reserved, answer) if turns else None
        if following is None:
            break
        reserved = following
    if settled := settle_failed(shipment, call, answer, turns.round if turns else None):
        return settled
    if turns is None:
        raise answer
    # The earlier attempt is another shipment's, which can be booked now that this one has failed.
    found = turns.has_earlier is not None and revive_earlier_attempt(turns.has_earlier)
    if found and (live := _live_shipment(shipment)):
        raise OrderAlreadyLive(live.pk, live.status)
    raise turns.error()


def _booked(shipment: Shipment, call: CourierCall, booking: Booking) -> BookingResult:
    result = settle_booked(shipment, call, booking)
    if result.shipment.status == Status.FAILED and (live := _live_shipment(shipment)):
        raise OrderAlreadyLive(live.pk, live.status)
    return result


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
