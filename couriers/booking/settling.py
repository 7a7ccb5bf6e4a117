"""The second commit of a booking: the outcome of the call, and the answer to replay.

The end of the call, the courier's event or an operator settles a booking, whichever comes first.
Each writes only a shipment that is still unsettled, so none can undo another.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError
from django.utils import timezone

from couriers.booking import attempts, reserved_ids
from couriers.booking.answers import shipment_json
from couriers.booking.booked import BOOKED_FIELDS, mark_booked, store_answer
from couriers.booking.charges import BROUGHT_FIELDS, set_brought
from couriers.booking.committed import write_committed
from couriers.booking.next_courier import Round, plan_again, plan_next
from couriers.booking.steps import Step, signal_step
from couriers.contract.errors import CourierError, Unknown
from couriers.contract.logs import get_logger
from couriers.contract.masking import mask_text
from couriers.contract.signals import SettledBy
from couriers.contract.statuses import RELEASES_ORDER, UNSETTLED, Status
from couriers.contract.types import Booking
from couriers.documents import pending
from couriers.models import BookingAttempt, CourierCall, FlagKind, IdempotencyKey, Shipment
from couriers.models.announcements import booking_ended, status_changed
from couriers.models.call import Outcome
from couriers.models.call_audit import end_call, reason_text
from couriers.models.flag import raise_flag

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class BookingResult:
    """How a booking ended. `body` is the answer, with the same bytes each time.

    `status_code` is 201 for a booked shipment and 202 for one in doubt.
    """

    shipment: Shipment
    status_code: int
    body: bytes
    replayed: bool = False


def settle_booked(shipment: Shipment, call: CourierCall, booking: Booking) -> BookingResult:
    """Settle as booked, because the courier's answer says so.

    If an operator had released the order and it was booked again, the result's shipment is the
    failed one, and the live one gets a flag for the second parcel.
    """
    now = timezone.now()
    shipment.courier_status = mask_text(booking.courier_status)[:100]
    mark_booked(shipment, booking, now)
    body = shipment_json(shipment)

    def write() -> bool:
        previous = _update_unsettled(
            shipment,
            courier_status=shipment.courier_status,
            **{name: getattr(shipment, name) for name in BOOKED_FIELDS},
        )
        end_call(call, Outcome.OK)
        if previous is not None:
            IdempotencyKey.objects.filter(shipment=shipment).update(
                response_status=201, response_body=body
            )
            booking_ended(shipment, previous, Status.BOOKED, SettledBy.ANSWER)
            pending.accept(shipment, booking.documents)
        signal_step(Step.SETTLING, shipment.pk)
        return previous is not None

    try:
        settled = write_committed(write)
    except IntegrityError:
        # The courier gave one tracking id to two orders. Only a person can find out which of
        # them it belongs to.
        log.exception("tracking_id_reused", shipment=shipment.pk, tracking_id=booking.tracking_id)
        unknown = Unknown(
            f"the courier answered with {booking.tracking_id}, which is another shipment's",
            courier=shipment.courier_id,
        )
        shipment.refresh_from_db(fields=["courier_status", *BOOKED_FIELDS])
        return settle_in_doubt(shipment, call, unknown)
    signal_step(Step.SETTLED, shipment.pk)
    if settled:
        return BookingResult(shipment, 201, body)
    return _handle_late_answer(shipment, booking)


def settle_failed(
    shipment: Shipment, call: CourierCall, error: CourierError, ended: Round | None = None
) -> BookingResult | None:
    """Settle as failed, because the order certainly was not booked. The key may be used again.

    `ended` is the round of an order that was gone on with after a doubt: couriers that may take it
    later are asked again.

    Returns None, or the result if an event or an operator had settled it as booked before, or if a
    courier that was asked before turns out to have it. If the call was repeated with its reserved
    number meanwhile, this one proves nothing, and the shipment stays in doubt.
    """
    now = timezone.now()

    def write() -> bool:
        previous = None
        if not reserved_ids.was_repeated(call):
            previous = _update_unsettled(
                shipment,
                status=Status.FAILED,
                failure=reason_text(error),
                choice=shipment.choice,
                lease_expires_at=None,
                updated_at=now,
            )
        end_call(call, Outcome(error.outcome), error)
        is_booked = False
        if previous is not None:
            reserved_ids.give_back(shipment, error)
            attempts.note_end(shipment, Outcome(error.outcome), reason_text(error))
            booking_ended(shipment, previous, Status.FAILED, SettledBy.ANSWER)
            is_booked = _adopt(shipment, SettledBy.ANSWER)
            if not is_booked:
                _plan_next(shipment, previous, ended)
        signal_step(Step.SETTLING, shipment.pk)
        return previous is not None and not is_booked

    settled = write_committed(write)
    signal_step(Step.SETTLED, shipment.pk)
    if settled:
        return None
    current = Shipment.objects.get(pk=shipment.pk)
    if current.status in RELEASES_ORDER or not current.tracking_id:
        return None
    return BookingResult(current, 201, store_answer(current))


def _plan_next(shipment: Shipment, previous: str, ended: Round | None) -> None:
    """Have the couriers asked that are left after a doubt, or that may take the order later."""
    if ended is not None and plan_again(shipment, ended):
        return
    if previous == Status.IN_DOUBT:
        plan_next(shipment)


def settle_in_doubt(shipment: Shipment, call: CourierCall, error: CourierError) -> BookingResult:
    """Settle as in doubt, because the call ended with an unknown outcome."""
    now = timezone.now()

    def write() -> None:
        previous = _update_unsettled(
            shipment, status=Status.IN_DOUBT, failure=reason_text(error), updated_at=now
        )
        end_call(call, Outcome.UNKNOWN, error)
        if previous is not None:
            status_changed(shipment, previous, Status.IN_DOUBT)
        signal_step(Step.SETTLING, shipment.pk)

    write_committed(write)
    signal_step(Step.SETTLED, shipment.pk)
    log.warning("booking_in_doubt", shipment=shipment.pk, error=str(error))
    current = Shipment.objects.get(pk=shipment.pk)
    if current.status == Status.IN_DOUBT:
        return BookingResult(current, 202, shipment_json(current))
    # The courier's event came before the end of the call.
    return BookingResult(current, 201, store_answer(current))


def settle_confirmed(
    shipment: Shipment,
    booking: Booking,
    *,
    by: SettledBy,
    also_changed: Iterable[str] = (),
) -> None:
    """Settle as booked, because the courier's event or an operator says that it exists.

    `booking` is what is known of it. `also_changed` names further fields that the caller has set.
    Call with the row locked.
    """
    previous = shipment.status
    if previous == Status.FAILED:
        attempts.forget_end(shipment)
    mark_booked(shipment, booking, timezone.now())
    shipment.save(update_fields=[*BOOKED_FIELDS, *also_changed])
    pending.accept(shipment, booking.documents)
    store_answer(shipment)
    booking_ended(shipment, previous, Status.BOOKED, by)


def settle_absent(shipment: Shipment, failure: str, *, by: SettledBy) -> None:
    """Settle as not booked, because a search or an operator says that it does not exist.

    `failure` is the reason for the merchant. Call with the row locked.
    """
    previous = shipment.status
    shipment.status = Status.FAILED
    shipment.lease_expires_at = None
    shipment.failure = failure
    shipment.save(update_fields=["status", "lease_expires_at", "failure", "updated_at"])
    attempts.note_end(shipment, Outcome.UNKNOWN, failure)
    booking_ended(shipment, previous, Status.FAILED, by)
    if not _adopt(shipment, by):
        plan_next(shipment)


def _adopt(shipment: Shipment, by: SettledBy) -> bool:
    """Book a failed shipment as the parcel of an earlier courier, if one has it; return whether."""
    if shipment.attempt == 1:
        return False
    failed = Shipment.objects.select_for_update(of=("self",)).get(pk=shipment.pk)
    return attempts.adopt_parcel(failed, by=by)


def _handle_late_answer(shipment: Shipment, booking: Booking) -> BookingResult:
    """Handle an answer that came after an event, an operator or a later attempt had settled it."""

    def apply() -> BookingResult:
        current = _apply_late_answer(shipment, booking)
        if current.tracking_id:
            return BookingResult(current, 201, store_answer(current))
        return BookingResult(current, 202, shipment_json(current))

    def flag_second_shipment() -> BookingResult:
        current = Shipment.objects.select_for_update().get(pk=shipment.pk)
        raise_flag(current, FlagKind.SECOND_SHIPMENT, tracking_id=booking.tracking_id)
        return BookingResult(current, 202, shipment_json(current))

    try:
        return write_committed(apply)
    except IntegrityError:
        # The order has just been booked again, or the tracking id belongs to another shipment.
        return write_committed(flag_second_shipment)


def _apply_late_answer(shipment: Shipment, booking: Booking) -> Shipment:
    """Mark the shipment as booked, or raise a flag where the order has another live shipment."""
    # Locked in the order of ids, as everywhere.
    rows = list(
        Shipment.objects.select_for_update(of=("self",)).same_order_as(shipment).order_by("id")
    )
    current = next(row for row in rows if row.pk == shipment.pk)
    if booking.tracking_id in (current.tracking_id, *current.former_tracking_ids):
        _add_brought(current, booking)
        return current
    if current.account_id != shipment.account_id:
        return _note_earlier_courier(shipment, booking)
    others = [row for row in rows if row.pk != current.pk and row.status not in RELEASES_ORDER]
    if others or current.status not in (*UNSETTLED, Status.FAILED):
        raise_flag(
            others[-1] if others else current,
            FlagKind.SECOND_SHIPMENT,
            tracking_id=booking.tracking_id,
        )
    else:
        # It was released too early, or another attempt is under way. The parcel exists, so the
        # order must not be booked again.
        previous = current.status
        if previous == Status.FAILED:
            attempts.forget_end(current)
        mark_booked(current, booking, timezone.now())
        current.save(update_fields=BOOKED_FIELDS)
        pending.accept(current, booking.documents)
        booking_ended(current, previous, Status.BOOKED, SettledBy.ANSWER)
        kind = FlagKind.LATE_ANSWER if previous == Status.FAILED else FlagKind.EARLIER_ATTEMPT
        raise_flag(current, kind, tracking_id=booking.tracking_id)
    return current


def _note_earlier_courier(shipment: Shipment, booking: Booking) -> Shipment:
    """Note the parcel of an attempt after which another courier was asked. The rows are locked."""
    attempt = BookingAttempt.objects.get(shipment=shipment.pk, number=shipment.attempt)
    return attempts.note_parcel(attempt, booking.tracking_id, by=SettledBy.ANSWER)


def _add_brought(shipment: Shipment, booking: Booking) -> None:
    """Keep what only the answer brings of a booking that an event has settled before."""
    if shipment.charges is None and booking.tracking_id == shipment.tracking_id:
        set_brought(shipment, booking)
        shipment.save(update_fields=BROUGHT_FIELDS)
        pending.accept(shipment, booking.documents)


def _update_unsettled(shipment: Shipment, **columns: Any) -> str | None:
    """Write the columns if the attempt is unsettled; return its status before, or None if not.

    An attempt becomes in doubt, never the other way round, so no change between the two updates is
    missed. The attempt number excludes the late answer of an attempt that was released.
    """
    attempt = Shipment.objects.filter(pk=shipment.pk, attempt=shipment.attempt)
    for status in (Status.BOOKING, Status.IN_DOUBT):
        if attempt.filter(status=status).update(**columns):
            return status
    return None
