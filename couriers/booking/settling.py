"""The second commit of a booking: what came of the call, and the answer to replay.

Whoever comes first settles: the end of the call, the courier's event or an operator. Each writes
only what is still unsettled, so none of them can undo another.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

import structlog
from django.db import (
    IntegrityError,
    InterfaceError,
    OperationalError,
    connection,
    transaction,
)
from django.db.models import QuerySet
from django.utils import timezone

from couriers.booking.answers import shipment_json
from couriers.booking.steps import Step, reached
from couriers.contract.errors import CourierError, Unknown
from couriers.contract.statuses import RELEASES_ORDER, UNSETTLED, Status
from couriers.contract.types import Booking
from couriers.models import CourierCall, FlagKind, IdempotencyKey, Shipment
from couriers.models.call import Outcome
from couriers.models.call_audit import end, words_of
from couriers.models.flag import raise_flag

T = TypeVar("T")
log = structlog.get_logger(__name__)

# How long a courier's answer is held on to while the database is away, in seconds.
DATABASE_PATIENCE = 15.0
DATABASE_PAUSE = 0.25


@dataclass(frozen=True, slots=True)
class BookingResult:
    """The end of a booking: the answer in the bytes that were, or would have been, sent first.

    `status_code` is 201 for a booking, 202 for one in doubt.
    """

    shipment: Shipment
    status_code: int
    body: bytes
    replayed: bool = False


def settle_booked(shipment: Shipment, call: CourierCall, booking: Booking) -> BookingResult:
    """The courier booked it.

    Should the order have been given up and booked again meanwhile, the result's shipment is the
    failed one, and an operator is told of the second.
    """
    now = timezone.now()
    shipment.courier_status = booking.courier_status
    mark_booked(shipment, booking.tracking_id, booking.waybill, booking.vendor, now)
    body = shipment_json(shipment)

    def write() -> int:
        settled = _unsettled(shipment).update(
            courier_status=shipment.courier_status,
            **{name: getattr(shipment, name) for name in BOOKED_FIELDS},
        )
        end(call, Outcome.OK)
        if settled:
            IdempotencyKey.objects.filter(shipment=shipment).update(
                response_status=201, response_body=body
            )
        reached(Step.SETTLING, shipment.pk)
        return settled

    try:
        settled = _committed(write)
    except IntegrityError:
        # The courier gave one tracking id to two orders. Which of them it stands for, only a
        # person can find out.
        log.exception("tracking_id_reused", shipment=shipment.pk, tracking_id=booking.tracking_id)
        unknown = Unknown(
            f"the courier answered with {booking.tracking_id}, which is another shipment's",
            courier=shipment.courier_id,
        )
        return settle_in_doubt(shipment, call, unknown)
    reached(Step.SETTLED, shipment.pk)
    if settled:
        return BookingResult(shipment, 201, body)
    return _settled_meanwhile(shipment, booking)


def settle_failed(
    shipment: Shipment, call: CourierCall, error: CourierError
) -> BookingResult | None:
    """It surely was not booked: the key is free for another try.

    None then; a result where the courier's event or an operator had settled it as booked before.
    """
    now = timezone.now()

    def write() -> int:
        settled = _unsettled(shipment).update(
            status=Status.FAILED,
            failure=words_of(error)[:1000],
            lease_expires_at=None,
            updated_at=now,
        )
        end(call, Outcome(error.outcome), error)
        reached(Step.SETTLING, shipment.pk)
        return settled

    settled = _committed(write)
    reached(Step.SETTLED, shipment.pk)
    if settled:
        return None
    current = Shipment.objects.get(pk=shipment.pk)
    if current.status in RELEASES_ORDER or not current.tracking_id:
        return None
    return BookingResult(current, 201, store_answer(current))


def settle_in_doubt(shipment: Shipment, call: CourierCall, error: CourierError) -> BookingResult:
    """Nobody can tell whether it was booked."""
    now = timezone.now()

    def write() -> None:
        Shipment.objects.filter(
            pk=shipment.pk, attempt=shipment.attempt, status__in=UNSETTLED
        ).update(status=Status.IN_DOUBT, failure=words_of(error)[:1000], updated_at=now)
        end(call, Outcome.UNKNOWN, error)
        reached(Step.SETTLING, shipment.pk)

    _committed(write)
    reached(Step.SETTLED, shipment.pk)
    log.warning("booking_in_doubt", shipment=shipment.pk, error=str(error))
    current = Shipment.objects.get(pk=shipment.pk)
    if current.status == Status.IN_DOUBT:
        return BookingResult(current, 202, shipment_json(current))
    # The courier's event was quicker than the end of the call.
    return BookingResult(current, 201, store_answer(current))


BOOKED_FIELDS = (
    "status", "tracking_id", "waybill", "vendor", "booked_at", "status_at", "updated_at",
    "lease_expires_at", "failure",
)  # fmt: skip


def mark_booked(
    shipment: Shipment, tracking_id: str, waybill: str, vendor: str, now: dt.datetime
) -> None:
    """Make the shipment a booked one, in memory: BOOKED_FIELDS are what changes."""
    shipment.status = Status.BOOKED
    shipment.tracking_id = tracking_id
    shipment.waybill = waybill
    shipment.vendor = vendor
    shipment.booked_at = shipment.status_at = shipment.updated_at = now
    shipment.lease_expires_at = None
    shipment.failure = ""


def settle_confirmed(
    shipment: Shipment,
    tracking_id: str,
    waybill: str,
    vendor: str,
    *,
    also_changed: Iterable[str] = (),
) -> None:
    """Book an unsettled shipment because the courier's event or an operator says it exists.

    `also_changed` names further fields that the caller has set. Call with the row locked.
    """
    mark_booked(shipment, tracking_id, waybill, vendor, timezone.now())
    shipment.save(update_fields=[*BOOKED_FIELDS, *also_changed])
    store_answer(shipment)


def store_answer(shipment: Shipment) -> bytes:
    """Keep the answer that the booking's key replays from now on, and return it.

    Only the first answer is kept; `shipment` is booked and has just been written.
    """
    body = shipment_json(shipment)
    kept = IdempotencyKey.objects.filter(shipment=shipment, response_status__isnull=True).update(
        response_status=201, response_body=body
    )
    if kept:
        return body
    key = IdempotencyKey.objects.filter(shipment=shipment).first()
    return bytes(key.response_body) if key and key.response_body else body


def _settled_meanwhile(shipment: Shipment, booking: Booking) -> BookingResult:
    """An event, an operator or a later attempt settled the booking before the answer came."""

    def take() -> BookingResult:
        current = _take_late_answer(shipment, booking)
        if current.tracking_id:
            return BookingResult(current, 201, store_answer(current))
        return BookingResult(current, 202, shipment_json(current))

    def tell() -> BookingResult:
        current = Shipment.objects.select_for_update().get(pk=shipment.pk)
        raise_flag(current, FlagKind.SECOND_SHIPMENT, tracking_id=booking.tracking_id)
        return BookingResult(current, 202, shipment_json(current))

    try:
        return _committed(take)
    except IntegrityError:
        # Booked again in this very moment, or the id is another shipment's.
        return _committed(tell)


def _take_late_answer(shipment: Shipment, booking: Booking) -> Shipment:
    """What the courier has is never forgotten: it is made live, or somebody is told of it."""
    # By their ids, as everybody locks them.
    rows = list(Shipment.objects.select_for_update(of=("self",)).of_order(shipment).order_by("id"))
    current = next(row for row in rows if row.pk == shipment.pk)
    if booking.tracking_id in (current.tracking_id, *current.former_tracking_ids):
        return current
    others = [row for row in rows if row.pk != current.pk and row.status not in RELEASES_ORDER]
    if others or current.status not in (*UNSETTLED, Status.FAILED):
        raise_flag(
            others[-1] if others else current,
            FlagKind.SECOND_SHIPMENT,
            tracking_id=booking.tracking_id,
        )
    else:
        # Given up too early, or tried again. It exists: live, so that nobody books it once more.
        again = current.status != Status.FAILED
        mark_booked(current, booking.tracking_id, booking.waybill, booking.vendor, timezone.now())
        current.save(update_fields=BOOKED_FIELDS)
        kind = FlagKind.EARLIER_ATTEMPT if again else FlagKind.LATE_ANSWER
        raise_flag(current, kind, tracking_id=booking.tracking_id)
    return current


def _unsettled(shipment: Shipment) -> QuerySet[Shipment]:
    # `attempt` fences off the late answer of an attempt that was given up.
    return Shipment.objects.filter(pk=shipment.pk, attempt=shipment.attempt, status__in=UNSETTLED)


def _committed(write: Callable[[], T]) -> T:
    """Run `write` in a transaction, again while the database is away.

    What the courier said must not be lost to a restart. To write it twice does no harm: a
    commit whose acknowledgement was lost leaves nothing unsettled.
    """
    deadline = time.monotonic() + DATABASE_PATIENCE
    while True:
        try:
            with transaction.atomic():
                return write()
        except (OperationalError, InterfaceError):
            if connection.in_atomic_block or time.monotonic() > deadline:
                raise
            connection.close()
            time.sleep(DATABASE_PAUSE)
