"""What became of the orders of bulk jobs: how many ended how, and the report as a spreadsheet."""

from __future__ import annotations

import io
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping

from django.db.models import Count, QuerySet

from couriers.booking.spreadsheet.report import ReportRow, write_rows
from couriers.models import BulkJob, BulkOrder
from couriers.models.job import OrderOutcome


def counts_of(jobs: Collection[BulkJob]) -> Mapping[str, Mapping[str, int]]:
    """Return, by the id of each job, how many of its orders have each outcome: one query."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    rows = BulkOrder.objects.filter(job__in=[job.pk for job in jobs]).order_by()
    for job, outcome, count in rows.values_list("job", "outcome").annotate(Count("pk")):
        found[job][outcome] = count
    return {job.pk: {name: found[job.pk][name] for name in OrderOutcome.values} for job in jobs}


def report_text(orders: QuerySet[BulkOrder]) -> str:
    """Return the report of a job's orders as CSV: a row for each, in the order of the request.

    The columns are those of `book_orders --report`. An order that has not ended is `pending`.
    """
    rows = orders.order_by("position").values_list(
        "order_number", "outcome", "reason", "shipment", "shipment__courier",
        "shipment__tracking_id", "shipment__warnings",
    )  # fmt: skip
    text = io.StringIO(newline="")
    write_rows(
        text,
        (
            ReportRow(
                number,
                OrderOutcome(outcome),
                courier or "",
                tracking_id or "",
                shipment or "",
                reason or "; ".join(f"{w['field']}: {w['message']}" for w in warnings or ()),
            )
            for number, outcome, reason, shipment, courier, tracking_id, warnings in rows
        ),
    )
    return text.getvalue()
