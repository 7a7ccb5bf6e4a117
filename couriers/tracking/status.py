"""Scans in, shipment status out.

A shipment's status is a function of the set of its scans (and of which of them an operator
lifted), whatever order they arrived in, so a repeat or a late arrival can do no harm. Knows
neither where scans come from nor any courier.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import structlog
from django.db import transaction
from django.utils import timezone
from prometheus_client import Counter

from couriers.booking.settling import flag
from couriers.contract import types
from couriers.contract.receiver import CourierEvent, Topic
from couriers.contract.statuses import RELEASES_ORDER, RTO, STATUS_FACTS, TERMINAL, Status
from couriers.contract.text import storable
from couriers.models import CourierAccount, Shipment
from couriers.operations.doubt import Confirmation, confirm_from_courier, is_told_of
from couriers.tracking import scans, snapshot
from couriers.tracking.recreation import relink
from couriers.tracking.scans import NewScan, StoredScan

log = structlog.get_logger(__name__)

# A courier's clock may be wrong; a scan from beyond this would stay the latest for ever.
AHEAD = dt.timedelta(days=1)
LATE_SCANS = "The courier sent scans after the end of this shipment."
FUTURE_SCANS = "The courier sent scans of the future, which do not count."
ON_ITS_WAY_AGAIN = "The courier has it on its way again, but the order has another live shipment."
UNKNOWN_STATUSES = Counter(
    "shipcrowd_unknown_statuses", "Scans with a status that the plug-in does not know", ["courier"]
)
_PROGRESS: Mapping[str, int] = {
    status.value: facts.progress for status, facts in STATUS_FACTS.items()
}


class Applied(enum.StrEnum):
    """What became of an event."""

    APPLIED = "applied"
    UNKNOWN_SHIPMENT = "unknown_shipment"


class Walked(Protocol):
    """What the walk looks at: a stored scan, or a row of the table."""

    @property
    def pk(self) -> int: ...
    @property
    def tracking_id(self) -> str: ...
    @property
    def at(self) -> dt.datetime: ...
    @property
    def status(self) -> str: ...
    @property
    def courier_status(self) -> str: ...
    @property
    def location(self) -> str: ...
    @property
    def lifted(self) -> bool: ...


S = TypeVar("S", bound=Walked)


@dataclass(frozen=True, slots=True)
class Folded(Generic[S]):
    """What a set of scans amounts to.

    `latest` is the scan that made the status, or None. `ignored` holds ids of scans. `passed` tells
    of a terminal scan that was passed over: with no `latest`, the shipment is as it was booked.
    """

    latest: S | None
    ignored: frozenset[int]
    passed: bool = False


def fold(found: Iterable[S], former_ids: Collection[str] = ()) -> Folded[S]:
    """Walk the scans in the courier's own time; ties go by progress.

    The first terminal status ends the walk and what comes after it is ignored, with one
    exception: a parcel cancelled after pick-up travels back, so `cancelled` is left by RTO scans.
    Scans of unknown status change nothing. A terminal scan that an operator lifted is passed over;
    so is the end of a former tracking id, short of delivery: the parcel went on under a new one.
    """
    latest: S | None = None
    ignored = set()
    passed = False
    for scan in sorted(found, key=_order):
        if not scan.status:
            continue
        if latest is not None and latest.status in TERMINAL:
            leaves = latest.status == Status.CANCELLED and scan.status in RTO
            if not leaves:
                if scan.status != latest.status:
                    ignored.add(scan.pk)
                continue
        if scan.status in TERMINAL and (
            scan.lifted or (scan.tracking_id in former_ids and scan.status != Status.DELIVERED)
        ):
            passed = True
            continue
        latest = scan
    return Folded(latest, frozenset(ignored), passed)


def _order(scan: Walked) -> tuple[dt.datetime, int, str, str]:
    return (scan.at, _PROGRESS.get(scan.status, -1), scan.courier_status, scan.location)


def apply_events(account: CourierAccount, events: Sequence[CourierEvent]) -> list[Applied]:
    """Apply a courier's events to this account's shipments, in one transaction.

    Answers one Applied for each event; one whose shipment is not known (yet) changes nothing.
    """
    with transaction.atomic():
        shipments = _locked(account, events)
        by_id = _by_tracking_id(shipments)
        # Before the scans, since a scan may come with the very event that makes its id known.
        answers, moved = _take_at_its_word(account, events, by_id, shipments)
        if moved:
            shipments = _locked(account, events)
            by_id = _by_tracking_id(shipments)
        rows = []
        touched = {by_id[i].pk: by_id[i] for i in moved if i in by_id}
        for number, event in enumerate(events):
            if event.topic != Topic.TRACK_UPDATED:
                continue
            shipment = by_id.get(event.tracking_id)
            if shipment is None or event.scan is None:
                answers[number] = Applied.UNKNOWN_SHIPMENT
                continue
            answers[number] = Applied.APPLIED
            touched[shipment.pk] = shipment
            rows.append(_row(shipment, event.scan, event.tracking_id, _estimate(event)))
        _store(touched.values(), rows)
    return [answers[number] for number in range(len(events))]


def apply_tracking(shipment: Shipment, tracking: types.Tracking) -> Shipment:
    """Apply a polled answer; returns the shipment as it stands then."""
    with transaction.atomic():
        locked = Shipment.objects.select_for_update().get(pk=shipment.pk)
        told = {
            "estimated_delivery": tracking.estimated_delivery or locked.estimated_delivery,
            "delivery_attempts": (
                locked.delivery_attempts if tracking.attempts is None else tracking.attempts
            ),
        }
        if any(getattr(locked, name) != value for name, value in told.items()):
            for name, value in told.items():
                setattr(locked, name, value)
            locked.save(update_fields=[*told, "updated_at"])
        # The estimate is what the courier says as of its last scan.
        last = max((scan.at for scan in tracking.scans), default=None)
        estimate = tracking.estimated_delivery
        _store(
            [locked],
            [
                # By the id that was asked about: the parcel may have another by now.
                _row(locked, scan, shipment.tracking_id, estimate if scan.at == last else None)
                for scan in tracking.scans
            ],
        )
    return locked


def mark_cancelled(shipment: Shipment) -> Shipment:
    """Note that the courier cancelled `shipment.tracking_id`, as a scan of our own."""
    with transaction.atomic():
        locked = Shipment.objects.select_for_update().get(pk=shipment.pk)
        scan = NewScan(
            shipment_id=locked.pk,
            tracking_id=shipment.tracking_id,
            at=timezone.now(),
            status=Status.CANCELLED,
            courier_status="Cancelled",
            description="Cancelled by the merchant",
        )
        _store([locked], [scan])
    return locked


def recount(shipments: Collection[Shipment]) -> None:
    """Let all scans of the shipments decide their status. Call with their rows locked."""
    stored = scans.of_shipments([shipment.pk for shipment in shipments])
    flags = []
    now = timezone.now()
    changed, freed = [], []
    for shipment in shipments:
        was_live = shipment.status not in RELEASES_ORDER
        mine = stored[shipment.pk]
        folded = fold(mine, shipment.former_tracking_ids)
        flags += [
            (scan.pk, not scan.ignored)
            for scan in mine
            if scan.ignored != (scan.pk in folded.ignored)
        ]
        before = snapshot.of(shipment)
        _set_status(shipment, mine, folded)
        if snapshot.of(shipment) != before:
            shipment.updated_at = now
            changed.append(shipment)
            if was_live and shipment.status in RELEASES_ORDER:
                freed.append(shipment)
    snapshot.write(changed)
    scans.mark_ignored(flags)
    if freed and (waiting := _of_the_same_orders(freed)):
        recount(waiting)


def _of_the_same_orders(freed: Sequence[Shipment]) -> list[Shipment]:
    """Shipments that may be live now that these are not; locked."""
    orders = {(s.company_id, s.courier_id, s.direction, s.order_number) for s in freed}
    others = (
        Shipment.objects.select_for_update(of=("self",))
        .filter(
            company_id__in={company for company, *_ in orders},
            order_number__in={number for *_, number in orders},
            status__in=RELEASES_ORDER,
        )
        .exclude(tracking_id="")
        .exclude(pk__in=[shipment.pk for shipment in freed])
        .only(*snapshot.READ)
        .order_by("id")
    )
    return [
        s for s in others if (s.company_id, s.courier_id, s.direction, s.order_number) in orders
    ]


def _locked(account: CourierAccount, events: Sequence[CourierEvent]) -> list[Shipment]:
    """Every shipment that the events may touch, locked in the order of ids: no deadlocks."""
    ids = {event.tracking_id for event in events}
    mine = Shipment.objects.filter(account=account).order_by()
    found = dict(mine.filter(tracking_id__in=ids).values_list("tracking_id", "pk"))
    keys = set(found.values())
    if unknown := ids - found.keys():
        keys.update(
            mine.exclude(former_tracking_ids=[])
            .filter(former_tracking_ids__overlap=sorted(unknown))
            .values_list("pk", flat=True)
        )
    # Also those whose orders are told of under an id that we know: it may be another order's.
    orders = {e.order_number for e in events if e.topic != Topic.TRACK_UPDATED and e.order_number}
    if orders:
        keys.update(mine.filter(order_number__in=orders).values_list("pk", flat=True))
    return list(
        Shipment.objects.select_for_update(of=("self",))
        .filter(pk__in=keys)
        .only(*snapshot.READ)
        .order_by("id")
    )


def _by_tracking_id(shipments: Iterable[Shipment]) -> dict[str, Shipment]:
    found = {former: s for s in shipments for former in s.former_tracking_ids}
    return found | {s.tracking_id: s for s in shipments if s.tracking_id}


def _take_at_its_word(
    account: CourierAccount,
    events: Sequence[CourierEvent],
    by_id: Mapping[str, Shipment],
    shipments: Sequence[Shipment],
) -> tuple[dict[int, Applied], set[str]]:
    """What the courier says of shipments' being there: the answers by the events' positions.

    The second part is the tracking ids under which a shipment is to be found from now on.
    """
    answers: dict[int, Applied] = {}
    moved: set[str] = set()
    confirmed: set[str] = set()
    for number, event in enumerate(events):
        if event.topic == Topic.TRACK_UPDATED:
            continue
        shipment = by_id.get(event.tracking_id)
        answers[number] = Applied.APPLIED
        if shipment is not None and shipment.confirmed_at is None:
            confirmed.add(shipment.pk)
        if event.topic == Topic.SHIPMENT_RECREATED:
            confirmation = relink(account, event)
        elif shipment is None:
            confirmation = confirm_from_courier(account, event)
        elif not is_told_of(shipment, event.order_number):
            confirmed.discard(shipment.pk)
            confirmation = _flag_mix_up(event, shipment, shipments)
        else:
            continue
        if confirmation == Confirmation.UNKNOWN:
            answers[number] = Applied.UNKNOWN_SHIPMENT
        elif confirmation != Confirmation.KNOWN:
            moved.add(event.tracking_id)
    if confirmed:
        Shipment.objects.filter(pk__in=confirmed).update(confirmed_at=timezone.now())
    return answers, moved


def _flag_mix_up(
    event: CourierEvent, holder: Shipment, shipments: Sequence[Shipment]
) -> Confirmation:
    """An id that we hold for one order is another's, says the courier: somebody must look."""
    why = f"The courier says that {event.tracking_id} is order {event.order_number}'s."
    for shipment in shipments:
        if shipment is holder or shipment.order_number == event.order_number:
            flag(shipment, why)
    return Confirmation.FLAGGED


def _row(
    shipment: Shipment, scan: types.Scan, tracking_id: str, estimate: dt.datetime | None
) -> NewScan:
    return NewScan(
        shipment_id=shipment.pk,
        tracking_id=tracking_id,
        at=scan.at,
        status="" if scan.at > timezone.now() + AHEAD else scan.mapped.status or "",
        courier_status=storable(scan.mapped.courier_status)[:100],
        ndr_reason=storable(scan.mapped.courier_reason)[:100],
        location=storable(scan.location)[:200],
        description=storable(scan.description)[:500],
        estimated_delivery=estimate,
    )


def _estimate(event: CourierEvent) -> dt.datetime | None:
    if not event.estimated_delivery_ms:
        return None
    return dt.datetime.fromtimestamp(event.estimated_delivery_ms / 1000, dt.UTC)


def _store(shipments: Collection[Shipment], rows: Sequence[NewScan]) -> None:
    """Store new scans once each, and let all scans of the shipments decide their status."""
    if not shipments:
        return
    by_key = {shipment.pk: shipment for shipment in shipments}
    now = timezone.now()
    for shipment_id, word in scans.store([row for row in rows if row.at <= now + AHEAD]):
        courier = by_key[shipment_id].courier_id
        UNKNOWN_STATUSES.labels(courier).inc()
        log.warning("unknown_status", courier=courier, word=word)
    ahead = [row for row in rows if row.at > now + AHEAD]
    scans.store(ahead)
    for row in ahead:
        flag(by_key[row.shipment_id], FUTURE_SCANS)
    recount(shipments)


def _set_status(shipment: Shipment, mine: Sequence[StoredScan], folded: Folded[StoredScan]) -> None:
    status: str = shipment.status
    if folded.latest is not None:
        status = folded.latest.status
    elif folded.passed:
        status = Status.BOOKED
    if status not in RELEASES_ORDER and order_is_taken(shipment):
        why = ON_ITS_WAY_AGAIN
    else:
        why = LATE_SCANS if folded.ignored else ""
        if folded.latest is not None:
            shipment.courier_status = folded.latest.courier_status
            shipment.ndr_reason = folded.latest.ndr_reason
            shipment.status_at = folded.latest.at
        elif folded.passed:
            shipment.courier_status = shipment.ndr_reason = ""
            shipment.status_at = shipment.booked_at
        shipment.status = status
    if not shipment.attention or shipment.attention in (LATE_SCANS, ON_ITS_WAY_AGAIN):
        shipment.attention = why
    heard = [scan.at for scan in mine if scan.at <= timezone.now() + AHEAD]
    if heard:
        shipment.tracked_at = max(heard)
    estimates = [scan for scan in mine if scan.estimated_delivery]
    if estimates:
        shipment.estimated_delivery = max(estimates, key=_order).estimated_delivery


def order_is_taken(shipment: Shipment) -> bool:
    """Whether the shipment released its order, and another one lives on it by now."""
    if shipment.status not in RELEASES_ORDER:
        return False
    return Shipment.objects.live().of_order(shipment).exclude(pk=shipment.pk).exists()
