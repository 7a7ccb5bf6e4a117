"""The shipment's status, decided by all of its scans.

The status depends on the set of scans and on which of them an operator lifted. It does not depend
on the order of their arrival, so a repeated or late scan does no harm.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from django.utils import timezone

from couriers.contract.statuses import (
    AWAITING_PICKUP,
    RELEASES_ORDER,
    RTO,
    STATUS_FACTS,
    TERMINAL,
    Status,
)
from couriers.models import FlagKind, Shipment, ShipmentFlag
from couriers.models.announcements import status_changed
from couriers.models.flag import DERIVED_KINDS, clear_flags, raise_flag
from couriers.tracking import scans, snapshot
from couriers.tracking.scans import StoredScan

# How far a courier's clock may be ahead.
MAX_CLOCK_SKEW = dt.timedelta(days=1)
CLEARED_BY_RECOUNT = "The scans no longer show it."  # the reason of a cleared flag
_PROGRESS: Mapping[str, int] = {
    status.value: facts.progress for status, facts in STATUS_FACTS.items()
}


class ScanLike(Protocol):
    """The fields of a scan that the walk reads. StoredScan and the model Scan have them."""

    @property
    def pk(self) -> int: ...
    @property
    def tracking_id(self) -> str: ...
    @property
    def at(self) -> dt.datetime: ...
    @property
    def status(self) -> str: ...
    @property
    def courier_type(self) -> str: ...
    @property
    def courier_status(self) -> str: ...
    @property
    def courier_code(self) -> str: ...
    @property
    def location(self) -> str: ...
    @property
    def lifted(self) -> bool: ...


S = TypeVar("S", bound=ScanLike)


@dataclass(frozen=True, slots=True)
class WalkResult(Generic[S]):
    """What a walk over a shipment's scans found.

    `latest` is the scan that decides the status, or None. `ignored` holds the ids of the scans
    that came after the end. `went_on` is True where one of them shows that the parcel went on.
    `end_passed_over` is True where a terminal scan was passed over. With no `latest` the status is
    then `booked` again.
    """

    latest: S | None
    ignored: frozenset[int]
    went_on: bool = False
    end_passed_over: bool = False


def latest_possible_time() -> dt.datetime:
    """The latest time that a scan can have: now, and MAX_CLOCK_SKEW for a courier's clock.

    A later scan has a wrong time. It would always be the last one, so it is stored without status.
    """
    return timezone.now() + MAX_CLOCK_SKEW


def walk_scans(found: Iterable[S], former_ids: Collection[str] = ()) -> WalkResult[S]:
    """Walk the scans in the order of the courier's times, to find the scan that decides the status.

    Of two scans with one time, the one with more progress is later. The first terminal status ends
    the walk, and later scans are ignored, with one exception: a parcel that was cancelled after
    pickup travels back, so an RTO scan counts after `cancelled`, and `cancelled` ends no parcel
    that travels back. Scans of unknown status change nothing. A terminal scan is passed over where
    an operator lifted it, or where it ended one of the `former_ids` without delivery: the parcel
    was recreated and has a new tracking id.
    """
    latest: S | None = None
    ignored = set()
    travels_back: set[str] = set()  # tracking ids
    went_on = end_passed_over = False
    for scan in sorted(found, key=_walk_order):
        if not scan.status or (
            scan.status == Status.CANCELLED and scan.tracking_id in travels_back
        ):
            continue
        if latest is not None and latest.status in TERMINAL and not _leaves(latest, scan):
            if scan.status != latest.status:
                ignored.add(scan.pk)
                went_on = went_on or not _is_expected_after(latest, scan)
        elif scan.status in TERMINAL and _is_passed_over(scan, former_ids):
            end_passed_over = True
        else:
            latest = scan
            if scan.status in RTO:
                travels_back.add(scan.tracking_id)
    return WalkResult(latest, frozenset(ignored), went_on, end_passed_over)


def _walk_order(scan: ScanLike) -> tuple[dt.datetime, int, str, str, str, str]:
    return (
        scan.at,
        _PROGRESS.get(scan.status, -1),
        scan.courier_status,
        scan.location,
        scan.courier_type,
        scan.courier_code,
    )


def _leaves(end: ScanLike, scan: ScanLike) -> bool:
    """Whether a scan counts after the end: it is an RTO scan of a cancelled parcel."""
    return end.status == Status.CANCELLED and scan.status in RTO


def _is_expected_after(end: ScanLike, scan: ScanLike) -> bool:
    """Whether a scan after the end is no progress.

    The status of a parcel that was cancelled before pickup may stay at some couriers, and scans of
    it come on.
    """
    return end.status == Status.CANCELLED and scan.status in AWAITING_PICKUP


def _is_passed_over(end: ScanLike, former_ids: Collection[str]) -> bool:
    return end.lifted or (end.tracking_id in former_ids and end.status != Status.DELIVERED)


def recount(shipments: Collection[Shipment]) -> None:
    """Set the status of the shipments from all of their scans. Call with their rows locked.

    Where a shipment releases its order, the order's other shipments are recounted too: one of
    them may be live now.
    """
    scans_of = scans.of_shipments([shipment.pk for shipment in shipments])
    marks: list[tuple[int, bool]] = []
    wanted: dict[str, FlagKind | None] = {}
    changed, released = [], []
    status_before: dict[str, str] = {}
    now = timezone.now()
    for shipment in shipments:
        status_before[shipment.pk] = shipment.status
        stored = scans_of[shipment.pk]
        result = walk_scans(stored, shipment.former_tracking_ids)
        marks += [
            (scan.pk, not scan.ignored)
            for scan in stored
            if scan.ignored != (scan.pk in result.ignored)
        ]
        before = snapshot.tracking_snapshot(shipment)
        wanted[shipment.pk] = _decide(shipment, stored, result)
        if snapshot.tracking_snapshot(shipment) != before:
            shipment.updated_at = now
            changed.append(shipment)
            was_live = status_before[shipment.pk] not in RELEASES_ORDER
            if was_live and shipment.status in RELEASES_ORDER:
                released.append(shipment)
    snapshot.write(changed)
    for shipment in changed:
        status_changed(shipment, status_before[shipment.pk], shipment.status)
    scans.mark_ignored(marks)
    _sync_flags(shipments, wanted)
    if released and (others := _lock_others_of_orders(released)):
        recount(others)


def order_is_taken(shipment: Shipment) -> bool:
    """Whether the shipment has released its order and another shipment is live on it."""
    if shipment.status not in RELEASES_ORDER:
        return False
    return Shipment.objects.live().same_order_as(shipment).exclude(pk=shipment.pk).exists()


def _decide(
    shipment: Shipment, stored: Sequence[StoredScan], result: WalkResult[StoredScan]
) -> FlagKind | None:
    """Set the tracking columns in memory; return the flag that the scans call for, if any."""
    _set_times(shipment, stored)
    status: str = shipment.status
    if result.latest is not None:
        status = result.latest.status
    elif result.end_passed_over:
        status = Status.BOOKED
    if status not in RELEASES_ORDER and order_is_taken(shipment):
        return FlagKind.ORDER_TAKEN
    shipment.status = status
    if result.latest is not None:
        shipment.courier_status = result.latest.courier_status
        shipment.ndr_reason = result.latest.ndr_reason
        shipment.status_at = result.latest.at
    elif result.end_passed_over:
        shipment.courier_status = shipment.ndr_reason = ""
        shipment.status_at = shipment.booked_at
    return FlagKind.LATE_SCANS if result.went_on else None


def _set_times(shipment: Shipment, stored: Sequence[StoredScan]) -> None:
    latest = latest_possible_time()
    times = [scan.at for scan in stored if scan.at <= latest]
    if times:
        shipment.tracked_at = max(times)
    estimates = [scan for scan in stored if scan.estimated_delivery]
    if estimates:
        shipment.estimated_delivery = max(estimates, key=_walk_order).estimated_delivery


def _sync_flags(shipments: Collection[Shipment], wanted: Mapping[str, FlagKind | None]) -> None:
    """Raise the flags that the scans call for, and clear those that they no longer call for."""
    open_flags = set(
        ShipmentFlag.objects.open()
        .filter(shipment__in=list(wanted), kind__in=DERIVED_KINDS)
        .order_by()
        .values_list("shipment_id", "kind")
    )
    for kind in DERIVED_KINDS:
        outdated = [s for s in shipments if (s.pk, kind) in open_flags and wanted[s.pk] != kind]
        if outdated:
            clear_flags(outdated, kind, reason=CLEARED_BY_RECOUNT)
    for shipment in shipments:
        kind_wanted = wanted[shipment.pk]
        if kind_wanted is not None and (shipment.pk, kind_wanted) not in open_flags:
            raise_flag(shipment, kind_wanted)


def _lock_others_of_orders(released: Sequence[Shipment]) -> list[Shipment]:
    """Lock the other shipments of the orders that these shipments have released."""
    orders = {(s.company_id, s.direction, s.order_number) for s in released}
    others = (
        Shipment.objects.select_for_update(of=("self",))
        .filter(
            company_id__in={company for company, *_ in orders},
            order_number__in={number for *_, number in orders},
            status__in=RELEASES_ORDER,
        )
        .exclude(tracking_id="")
        .exclude(pk__in=[shipment.pk for shipment in released])
        .only(*snapshot.READ)
        .order_by("id")
    )
    return [s for s in others if (s.company_id, s.direction, s.order_number) in orders]
