"""The second commit of a booking: what came of the call, and the answer to replay.

Whoever comes first settles: the end of the call, the courier's event or an operator. Each writes
only what is still unsettled, so none of them can undo another.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
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

from couriers.errors import CourierError, Unknown
from couriers.models import CourierCall, IdempotencyKey, Shipment
from couriers.models.call import Outcome
from couriers.representation import shipment_json
from couriers.signals import Step, reached
from couriers.statuses import Status
from couriers.types import Booking

T = TypeVar("T")
log = structlog.get_logger(__name__)

UNSETTLED = (Status.BOOKING, Status.IN_DOUBT)
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
    """The courier booked it."""
    now = timezone.now()
    shipment.courier_status = booking.courier_status
    mark_booked(shipment, booking.tracking_id, booking.waybill, booking.vendor, now)
    body = shipment_json(shipment)

    def write() -> int:
        settled = _unsettled(shipment).update(
            courier_status=shipment.courier_status,
            **{name: getattr(shipment, name) for name in BOOKED_FIELDS},
        )
        _end(call, Outcome.OK, now)
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


def settle_failed(shipment: Shipment, call: CourierCall, error: CourierError) -> None:
    """It surely was not booked: the key is free for another try."""
    now = timezone.now()

    def write() -> None:
        _unsettled(shipment).update(
            status=Status.FAILED,
            failure=str(error)[:1000],
            lease_expires_at=None,
            updated_at=now,
        )
        _end(call, Outcome(error.outcome), now, error)
        reached(Step.SETTLING, shipment.pk)

    _committed(write)
    reached(Step.SETTLED, shipment.pk)


def settle_in_doubt(shipment: Shipment, call: CourierCall, error: CourierError) -> BookingResult:
    """Nobody can tell whether it was booked."""
    now = timezone.now()

    def write() -> None:
        Shipment.objects.filter(
            pk=shipment.pk, attempt=shipment.attempt, status__in=UNSETTLED
        ).update(status=Status.IN_DOUBT, failure=str(error)[:1000], updated_at=now)
        _end(call, Outcome.UNKNOWN, now, error)
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


def flag(shipment: Shipment, why: str) -> None:
    """Have an operator look at a shipment, loudly. Call with its row locked."""
    shipment.attention = why[:300]
    shipment.save(update_fields=["attention", "updated_at"])
    log.error("shipment_needs_attention", shipment=shipment.pk, why=why)


def _settled_meanwhile(shipment: Shipment, booking: Booking) -> BookingResult:
    """An event or an operator settled the booking before the call's answer came."""
    with transaction.atomic():
        current = Shipment.objects.select_for_update().get(pk=shipment.pk)
        if current.status == Status.FAILED and current.attempt == shipment.attempt:
            # Given up too early. It exists: live again, so that nobody books it a second time.
            mark_booked(
                current, booking.tracking_id, booking.waybill, booking.vendor, timezone.now()
            )
            current.save(update_fields=BOOKED_FIELDS)
            flag(current, "Given up as not booked, but the courier's late answer says it is.")
        elif booking.tracking_id not in (current.tracking_id, *current.former_tracking_ids):
            flag(current, f"Second shipment: the courier's late answer gave {booking.tracking_id}.")
        if current.tracking_id:
            return BookingResult(current, 201, store_answer(current))
    return BookingResult(current, 202, shipment_json(current))


def _unsettled(shipment: Shipment) -> QuerySet[Shipment]:
    # `attempt` fences off the late answer of an attempt that was given up.
    return Shipment.objects.filter(pk=shipment.pk, attempt=shipment.attempt, status__in=UNSETTLED)


def _end(
    call: CourierCall, outcome: Outcome, now: dt.datetime, error: CourierError | None = None
) -> None:
    CourierCall.objects.filter(pk=call.pk).update(
        outcome=outcome,
        finished_at=now,
        http_status=error.http_status if error else None,
        code=(error.code if error else "")[:100],
        message=(str(error) if error else "")[:1000],
    )


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
