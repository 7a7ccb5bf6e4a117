"""Scans in, shipment status out.

A shipment's status is a function of the set of its scans, whatever order they arrived in, so a
repeat or a late arrival can do no harm. Knows neither where scans come from nor any courier.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import structlog
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from prometheus_client import Counter

from couriers import types
from couriers.doubt import Confirmation, confirm_from_courier
from couriers.models import CourierAccount, Scan, Shipment
from couriers.receiver import CourierEvent, Topic
from couriers.statuses import RTO, STATUS_FACTS, Status

log = structlog.get_logger(__name__)

LATE_SCANS = "The courier sent scans after the end of this shipment."
UNKNOWN_STATUSES = Counter(
    "shipcrowd_unknown_statuses", "Scans with a status that the plug-in does not know", ["courier"]
)


class Applied(enum.StrEnum):
    """What became of an event."""

    APPLIED = "applied"
    UNKNOWN_SHIPMENT = "unknown_shipment"


@dataclass(frozen=True, slots=True)
class Folded:
    """What a set of scans amounts to; `latest` is the scan that made the status, or None."""

    latest: Scan | None
    ignored: frozenset[int]


def fold(scans: Iterable[Scan]) -> Folded:
    """Walk the scans in the courier's own time; ties go by progress.

    The first terminal status ends the walk and what comes after it is ignored, with one
    exception: a parcel cancelled after pick-up travels back, so `cancelled` is left by RTO scans.
    Scans of unknown status change nothing. `ignored` holds ids of scans.
    """
    latest: Scan | None = None
    ignored = set()
    for scan in sorted(scans, key=_order):
        if not scan.status:
            continue
        if latest is not None and STATUS_FACTS[Status(latest.status)].terminal:
            leaves = latest.status == Status.CANCELLED and scan.status in RTO
            if not leaves:
                if scan.status != latest.status:
                    ignored.add(scan.pk)
                continue
        latest = scan
    return Folded(latest, frozenset(ignored))


def _order(scan: Scan) -> tuple[dt.datetime, int, str, str]:
    progress = STATUS_FACTS[Status(scan.status)].progress if scan.status else -1
    return (scan.at, progress, scan.courier_status, scan.location)


def apply_events(account: CourierAccount, events: Sequence[CourierEvent]) -> list[Applied]:
    """Apply a courier's events to this account's shipments, in one transaction.

    Answers one Applied for each event; one whose shipment is not known (yet) changes nothing.
    """
    with transaction.atomic():
        shipments = _locked(account, events)
        by_id = {
            known: shipment
            for shipment in shipments
            for known in (*shipment.former_tracking_ids, shipment.tracking_id)
            if known
        }
        answers = []
        scans: list[Scan] = []
        news: dict[str, dt.datetime] = {}
        confirmed: set[str] = set()
        for event in events:
            shipment = by_id.get(event.tracking_id)
            if event.topic != Topic.TRACK_UPDATED:
                if shipment is not None:
                    confirmed.add(shipment.pk)
                answers.append(_created(account, event, known=shipment is not None))
            elif shipment is None or event.scan is None:
                answers.append(Applied.UNKNOWN_SHIPMENT)
            else:
                answers.append(Applied.APPLIED)
                scans.append(_row(shipment, event.scan))
                _note_estimate(shipment, event, news)
        _store([by_id[e.tracking_id] for e in events if e.tracking_id in by_id], scans)
        if confirmed:
            Shipment.objects.filter(pk__in=confirmed, confirmed_at__isnull=True).update(
                confirmed_at=timezone.now()
            )
    return answers


def apply_tracking(shipment: Shipment, tracking: types.Tracking) -> Shipment:
    """Apply a polled answer; returns the shipment as it stands then."""
    with transaction.atomic():
        locked = Shipment.objects.select_for_update().get(pk=shipment.pk)
        if tracking.estimated_delivery:
            locked.estimated_delivery = tracking.estimated_delivery
        if tracking.attempts is not None:
            locked.delivery_attempts = tracking.attempts
        _store([locked], [_row(locked, scan) for scan in tracking.scans])
    return locked


def mark_cancelled(shipment: Shipment) -> Shipment:
    """Note a cancellation that the courier confirmed, as a scan of our own."""
    with transaction.atomic():
        locked = Shipment.objects.select_for_update().get(pk=shipment.pk)
        scan = Scan(
            shipment=locked,
            at=timezone.now(),
            status=Status.CANCELLED,
            courier_status="Cancelled",
            description="Cancelled by the merchant",
        )
        _store([locked], [scan])
    return locked


def _locked(account: CourierAccount, events: Sequence[CourierEvent]) -> list[Shipment]:
    """Every shipment that the events may touch, locked in the order of ids: no deadlocks."""
    ids = {event.tracking_id for event in events}
    orders = {e.order_number for e in events if e.topic != Topic.TRACK_UPDATED}
    found = Q(tracking_id__in=ids) | Q(former_tracking_ids__overlap=sorted(ids))
    if orders:
        found |= Q(order_number__in=orders)
    return list(
        Shipment.objects.select_for_update(of=("self",))
        .filter(found, account=account)
        .order_by("id")
    )


def _created(account: CourierAccount, event: CourierEvent, *, known: bool) -> Applied:
    if known:
        return Applied.APPLIED
    if confirm_from_courier(account, event) == Confirmation.UNKNOWN:
        return Applied.UNKNOWN_SHIPMENT
    return Applied.APPLIED


def _row(shipment: Shipment, scan: types.Scan) -> Scan:
    if scan.mapped.status is None:
        UNKNOWN_STATUSES.labels(shipment.courier_id).inc()
        log.warning("unknown_status", courier=shipment.courier_id, word=scan.mapped.courier_status)
    return Scan(
        shipment=shipment,
        at=scan.at,
        status=scan.mapped.status or "",
        courier_status=scan.mapped.courier_status[:100],
        ndr_reason=scan.mapped.courier_reason[:100],
        location=scan.location[:200],
        description=scan.description[:500],
    )


def _note_estimate(shipment: Shipment, event: CourierEvent, news: dict[str, dt.datetime]) -> None:
    """Take the estimate of the latest scan, whichever comes first."""
    assert event.scan is not None
    last = news.get(shipment.pk) or shipment.tracked_at
    if event.estimated_delivery_ms and (last is None or event.scan.at >= last):
        news[shipment.pk] = event.scan.at
        shipment.estimated_delivery = dt.datetime.fromtimestamp(
            event.estimated_delivery_ms / 1000, dt.UTC
        )


def _store(shipments: Collection[Shipment], scans: Sequence[Scan]) -> None:
    """Store new scans once each, and let all scans of the shipments decide their status."""
    if not scans:
        return
    touched = {shipment.pk: shipment for shipment in shipments}
    Scan.objects.bulk_create(scans, ignore_conflicts=True, batch_size=1000)
    of_shipment: dict[str, list[Scan]] = defaultdict(list)
    for scan in Scan.objects.filter(shipment_id__in=touched):
        of_shipment[scan.shipment_id].append(scan)
    flags: dict[bool, list[int]] = {True: [], False: []}
    now = timezone.now()
    for pk, shipment in touched.items():
        stored = of_shipment[pk]
        folded = fold(stored)
        for scan in stored:
            if scan.ignored != (scan.pk in folded.ignored):
                flags[not scan.ignored].append(scan.pk)
        _set_status(shipment, stored, folded, now)
    Shipment.objects.bulk_update(
        touched.values(),
        [
            "status", "courier_status", "ndr_reason", "status_at", "attention", "tracked_at",
            "estimated_delivery", "delivery_attempts", "updated_at",
        ],
        batch_size=500,
    )  # fmt: skip
    for ignored, ids in flags.items():
        if ids:
            Scan.objects.filter(pk__in=ids).update(ignored=ignored)


def _set_status(
    shipment: Shipment, scans: Sequence[Scan], folded: Folded, now: dt.datetime
) -> None:
    if folded.latest is not None:
        shipment.status = folded.latest.status
        shipment.courier_status = folded.latest.courier_status
        shipment.ndr_reason = folded.latest.ndr_reason
        shipment.status_at = folded.latest.at
    if folded.ignored and not shipment.attention:
        shipment.attention = LATE_SCANS
    elif not folded.ignored and shipment.attention == LATE_SCANS:
        shipment.attention = ""
    shipment.tracked_at = max(scan.at for scan in scans) if scans else shipment.tracked_at
    shipment.updated_at = now
