"""Asking the next courier for an order whose doubt was settled as not booked, by its rule.

The work is in PostgreSQL (models.FailOver), so it survives the process. A row is claimed with a
lease, and is deleted in the transaction that starts the next attempt. A process that dies before
that leaves it to the next run; one that dies after it leaves a booking in doubt, as any other.
"""

from __future__ import annotations

import dataclasses
import time

from django.db import IntegrityError
from django.db.models import F, QuerySet

from couriers.booking.fail_over import Turns
from couriers.booking.next_courier import PAUSES, candidates_left, pause_after
from couriers.booking.protocol import call_and_settle
from couriers.booking.stored_drafts import draft_of
from couriers.conf import tunables
from couriers.contract.errors import NotDone, NotSent, Rejected
from couriers.contract.logs import get_logger
from couriers.contract.platform_errors import UnreadableValue
from couriers.contract.statuses import Status
from couriers.contract.types import ShipmentDraft
from couriers.models import FailOver, IdempotencyKey, Shipment
from couriers.models.claims import bring_forward, claim, due, seconds_from_now, unclaimed
from couriers.models.transactions import refuse_open_transaction
from couriers.rates.choice import Choice

log = get_logger(__name__)

LONGEST_WAIT = 5.0  # seconds for the rate limiter


def go_on(shipment_id: str) -> bool:
    """Ask the next courier for this order, if that is due; return whether one was asked.

    It may run twice, and in several processes at once. Raises InsideTransaction if a transaction is
    open.
    """
    refuse_open_transaction("go_on()")
    claimed = _claim(FailOver.objects.filter(shipment=shipment_id))
    return _go_on(claimed) if claimed is not None else False


def go_on_due(seconds: float) -> int:
    """Ask the next courier for the orders that are due, for about `seconds`; return how many."""
    rows = FailOver.objects.all()
    bring_forward(rows, PAUSES.longest)
    ends = time.monotonic() + seconds
    asked = 0
    while time.monotonic() < ends and (claimed := _claim(rows)) is not None:
        asked += _go_on(claimed)
    return asked


def _claim(rows: QuerySet[FailOver]) -> FailOver | None:
    claimed = claim(
        rows.filter(due(), unclaimed()).order_by("next_attempt_at"),
        limit=1,
        lease_expires_at=seconds_from_now(tunables().BOOKING_LEASE),
        tries=F("tries") + 1,
    )
    return claimed[0] if claimed else None


def _go_on(claimed: FailOver) -> bool:
    shipment = Shipment.objects.select_related("company").get(pk=claimed.shipment_id)
    if shipment.choice is None or not _is_wanted(shipment, claimed):
        _drop(claimed)
        return False
    choice = Choice.from_json(shipment.choice)
    try:
        draft = _draft_of(shipment)
    except UnreadableValue as error:
        log.error("next_courier_not_asked", shipment=shipment.pk, error=str(error))
        _put_off(claimed, PAUSES.after(claimed.tries + 1))
        return False
    turns = Turns(
        shipment.company,
        draft,
        choice,
        is_test=shipment.is_test,
        longest_wait=LONGEST_WAIT,
        candidates=candidates_left(choice, shipment),
        rounds_before=claimed.tries,
    )
    try:
        reserved = turns.start_from(shipment)
    except IntegrityError:
        # The order was booked by another request.
        _drop(claimed)
        return False
    if reserved is None:
        _end_without(claimed, turns)
        return False
    try:
        call_and_settle(reserved, LONGEST_WAIT, turns)
    except (NotSent, NotDone, Rejected) as error:
        log.info("no_further_courier", shipment=shipment.pk, error=str(error))
    return True


def _is_wanted(shipment: Shipment, claimed: FailOver) -> bool:
    """Whether nothing else has become of the order: it is as the doubt was settled."""
    if shipment.status != Status.FAILED or shipment.attempt != claimed.attempt:
        return False
    if shipment.erased_at is not None:
        return False
    # A key that was used for another order since has another shipment.
    return IdempotencyKey.objects.filter(shipment=shipment).exists()


def _draft_of(shipment: Shipment) -> ShipmentDraft:
    return dataclasses.replace(
        draft_of(shipment),
        invoice_number=shipment.invoice_number,
        invoice_date=shipment.invoice_date,
        metadata=shipment.metadata,
    )


def _end_without(claimed: FailOver, turns: Turns) -> None:
    """Ask again later where a courier may soon take the order; else the order has failed."""
    pause = pause_after(turns.round) if turns.round else None
    if pause is not None:
        _put_off(claimed, pause)
        return
    if turns.errors:
        Shipment.objects.filter(
            pk=claimed.shipment_id, attempt=claimed.attempt, status=Status.FAILED
        ).update(choice=turns.choice.as_json())
    _drop(claimed)


def _put_off(claimed: FailOver, pause: float) -> None:
    FailOver.objects.filter(pk=claimed.pk).update(
        next_attempt_at=seconds_from_now(pause), lease_expires_at=None
    )


def _drop(claimed: FailOver) -> None:
    FailOver.objects.filter(pk=claimed.pk, attempt=claimed.attempt).delete()
