"""Jobs of operators: what was asked for many shipments is done by workers, item by item.

A single action is a job too, whose one item is done at once. PostgreSQL is the only record of the
work. An item is claimed with a lease, so that another worker takes over what a killed one left.
"""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Mapping

from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import EmptyResultSet
from django.db import IntegrityError, connection, transaction
from django.db.models import Count, Exists, F, Min, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce, Greatest, Now
from django.utils import timezone

from couriers.conf import tunables
from couriers.fulfilment.operator_items import do
from couriers.models import OperatorJob, OperatorJobItem, Shipment
from couriers.models.claims import claim, due, seconds_from_now, unclaimed
from couriers.models.job import JobState
from couriers.models.operator_job import ItemOutcome, OperatorAct
from couriers.models.transactions import refuse_open_transaction
from couriers.resilience.threads import run_in_threads

MAX_HELD_BACK = 5  # items in a row that an open circuit or a limit held back; then a slice ends
HELD_BACK_PAUSE = 15.0  # seconds until the next slice then
_ITEM = OperatorJobItem._meta.db_table
_FILL = f"INSERT INTO {_ITEM} (job_id, position, shipment_id) \
SELECT %s, row_number() OVER (ORDER BY chosen.id), chosen.id FROM ({{rows}}) AS chosen(id)"  # noqa: S608


def create(
    actor: AbstractBaseUser,
    act: OperatorAct,
    token: str,
    *,
    shipments: Mapping[str, str] | None = None,
    worklist: str = "",
    filters: Mapping[str, str] | None = None,
    day: dt.date | None = None,
    slot: str = "",
    texts: Mapping[str, str] | None = None,
) -> tuple[OperatorJob, bool]:
    """Store a job; return it, and whether it is new: the same form makes one job.

    `shipments` are the versions of the chosen shipments by their ids. Without them a worker reads
    the rows of the work list, as the filters limit it.
    """
    job = OperatorJob(
        actor_id=actor.pk, act=act, token=token, worklist=worklist, filters=dict(filters or {}),
        day=day, slot=slot, asked={name: text for name, text in (texts or {}).items() if text},
    )  # fmt: skip
    if shipments is not None:
        job.total, job.filled_at = len(shipments), timezone.now()
    try:
        with transaction.atomic():
            job.save(force_insert=True)
            OperatorJobItem.objects.bulk_create(
                OperatorJobItem(job=job, position=number, shipment_id=pk, seen=seen)
                for number, (pk, seen) in enumerate((shipments or {}).items(), start=1)
            )
    except IntegrityError:
        return OperatorJob.objects.get(actor_id=actor.pk, token=token), False
    return job, True


def fill(job_id: str, rows: QuerySet[Shipment]) -> int:
    """Read the rows into the job's items in one statement, once; return how many it has."""
    with transaction.atomic():
        job = OperatorJob.objects.select_for_update().get(pk=job_id)
        if job.filled_at is None:
            job.total = _insert(job, rows)
            job.filled_at = timezone.now()
            job.save(update_fields=["total", "filled_at"])
    return job.total


def _insert(job: OperatorJob, rows: QuerySet[Shipment]) -> int:
    try:
        sql, parameters = rows.order_by().values_list("pk").distinct().query.sql_with_params()
    except EmptyResultSet:  # the actor may see no company, or may no longer act
        return 0
    with connection.cursor() as cursor:
        cursor.execute(_FILL.format(rows=sql), [job.pk, *parameters])
        return int(cursor.rowcount)


def work(job_id: str, *, seconds: float) -> float | None:
    """Do due items of a job that has been filled, starting none after `seconds`.

    Returns the seconds until the next item is due, or None once the job has ended. Raises
    InsideTransaction if a transaction is open.
    """
    refuse_open_transaction("work()")
    job = OperatorJob.objects.filter(pk=job_id).select_related("actor").first()
    if job is None or job.state == JobState.DONE:
        return None
    deadline = time.monotonic() + seconds
    stop, held_back = threading.Event(), _InARow()

    def take() -> OperatorJobItem | None:
        return _claim(job) if time.monotonic() < deadline else None

    def work_on(item: OperatorJobItem) -> None:
        was_claimed = item.lease_expires_at is not None
        if held_back.count(do(item, worker_died=was_claimed)) >= MAX_HELD_BACK:
            stop.set()

    threads = max(1, min(tunables().BULK_THREADS, job.total))
    if job.total == 1:
        while (item := take()) is not None:
            work_on(item)
    else:
        run_in_threads(take, work_on, threads=threads, name="operator-job", stop=stop)
    left = finish(job)
    return left if left is None or not stop.is_set() else max(left, HELD_BACK_PAUSE)


class _InARow:
    """Counts, for all threads of a slice, the items in a row that were held back."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0

    def count(self, held_back: bool) -> int:
        with self._lock:
            self._count = self._count + 1 if held_back else 0
            return self._count


def finish(job: OperatorJob) -> float | None:
    """End the job if none of its items waits, and erase what it was asked with.

    Returns the seconds until an item may be tried, at least 1, or None once the job has ended.
    """
    at = Greatest("next_attempt_at", Coalesce("lease_expires_at", "next_attempt_at"))
    waiting = OperatorJobItem.objects.filter(job=job, outcome=ItemOutcome.WAITING)
    left: dt.timedelta | None = waiting.aggregate(left=Min(at - Now()))["left"]
    if left is not None:
        return max(1.0, left.total_seconds())
    OperatorJob.objects.filter(pk=job.pk, state=JobState.PENDING).update(
        state=JobState.DONE, finished_at=timezone.now(), asked={}
    )
    return None


def workable() -> QuerySet[OperatorJob]:
    """The open jobs that a worker can go on with now, or end; the oldest first."""
    items = OperatorJobItem.objects.filter(job=OuterRef("pk"), outcome=ItemOutcome.WAITING)
    ready = Exists(items.filter(due(), unclaimed())) | ~Exists(items)
    return OperatorJob.objects.filter(
        ready | Q(filled_at__isnull=True), state=JobState.PENDING
    ).order_by("id")


def counts_of(job: OperatorJob) -> dict[ItemOutcome, int]:
    """How many of the job's items ended how. Outcomes without an item are left out."""
    found = dict(
        job.items.order_by().values_list("outcome").annotate(n=Count("pk")).values_list(
            "outcome", "n"
        )
    )  # fmt: skip
    return {outcome: found[outcome] for outcome in ItemOutcome if outcome in found}


def _claim(job: OperatorJob) -> OperatorJobItem | None:
    items = OperatorJobItem.objects.filter(due(), unclaimed(), job=job, outcome=ItemOutcome.WAITING)
    rows = items.order_by("next_attempt_at", "position")
    lease = seconds_from_now(tunables().ACTION_LEASE)
    found = claim(
        rows, limit=1, lease_expires_at=lease, started_at=Coalesce(F("started_at"), Now())
    )
    for item in found:
        item.job = job
    return next(iter(found), None)
