"""Applying scans and events to shipments: from callbacks, from polling and from cancellations."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Collection, Iterable, Mapping, Sequence

from django.db import transaction
from django.utils import timezone
from prometheus_client import Counter

from couriers.contract import types
from couriers.contract.logs import get_logger
from couriers.contract.masking import mask_text
from couriers.contract.receiver import CourierEvent, Topic
from couriers.contract.statuses import Status
from couriers.models import CourierAccount, FlagKind, Shipment
from couriers.models.flag import raise_flag
from couriers.tracking import scans, snapshot
from couriers.tracking.confirmation import Confirmation, apply_creation, may_be_order_of
from couriers.tracking.recreation import apply_recreation
from couriers.tracking.scans import NewScan
from couriers.tracking.status import latest_possible_time, recount

log = get_logger(__name__)

UNKNOWN_STATUSES = Counter(
    "shipcrowd_unknown_statuses", "Scans with a status that the plug-in does not know", ["courier"]
)


class Applied(enum.StrEnum):
    """The result of an event. That of an erased shipment is applied without the courier's words."""

    APPLIED = "applied"
    ERASED_SHIPMENT = "erased_shipment"
    UNKNOWN_SHIPMENT = "unknown_shipment"


def apply_events(account: CourierAccount, events: Sequence[CourierEvent]) -> list[Applied]:
    """Apply a courier's events to this account's shipments, in one transaction.

    Returns one Applied for each event. An event whose shipment is not known (yet) changes nothing.
    """
    with transaction.atomic():
        shipments = _lock_shipments(account, events)
        by_id = _by_tracking_id(shipments)
        # Creations first: the batch may hold a scan of a tracking id that it also assigns.
        results, assigned = _apply_creations(account, events, by_id, shipments)
        if assigned:
            shipments = _lock_shipments(account, events)
            by_id = _by_tracking_id(shipments)
        rows = []
        touched = {by_id[i].pk: by_id[i] for i in assigned if i in by_id}
        for position, event in enumerate(events):
            if event.topic != Topic.TRACK_UPDATED:
                continue
            shipment = by_id.get(event.tracking_id)
            if shipment is None or event.scan is None:
                results[position] = Applied.UNKNOWN_SHIPMENT
                continue
            results[position] = _applied_to(shipment)
            touched[shipment.pk] = shipment
            rows.append(_new_scan(shipment, event.scan, event.tracking_id, _estimate(event)))
        _store_and_recount(touched.values(), rows)
    return [results[position] for position in range(len(events))]


def apply_tracking(shipment: Shipment, tracking: types.Tracking) -> Shipment:
    """Apply a courier's answer about one shipment; return the updated shipment.

    An answer about an id that is no longer the shipment's changes nothing: it was corrected.
    """
    with transaction.atomic():
        locked = Shipment.objects.select_for_update().get(pk=shipment.pk)
        if not _has_id(locked, shipment.tracking_id):
            return locked
        answered = {
            "estimated_delivery": tracking.estimated_delivery or locked.estimated_delivery,
            "delivery_attempts": (
                locked.delivery_attempts if tracking.attempts is None else tracking.attempts
            ),
        }
        if any(getattr(locked, name) != value for name, value in answered.items()):
            for name, value in answered.items():
                setattr(locked, name, value)
            locked.save(update_fields=[*answered, "updated_at"])
        # The estimate is stored with the last scan: it is as old as that scan.
        last = max((scan.at for scan in tracking.scans), default=None)
        estimate = tracking.estimated_delivery
        _store_and_recount(
            [locked],
            [
                # Under the id that was polled: the parcel may have been recreated since.
                _new_scan(locked, scan, shipment.tracking_id, estimate if scan.at == last else None)
                for scan in tracking.scans
            ],
        )
    return locked


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
        _store_and_recount([locked], [scan])
    return locked


def _has_id(shipment: Shipment, tracking_id: str) -> bool:
    """Whether the tracking id is the shipment's, or was before it was recreated."""
    return tracking_id in (shipment.tracking_id, *shipment.former_tracking_ids)


def _lock_shipments(account: CourierAccount, events: Sequence[CourierEvent]) -> list[Shipment]:
    """Lock every shipment that the events may change, in the order of ids to avoid deadlocks."""
    ids = {event.tracking_id for event in events}
    of_account = Shipment.objects.filter(account=account).order_by()
    found = dict(of_account.filter(tracking_id__in=ids).values_list("tracking_id", "pk"))
    keys = set(found.values())
    if unknown := ids - found.keys():
        keys.update(
            of_account.exclude(former_tracking_ids=[])
            .filter(former_tracking_ids__overlap=sorted(unknown))
            .values_list("pk", flat=True)
        )
    # Also the orders named by creations, even with a known id: it may belong to another order.
    orders = {e.order_number for e in events if e.topic != Topic.TRACK_UPDATED and e.order_number}
    if orders:
        keys.update(of_account.filter(order_number__in=orders).values_list("pk", flat=True))
    return list(
        Shipment.objects.select_for_update(of=("self",))
        .filter(pk__in=keys)
        .only(*snapshot.READ)
        .order_by("id")
    )


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
    for position, event in enumerate(events):
        if event.topic == Topic.TRACK_UPDATED:
            continue
        holder = by_id.get(event.tracking_id)
        if holder is not None and holder.confirmed_at is None:
            confirmed.add(holder.pk)
        confirmation = _apply_creation(account, event, holder, shipments)
        if confirmation is Confirmation.OTHER_ORDER and holder is not None:
            confirmed.discard(holder.pk)
        results[position] = _applied_to(holder)
        if confirmation is Confirmation.UNKNOWN:
            results[position] = Applied.UNKNOWN_SHIPMENT
        elif confirmation is not Confirmation.KNOWN:
            assigned.add(event.tracking_id)
    if confirmed:
        Shipment.objects.filter(pk__in=confirmed).update(confirmed_at=timezone.now())
    return results, assigned


def _apply_creation(
    account: CourierAccount,
    event: CourierEvent,
    holder: Shipment | None,
    shipments: Sequence[Shipment],
) -> Confirmation:
    """Apply one event; `holder` is the shipment that has its tracking id already, if any."""
    if event.topic == Topic.SHIPMENT_RECREATED:
        return apply_recreation(account, event)
    if holder is None:
        return apply_creation(account, event)
    if may_be_order_of(holder, event.order_number):
        return Confirmation.KNOWN
    for shipment in shipments:
        if shipment is holder or shipment.order_number == event.order_number:
            raise_flag(
                shipment,
                FlagKind.OTHER_ORDER,
                tracking_id=event.tracking_id,
                order_number=event.order_number,
            )
    return Confirmation.OTHER_ORDER


def _applied_to(shipment: Shipment | None) -> Applied:
    erased = shipment is not None and shipment.erased_at is not None
    return Applied.ERASED_SHIPMENT if erased else Applied.APPLIED


def _new_scan(
    shipment: Shipment, scan: types.Scan, tracking_id: str, estimate: dt.datetime | None
) -> NewScan:
    status = "" if scan.at > latest_possible_time() else scan.mapped.status or ""
    if shipment.erased_at is not None:
        # The same texts are left of it as of a scan that was stored before (operations/erasure.py).
        word = mask_text(scan.mapped.courier_status)[:100] if status else ""
        return NewScan(shipment.pk, tracking_id, scan.at, status, word, estimated_delivery=estimate)
    return NewScan(
        shipment_id=shipment.pk,
        tracking_id=tracking_id,
        at=scan.at,
        status=status,
        # Masked before it is cut: a cut phone number would not be recognised.
        courier_status=mask_text(scan.mapped.courier_status)[:100],
        ndr_reason=mask_text(scan.mapped.courier_reason)[:100],
        location=mask_text(scan.location)[:200],
        description=mask_text(scan.description)[:500],
        estimated_delivery=estimate,
    )


def _estimate(event: CourierEvent) -> dt.datetime | None:
    if not event.estimated_delivery_ms:
        return None
    return dt.datetime.fromtimestamp(event.estimated_delivery_ms / 1000, dt.UTC)


def _store_and_recount(shipments: Collection[Shipment], rows: Sequence[NewScan]) -> None:
    """Store each new scan once, then set the status of the shipments from all their scans."""
    if not shipments:
        return
    by_key = {shipment.pk: shipment for shipment in shipments}
    latest = latest_possible_time()
    for shipment_id, word in scans.store([row for row in rows if row.at <= latest]):
        courier = by_key[shipment_id].courier_id
        UNKNOWN_STATUSES.labels(courier).inc()
        log.warning("unknown_status", courier=courier, word=word)
    future_rows = [row for row in rows if row.at > latest]
    scans.store(future_rows)
    for row in future_rows:
        raise_flag(by_key[row.shipment_id], FlagKind.FUTURE_SCANS)
    recount(shipments)
