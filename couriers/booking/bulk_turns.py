"""Whose bulk work is done next: companies are served in turn, each for one slice at a time.

A worker takes the turn of the company that was served longest ago and books for its oldest job.
So a company with a small job waits for the slices of the others, and not for their jobs.
"""

from __future__ import annotations

from django.db.models import Exists, F, OuterRef, QuerySet
from django.db.models.functions import Now
from structlog.contextvars import bound_contextvars

from couriers.booking.bulk import LONGEST_PAUSE
from couriers.booking.bulk_jobs import (
    HELD_BACK_PAUSE,
    book_due_orders,
    seconds_until_due,
    workable_jobs,
)
from couriers.conf import tunables
from couriers.models import BulkJob, BulkOrder, BulkTurn
from couriers.models.claims import bring_forward, claim, due, seconds_from_now, unclaimed
from couriers.models.job import JobState, OrderOutcome

# Seconds that the calls of a slice may last after its end. A lease that runs out earlier does no
# harm: the company then has two slices at once.
MAX_OVERRUN = 60.0


def take_turn() -> BulkTurn | None:
    """Claim the turn of the company that was served longest ago, or None if none has work."""
    rows = _claimable().order_by(F("served_at").asc(nulls_first=True), "company")
    limits = tunables()
    lease_end = seconds_from_now(min(limits.BULK_LEASE, limits.BULK_SLICE + MAX_OVERRUN))
    return next(iter(claim(rows, limit=1, served_at=Now(), lease_expires_at=lease_end)), None)


def serve(turn: BulkTurn) -> float | None:
    """Book for the company of a claimed turn for one slice, and give the turn back.

    Returns the seconds until the company may be served again, 0 for at once, or None where it has
    no order left to book. Raises InsideTransaction if a transaction is open.
    """
    try:
        job = workable_jobs().filter(company=turn.company_id).first()
        if job is not None:
            with bound_contextvars(job=job.pk):
                book_due_orders(job.pk, seconds=tunables().BULK_SLICE)
    finally:
        BulkTurn.objects.filter(pk=turn.pk).update(lease_expires_at=None)
    if _claimable().filter(pk=turn.pk).exists():
        return 0.0
    open_orders = BulkOrder.objects.filter(
        job__company=turn.company_id, job__state=JobState.PENDING
    )
    seconds = seconds_until_due(open_orders)
    return None if seconds is None else max(1.0, seconds)


def bring_forward_late_work() -> None:
    """Make due what waits for longer than it can: the database's clock was set back."""
    bring_forward(BulkTurn.objects.all(), HELD_BACK_PAUSE)
    bring_forward(BulkOrder.objects.filter(outcome=OrderOutcome.PENDING), LONGEST_PAUSE)


def has_work() -> bool:
    """Return whether a company has bulk work that no worker has."""
    return _claimable().exists()


def add_missing_turns() -> None:
    """Add the turns of companies whose open jobs were made by a version without turns."""
    without = BulkJob.objects.filter(state=JobState.PENDING, company__bulk_turn=None)
    companies = set(without.values_list("company_id", flat=True))
    BulkTurn.objects.bulk_create(
        [BulkTurn(company_id=company_id) for company_id in sorted(companies)],
        ignore_conflicts=True,
    )


def _claimable() -> QuerySet[BulkTurn]:
    work = workable_jobs().filter(company=OuterRef("company"))
    return BulkTurn.objects.filter(due(), unclaimed(), Exists(work))
