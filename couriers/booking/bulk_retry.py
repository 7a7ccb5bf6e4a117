"""Has a failed order of a bulk job booked once more, as it was handed in."""

from __future__ import annotations

from django.db import transaction
from django.db.models.functions import Now

from couriers.models import BulkJob, BulkOrder, BulkTurn
from couriers.models.fields import readable_or
from couriers.models.job import JobState, OrderOutcome


def retry_order(order_id: int) -> bool:
    """Make a failed order pending again, and its job; return whether that was done.

    It is not where the order has not failed, its job is cancelled, or its request is erased or
    cannot be read. An order that was booked since by another request is answered with that booking.
    """
    with transaction.atomic():
        order = BulkOrder.objects.select_for_update(of=("self",)).select_related("job").get(
            pk=order_id
        )  # fmt: skip
        if order.outcome != OrderOutcome.FAILED or order.job.cancelled_at:
            return False
        if not readable_or(order, "request", ""):
            return False
        BulkOrder.objects.filter(pk=order.pk).update(
            outcome=OrderOutcome.PENDING,
            tries=0,
            next_attempt_at=Now(),
            lease_expires_at=None,
            finished_at=None,
        )
        BulkJob.objects.filter(pk=order.job_id).update(state=JobState.PENDING, finished_at=None)
        turn = BulkTurn(company_id=order.job.company_id)
        BulkTurn.objects.bulk_create([turn], ignore_conflicts=True)
    return True
