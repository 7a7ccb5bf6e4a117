"""What is kept for how long, and the deletion of what has expired.

In batches by primary key, each its own short transaction with a pause after it, so that nobody
waits for a lock. Other apps register what they have to delete.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog
from django.db import transaction
from django.db.models import Model, Q, QuerySet
from django.utils import timezone

from couriers.conf import tunables
from couriers.contract.statuses import UNSETTLED
from couriers.models import CourierCall, IdempotencyKey

log = structlog.get_logger(__name__)

ALL = Q()
Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Expiring:
    """Rows that are deleted `days` after the time in `field`, of those that `only` names.

    `name` is the key of their count in the summary. Where `of_shipment` is set, the rows belong to
    a shipment and are kept for as long as nobody knows whether it was booked.
    """

    name: str
    model: type[Model]
    field: str
    days: Callable[[], int]
    only: Q = ALL
    of_shipment: bool = False

    def expired(self) -> QuerySet[Model]:
        """What may be deleted now."""
        cutoff = timezone.now() - dt.timedelta(days=self.days())
        rows = self.model._default_manager.filter(self.only, **{f"{self.field}__lt": cutoff})
        if self.of_shipment:
            rows = rows.exclude(shipment__status__in=UNSETTLED)
        return rows.order_by("pk")


@dataclass(slots=True)
class Purged:
    """How many rows were deleted of each kind; `finished` unless the time was up before."""

    counts: dict[str, int] = field(default_factory=dict)
    finished: bool = True


_kinds: dict[str, Expiring] = {}


def register(kind: Expiring) -> None:
    """Have a kind of rows deleted when they expire; registering its name again replaces it."""
    _kinds[kind.name] = kind


def kinds() -> list[Expiring]:
    """All kinds of rows that expire."""
    return list(_kinds.values())


def purge(seconds: float | None = None, progress: Progress = lambda deleted: None) -> Purged:
    """Delete what has expired, for at most so many seconds. Can be run twice, or at once."""
    deadline = None if seconds is None else time.monotonic() + seconds
    purged = Purged({kind.name: 0 for kind in kinds()})
    for kind in kinds():
        last = None
        while True:
            found, deleted = _delete_batch(kind, last, tunables().RETENTION_BATCH)
            if not found:
                break
            last = found
            purged.counts[kind.name] += deleted
            progress(deleted)
            if deadline is not None and time.monotonic() >= deadline:
                purged.finished = False
                return purged
            time.sleep(tunables().RETENTION_PAUSE)
        if purged.counts[kind.name]:
            log.info("purged", kind=kind.name, rows=purged.counts[kind.name])
    return purged


def _delete_batch(kind: Expiring, after: object, size: int) -> tuple[object, int]:
    """Delete the next rows in the order of their keys; answers the last key and how many.

    Rows that somebody holds are left for the next time. Answers None when nothing is left.
    """
    with transaction.atomic():
        rows = kind.expired()
        if after is not None:
            rows = rows.filter(pk__gt=after)
        keys = list(
            rows.select_for_update(skip_locked=True, of=("self",)).values_list("pk", flat=True)[
                :size
            ]
        )
        if not keys:
            return None, 0
        kind.model._default_manager.filter(pk__in=keys).delete()
    return keys[-1], len(keys)


register(
    Expiring(
        "idempotency_keys",
        IdempotencyKey,
        "created_at",
        days=lambda: tunables().RETENTION_KEYS_DAYS,
        of_shipment=True,
    )
)
register(
    Expiring(
        "courier_calls",
        CourierCall,
        "started_at",
        days=lambda: tunables().RETENTION_CALLS_DAYS,
        of_shipment=True,
    )
)
