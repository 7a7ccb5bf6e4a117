"""Applying scans and events to shipments: from callbacks, from polling and from cancellations."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from couriers.contract import types
from couriers.contract.receiver import CourierEvent, Topic
from couriers.contract.statuses import Status
from couriers.models import BookingAttempt, CourierAccount, FlagKind, Shipment
from couriers.models.flag import ShipmentFlag, raise_flag
from couriers.tracking import snapshot
from couriers.tracking.confirmation import Confirmation, apply_creation, may_name
from couriers.tracking.earlier_couriers import apply_to_attempts, attempts_named
from couriers.tracking.named_orders import settle_named_orders
from couriers.tracking.recreation import apply_recreation
from couriers.tracking.scan_rows import new_scan, store_and_recount
from couriers.tracking.scans import NewScan


class Applied(enum.StrEnum):
    """The result of an event. That of an erased shipment is applied without the courier's words."""

    APPLIED = "applied"
    ERASED_SHIPMENT = "erased_shipment"
    UNKNOWN_SHIPMENT = "unknown_shipment"


def apply_events(account: CourierAccount, events: Sequence[CourierEvent]) -> list[Applied]:
    """Apply a courier's events to this account's shipments, in one transaction.

    Returns one Applied for each event. An event whose shipment is not known (yet) changes nothing.
    What a courier says of an order that another one was asked for since is noted, and does not
    change the order's shipment.
    """
    with transaction.atomic():
        locked = _lock_shipments(account, events)
        noted = _note_earlier_parcels(events, locked)
        rest = [event for position, event in enumerate(events) if position not in noted]
        if noted:
            locked = _lock_shipments(account, rest)
        results = iter(_apply_events(account, rest, locked.shipments))
        return [
            Applied.APPLIED if position in noted else next(results)
            for position in range(len(events))
        ]


def _note_earlier_parcels(events: Sequence[CourierEvent], locked: _Locked) -> set[int]:
    """Apply the events about attempts before another courier's; return their positions."""
    if not locked.attempts:
        return set()
    known = _by_tracking_id(locked.shipments)
    strays = {
        position: event for position, event in enumerate(events) if event.tracking_id not in known
    }
    by_key = {each.pk: each for each in (*locked.shipments, *locked.moved)}
    return apply_to_attempts(locked.attempts, strays, by_key)


def _apply_events(
    account: CourierAccount, events: Sequence[CourierEvent], shipments: Sequence[Shipment]
) -> list[Applied]:
    if not events:
        return []
    by_id = _by_tracking_id(shipments)
    # Creations first: the batch may hold a scan of a tracking id that it also assigns.
    results, assigned = _apply_creations(account, events, by_id, shipments)
    if assigned:
        shipments = _lock_shipments(account, events).shipments
        by_id = _by_tracking_id(shipments)
    scanned = {p: event for p, event in enumerate(events) if event.topic == Topic.TRACK_UPDATED}
    if settle_named_orders(account, [*scanned.values()], by_id.keys(), shipments):
        shipments = _lock_shipments(account, events).shipments
        by_id = _by_tracking_id(shipments)
    rows = []
    named: list[tuple[CourierEvent, Shipment]] = []
    touched = {by_id[i].pk: by_id[i] for i in assigned if i in by_id}
    for position, event in scanned.items():
        shipment = by_id.get(event.tracking_id)
        if shipment is None or event.scan is None:
            results[position] = Applied.UNKNOWN_SHIPMENT
            continue
        results[position] = _applied_to(shipment)
        touched[shipment.pk] = shipment
        rows.append(new_scan(shipment, event.scan, event.tracking_id, _estimate(event)))
        if not may_name(event.order_number, shipment.order_number):
            named.append((event, shipment))
    _flag_other_orders(named, shipments, again=False)
    store_and_recount(touched.values(), rows)
    return [results[position] for position in range(len(events))]


def apply_tracking(shipment: Shipment, tracking: types.Tracking) -> Shipment:
    """Apply a courier's answer about one shipment; return the updated shipment.

    An answer about an id that is no longer the shipment's changes nothing: it was corrected.
    """
    with transaction.atomic():
        locked = Shipment.objects.select_for_update().get(pk=shipment.pk)
        _apply_answers([(locked, shipment.tracking_id, tracking)])
    return locked


def apply_trackings(answers: Sequence[tuple[Shipment, types.Tracking]]) -> list[Shipment]:
    """Apply a courier's answers about many shipments in one transaction, as apply_tracking does.

    Returns the updated shipments in the order of the answers, with the columns of
    tracking/snapshot.py alone.
    """
    with transaction.atomic():
        found = (
            Shipment.objects.select_for_update(of=("self",))
            .filter(pk__in=[shipment.pk for shipment, _ in answers])
            .only(*snapshot.READ)
            .order_by("id")
        )
        locked = {shipment.pk: shipment for shipment in found}
        _apply_answers(
            [
                (locked[shipment.pk], shipment.tracking_id, tracking)
                for shipment, tracking in answers
            ]
        )
    return [locked[shipment.pk] for shipment, _ in answers]


def _apply_answers(answers: Sequence[tuple[Shipment, str, types.Tracking]]) -> None:
    """Apply answers to locked shipments, each with the tracking id that was asked about."""
    current = [answer for answer in answers if _has_id(answer[0], answer[1])]
    now = timezone.now()
    changed, rows = [], []
    for locked, tracking_id, tracking in current:
        before = snapshot.tracking_snapshot(locked)
        if tracking.estimated_delivery:
            locked.estimated_delivery = tracking.estimated_delivery
        if tracking.attempts is not None:
            locked.delivery_attempts = tracking.attempts
        if snapshot.tracking_snapshot(locked) != before:
            locked.updated_at = now
            changed.append(locked)
        # The estimate is stored with the last scan: it is as old as that scan.
        last = max((scan.at for scan in tracking.scans), default=None)
        for scan in tracking.scans:
            estimate = tracking.estimated_delivery if scan.at == last else None
            # Under the id that was polled: the parcel may have been recreated since.
            rows.append(new_scan(locked, scan, tracking_id, estimate))
    snapshot.write(changed)
    store_and_recount([locked for locked, *_ in current], rows)


def mark_cancelled(shipment: Shipment, status: Status = Status.CANCELLED) -> Shipment:
    """Store a scan of the platform itself: the courier cancelled `shipment.tracking_id`.

    `status` is what follows: CANCELLED, an end, or a status of RTO, where the parcel travels back.
    """
    return _store_own_scan(shipment, status, "Cancelled", "Cancelled by the merchant")


def mark_rto(shipment: Shipment, status: Status) -> Shipment:
    """Store a scan of the platform itself: the courier sends `shipment.tracking_id` back.

    `status` is one of RTO.
    """
    return _store_own_scan(shipment, status, "RTO Requested", "Return requested by the merchant")


def _store_own_scan(
    shipment: Shipment, status: Status, courier_status: str, description: str
) -> Shipment:
    """Store a scan of now. Nothing changes where the tracking id was corrected since."""
    with transaction.atomic():
        locked = Shipment.objects.select_for_update().get(pk=shipment.pk)
        if not _has_id(locked, shipment.tracking_id):
            return locked
        scan = NewScan(
            shipment_id=locked.pk,
            tracking_id=shipment.tracking_id,
            at=timezone.now(),
            status=status,
            courier_status=courier_status,
            description=description,
        )
        store_and_recount([locked], [scan])
    return locked


def _has_id(shipment: Shipment, tracking_id: str) -> bool:
    """Whether the tracking id is the shipment's, or was before it was recreated."""
    return tracking_id in (shipment.tracking_id, *shipment.former_tracking_ids)


@dataclass(frozen=True, slots=True)
class _Locked:
    """The account's shipments that events may change. `attempts` are its earlier ones of orders
    that are with another account now, and `moved` are the shipments of those.
    """

    shipments: Sequence[Shipment]
    moved: Sequence[Shipment] = ()
    attempts: Sequence[BookingAttempt] = ()


def _lock_shipments(account: CourierAccount, events: Sequence[CourierEvent]) -> _Locked:
    """Lock every shipment that the events may change, in the order of ids to avoid deadlocks."""
    ids = {event.tracking_id for event in events}
    of_account = Shipment.objects.filter(account=account).order_by()
    found = of_account.filter(tracking_id__in=ids)
    keys: set[str] = set()
    numbers: dict[str, str] = {}  # the order number by tracking id
    for tracking_id, pk, number in found.values_list("tracking_id", "pk", "order_number"):
        keys.add(pk)
        numbers[tracking_id] = number
    if unknown := ids - numbers.keys():
        former = of_account.exclude(former_tracking_ids=[]).filter(
            former_tracking_ids__overlap=sorted(unknown)
        )
        columns = ("former_tracking_ids", "pk", "order_number")
        for former_ids, pk, number in former.values_list(*columns):
            keys.add(pk)
            numbers |= dict.fromkeys(former_ids, number)
    if orders := {event.order_number for event in events if _names_order(event, numbers)}:
        keys.update(of_account.filter(order_number__in=orders).values_list("pk", flat=True))
    strays = [event for event in events if event.tracking_id not in numbers]
    attempts = attempts_named(account, strays) if strays else ()
    keys.update(attempt.shipment_id for attempt in attempts)
    locked = list(
        Shipment.objects.select_for_update(of=("self",))
        .filter(pk__in=keys)
        .only(*snapshot.READ)
        .order_by("id")
    )
    mine = [shipment for shipment in locked if shipment.account_id == account.pk]
    moved = [shipment for shipment in locked if shipment.account_id != account.pk]
    # A shipment may have come back to the account while it was waited for.
    away = {shipment.pk for shipment in moved}
    return _Locked(mine, moved, [each for each in attempts if each.shipment_id in away])


def _names_order(event: CourierEvent, numbers: Mapping[str, str]) -> bool:
    """Whether the event may change other shipments than that of its tracking id.

    A creation may, even with a known id, and a scan whose id is unknown or another order's.
    """
    if event.topic != Topic.TRACK_UPDATED or event.tracking_id not in numbers:
        return bool(event.order_number)
    return not may_name(event.order_number, numbers[event.tracking_id])


def _by_tracking_id(shipments: Iterable[Shipment]) -> dict[str, Shipment]:
    found = {former: s for s in shipments for former in s.former_tracking_ids}
    return found | {s.tracking_id: s for s in shipments if s.tracking_id}


def _apply_creations(
    account: CourierAccount,
    events: Sequence[CourierEvent],
    by_id: Mapping[str, Shipment],
    shipments: Sequence[Shipment],
) -> tuple[dict[int, Applied], set[str]]:
    """Apply created and recreated events.

    Returns a result for each event by its position, and the tracking ids that were assigned.
    """
    results: dict[int, Applied] = {}
    assigned: set[str] = set()
    confirmed: set[str] = set()
    named: list[tuple[CourierEvent, Shipment]] = []
    for position, event in enumerate(events):
        if event.topic == Topic.TRACK_UPDATED:
            continue
        holder = by_id.get(event.tracking_id)
        if holder is not None and holder.confirmed_at is None:
            confirmed.add(holder.pk)
        confirmation = _apply_creation(account, event, holder)
        if confirmation is Confirmation.OTHER_ORDER and holder is not None:
            confirmed.discard(holder.pk)
            named.append((event, holder))
        results[position] = _applied_to(holder)
        if confirmation is Confirmation.UNKNOWN:
            results[position] = Applied.UNKNOWN_SHIPMENT
        elif confirmation is not Confirmation.KNOWN:
            assigned.add(event.tracking_id)
    _flag_other_orders(named, shipments, again=True)
    if confirmed:
        Shipment.objects.filter(pk__in=confirmed).update(confirmed_at=timezone.now())
    return results, assigned


def _apply_creation(
    account: CourierAccount, event: CourierEvent, holder: Shipment | None
) -> Confirmation:
    """Apply one event; `holder` is the shipment that has its tracking id already, if any."""
    if event.topic == Topic.SHIPMENT_RECREATED:
        return apply_recreation(account, event)
    if holder is None:
        return apply_creation(account, event)
    is_named = may_name(event.order_number, holder.order_number)
    return Confirmation.KNOWN if is_named else Confirmation.OTHER_ORDER


def _flag_other_orders(
    named: Sequence[tuple[CourierEvent, Shipment]], shipments: Sequence[Shipment], *, again: bool
) -> None:
    """Flag shipments of which an event names another order, and those of the orders named.

    `named` has each event with the shipment that has its tracking id. That one has one open flag at
    most, whichever orders further events name; a shipment of a named order has its own. What an
    operator has cleared is raised `again` or not.
    """
    if not named:
        return
    flags = ShipmentFlag.objects.filter(
        kind=FlagKind.OTHER_ORDER, shipment__in={shipment.pk for shipment in shipments}
    ).values_list("shipment_id", "tracking_id", "order_number", "cleared_at")
    known = {(pk, about, number) for pk, about, number, at in flags if at is None or not again}
    flagged = {(pk, about) for pk, about, _, cleared_at in flags if cleared_at is None}
    for event, holder in named:
        about, number = event.tracking_id, event.order_number
        wrong = [one for one in shipments if one is not holder and one.order_number == number]
        if (holder.pk, about) not in flagged:
            wrong.append(holder)
        for shipment in wrong:
            if (shipment.pk, about, number) not in known:
                raise_flag(shipment, FlagKind.OTHER_ORDER, tracking_id=about, order_number=number)
                known.add((shipment.pk, about, number))
                flagged.add((shipment.pk, about))


def _applied_to(shipment: Shipment | None) -> Applied:
    erased = shipment is not None and shipment.erased_at is not None
    return Applied.ERASED_SHIPMENT if erased else Applied.APPLIED


def _estimate(event: CourierEvent) -> dt.datetime | None:
    if not event.estimated_delivery_ms:
        return None
    return dt.datetime.fromtimestamp(event.estimated_delivery_ms / 1000, dt.UTC)
