"""Ends the orders of a cancelled job that have not begun."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from couriers.contract.types import Direction
from couriers.models import BulkJob, BulkOrder, Shipment
from couriers.models.job import OrderOutcome

CANCELLED = "the job was cancelled before the order had begun"


def skip_orders(orders: QuerySet[BulkOrder], job: BulkJob) -> None:
    """End as skipped those of the orders, all of the job, that nobody has begun to book.

    Orders of a job that is not cancelled are left. A worker that died while it booked an order has
    left its lease, or the order's shipment. `orders` must be filtered by their own columns alone:
    PostgreSQL looks at those anew once another transaction has let go of a row, and not at what is
    joined.
    """
    cancelled = BulkJob.objects.filter(pk=OuterRef("job_id"), cancelled_at__isnull=False)
    begun = Shipment.objects.live().filter(
        company=job.company_id,
        is_test=job.is_test,
        direction=Direction.FORWARD,
        order_number=OuterRef("order_number"),
    )
    orders.filter(
        Exists(cancelled),
        ~Exists(begun),
        outcome=OrderOutcome.PENDING,
        lease_expires_at__isnull=True,
    ).update(outcome=OrderOutcome.SKIPPED, reason=CANCELLED, request="", finished_at=timezone.now())
