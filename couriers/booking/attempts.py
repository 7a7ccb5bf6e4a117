"""The attempts of an order that are over, and the parcels that their couriers turn out to have.

A courier that was asked before may confirm its attempt after another courier was asked. Its parcel
never takes the place of the other courier's: it is noted with its attempt, and flagged. Only where
no courier has the order by then does the parcel become the shipment's own.
"""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from couriers.booking.booked import BOOKED_FIELDS, mark_booked, store_answer
from couriers.contract.logs import get_logger
from couriers.contract.masking import mask_text
from couriers.contract.signals import SettledBy
from couriers.contract.statuses import RELEASES_ORDER, Status
from couriers.contract.types import Booking
from couriers.models import BookingAttempt, FlagKind, Shipment
from couriers.models.announcements import booking_ended
from couriers.models.call import Outcome
from couriers.models.flag import clear_flags, raise_flag

log = get_logger(__name__)

CLEARED_BY_ADOPTION = "No other courier has the order: the parcel is the shipment's own now."
# The columns of a shipment that say with whom it is booked, and in which attempt.
COURIER_FIELDS = ("account", "courier", "service", "attempt", "attempt_started_at")


def note_end(shipment: Shipment, outcome: Outcome, reason: str) -> None:
    """Store that the shipment's present attempt is over and booked nothing.

    `reason` is for the merchant. Call in the transaction that ends the attempt. A second call for
    the same attempt changes nothing.
    """
    row = BookingAttempt(
        shipment_id=shipment.pk,
        number=shipment.attempt,
        account_id=shipment.account_id,
        courier_id=shipment.courier_id,
        service=shipment.service,
        outcome=outcome,
        reason=mask_text(reason),
        started_at=shipment.attempt_started_at or shipment.created_at,
        ended_at=timezone.now(),
    )
    BookingAttempt.objects.bulk_create([row], ignore_conflicts=True)


def forget_end(shipment: Shipment) -> None:
    """Forget the end of the present attempt, because its courier has the order after all."""
    BookingAttempt.objects.filter(shipment=shipment.pk, number=shipment.attempt).delete()


def note_parcel(attempt: BookingAttempt, tracking_id: str, *, by: SettledBy) -> Shipment:
    """Note that the courier of an attempt that is over has a parcel; return its shipment.

    The shipment becomes that parcel's where no courier has the order. Otherwise it stays as it is,
    and gets a flag that names the courier and the tracking id. Call in a transaction, with the rows
    of the order locked.
    """
    shipment = Shipment.objects.select_for_update(of=("self",)).get(pk=attempt.shipment_id)
    if attempt.tracking_id != tracking_id:
        attempt.tracking_id = tracking_id
        attempt.found_at = timezone.now()
        attempt.parcel_status, attempt.parcel_status_at, attempt.cancelled_at = "", None, None
        attempt.save()
        raise_flag(
            shipment,
            FlagKind.EARLIER_COURIER,
            tracking_id=tracking_id,
            courier=attempt.courier_id,
        )
        log.error(
            "earlier_courier_has_parcel", shipment=shipment.pk, courier=attempt.courier_id,
            tracking_id=tracking_id, by=by.value,
        )  # fmt: skip
    if shipment.status == Status.FAILED:
        adopt_parcel(shipment, by=by)
    return shipment


def adopt_parcel(shipment: Shipment, *, by: SettledBy) -> bool:
    """Make a failed shipment that of the parcel which an earlier courier has; return whether it is.

    An order with another live shipment keeps that one. Call with the shipment's row locked.
    """
    if shipment.attempt == 1:
        return False
    attempt = open_parcels(shipment).order_by("-number").first()
    if attempt is None:
        return False
    others = Shipment.objects.same_order_as(shipment).exclude(pk=shipment.pk)
    if others.live().exists():
        return False
    try:
        with transaction.atomic():
            _become(shipment, attempt, by)
    except IntegrityError:
        # Another request has just booked the order, or the id is another shipment's.
        log.warning("parcel_not_adopted", shipment=shipment.pk, tracking_id=attempt.tracking_id)
        shipment.refresh_from_db()
        return False
    return True


def _become(shipment: Shipment, attempt: BookingAttempt, by: SettledBy) -> None:
    previous = shipment.status
    tracking_id = attempt.tracking_id
    BookingAttempt.objects.filter(pk=attempt.pk).update(
        tracking_id="", found_at=None, parcel_status="", parcel_status_at=None
    )
    shipment.account_id = attempt.account_id
    shipment.courier_id = attempt.courier_id
    shipment.service = attempt.service
    shipment.attempt += 1
    shipment.attempt_started_at = attempt.started_at
    mark_booked(shipment, Booking(tracking_id), timezone.now())
    shipment.save(update_fields=[*BOOKED_FIELDS, *COURIER_FIELDS])
    store_answer(shipment)
    booking_ended(shipment, previous, Status.BOOKED, by)
    clear_flags(
        [shipment],
        FlagKind.EARLIER_COURIER,
        tracking_id=tracking_id,
        reason=CLEARED_BY_ADOPTION,
    )
    raise_flag(shipment, FlagKind.LATE_CONFIRMATION, tracking_id=tracking_id)


def open_parcels(shipment: Shipment) -> QuerySet[BookingAttempt]:
    """Return the shipment's attempts that are over and whose couriers have an open parcel."""
    found = shipment.earlier_attempts.filter(cancelled_at__isnull=True).exclude(tracking_id="")
    return found.exclude(parcel_status__in=sorted(RELEASES_ORDER))
