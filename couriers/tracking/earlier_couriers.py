"""Events of a courier about an order that another courier was asked for since.

They say that the earlier courier has a parcel. It is noted with the attempt and flagged, and none
of its scans moves the shipment, which is another parcel.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from django.db.models import F, Q
from django.utils import timezone

from couriers.booking.attempts import note_parcel
from couriers.contract.receiver import CourierEvent, Topic
from couriers.contract.registry import CourierFactory
from couriers.contract.signals import SettledBy
from couriers.contract.statuses import Status
from couriers.models import BookingAttempt, CourierAccount, FlagKind, Shipment
from couriers.models.flag import clear_flags
from couriers.tracking.status import latest_possible_time

CLEARED_BY_SCAN = "The earlier courier says that the parcel is cancelled."


def attempts_named(
    account: CourierAccount, events: Sequence[CourierEvent]
) -> Sequence[BookingAttempt]:
    """Return the account's attempts that the events may be about, of shipments with another.

    `events` are those whose tracking ids no shipment of the account has.
    """
    ids = {event.tracking_id for event in events}
    numbers = {event.order_number for event in events} - {""}
    about = Q(tracking_id__in=ids - {""}) | Q(
        shipment__company=account.company_id,
        shipment__is_test=account.is_test,
        shipment__order_number__in=numbers,
    )
    rows = BookingAttempt.objects.filter(about, account=account)
    moved = rows.exclude(shipment__account=F("account"))
    return list(moved.order_by("-shipment_id", "-number"))


def apply_to_attempts(
    attempts: Sequence[BookingAttempt],
    events: Mapping[int, CourierEvent],
    shipments: Mapping[str, Shipment],
) -> set[int]:
    """Apply the events that are about earlier attempts; return their positions.

    `shipments` are the locked ones by id. An event of an order whose shipment with this account is
    not settled is left: it settles that one.
    """
    unsettled = {
        each.order_number
        for each in shipments.values()
        if each.status in (Status.BOOKING, Status.IN_DOUBT)
        and all(each.pk != attempt.shipment_id for attempt in attempts)
    }
    applied = set()
    for position, event in events.items():
        if event.order_number in unsettled:
            continue
        attempt = _attempt_of(event, attempts, shipments)
        if attempt is None:
            continue
        note_parcel(attempt, event.tracking_id, by=SettledBy.CALLBACK)
        if event.topic == Topic.TRACK_UPDATED and attempt.tracking_id:
            _note_status(attempt, event, shipments[attempt.shipment_id])
        applied.add(position)
    return applied


def _attempt_of(
    event: CourierEvent,
    attempts: Sequence[BookingAttempt],
    shipments: Mapping[str, Shipment],
) -> BookingAttempt | None:
    """Return the attempt whose parcel the event is about: by its id, or the newest of its order.

    An attempt of which it is not known how its call ended is likelier than a refused one.
    """
    if not event.tracking_id:
        return None
    known = [each for each in attempts if each.tracking_id == event.tracking_id]
    of_order = [
        each
        for each in attempts
        if event.order_number and shipments[each.shipment_id].order_number == event.order_number
    ]
    likely = [each for each in of_order if each.outcome == "unknown" and not each.tracking_id]
    return next(iter([*known, *likely, *of_order]), None)


def _note_status(attempt: BookingAttempt, event: CourierEvent, shipment: Shipment) -> None:
    """Keep the parcel's last status by the courier's time. One that is cancelled needs nobody."""
    scan = event.scan
    if scan is None or scan.at > latest_possible_time():
        return
    mapper = CourierFactory.adapter_class(attempt.courier_id).mapper
    status = mapper.in_direction(scan.mapped, shipment.direction)
    last = attempt.parcel_status_at
    if status is None or (last is not None and scan.at < last):
        return
    note_parcel_status(attempt, shipment, status, scan.at)


def note_parcel_status(
    attempt: BookingAttempt, shipment: Shipment, status: Status, at: dt.datetime
) -> None:
    """Write the status of an earlier courier's parcel. Call with the shipment's row locked."""
    attempt.parcel_status, attempt.parcel_status_at = status, at
    if status == Status.CANCELLED and attempt.cancelled_at is None:
        attempt.cancelled_at = timezone.now()
        clear_flags(
            [shipment],
            FlagKind.EARLIER_COURIER,
            tracking_id=attempt.tracking_id,
            reason=CLEARED_BY_SCAN,
        )
    attempt.save(update_fields=["parcel_status", "parcel_status_at", "cancelled_at"])
