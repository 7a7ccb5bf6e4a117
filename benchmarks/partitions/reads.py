"""Reads by keys that have no month in them: planning, execution, and how many tables they read."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet

from benchmarks.figures import Figure
from benchmarks.partitions.tables import MONTHLY, NAMES, ONE, Layout, query, use
from couriers.conf import tunables
from couriers.models import CourierCall, Scan
from couriers.models.claims import due
from webhooks.models import EventState, WebhookEvent

READS = 15


def of_all(shipments: Sequence[str]) -> list[Figure]:
    """Compare reads whose keys have no month in them."""
    use(ONE)
    chosen = shipments[:: len(shipments) // READS][:READS]
    calls = list(CourierCall.objects.filter(shipment__in=chosen).values_list("pk", flat=True))
    waiting = WebhookEvent.objects.filter(
        due(), state__in=[EventState.PENDING, EventState.FAILED]
    ).order_by("next_attempt_at")
    limit = tunables().INBOX_BATCH
    reads: list[tuple[str, list[QuerySet[Any]]]] = [
        ("the scans of a shipment", [Scan.objects.filter(shipment_id__in=[one]) for one in chosen]),
        ("a call by its id", [CourierCall.objects.filter(pk=pk) for pk in calls[:READS]]),
        ("due callbacks", [waiting[:limit]] * READS),
    ]
    return [
        Figure(f"read {what}, {NAMES[layout]}", _explained(layout, querysets))
        for what, querysets in reads
        for layout in (ONE, MONTHLY)
    ]


def _explained(layout: Layout, querysets: Sequence[QuerySet[Any]]) -> str:
    """Return the medians of planning and execution, and how many tables are read."""
    use(layout)
    plans = []
    for queryset in [*querysets[:3], *querysets]:  # the first fill PostgreSQL's caches
        sql, params = queryset.query.sql_with_params()
        ((answer,),) = query(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", params)
        plans.append(answer[0])
    planning = statistics.median(one["Planning Time"] for one in plans[3:])
    executing = statistics.median(one["Execution Time"] for one in plans[3:])
    read = len({name for one in plans[3:] for name in _tables_of(one["Plan"])})
    return f"{planning:.2f} ms to plan, {executing:.2f} ms to execute, {read} tables"


def _tables_of(plan: dict[str, Any]) -> set[str]:
    """Return the tables that a plan read."""
    own = {plan["Relation Name"]} if "Relation Name" in plan and plan["Actual Loops"] else set()
    return own.union(*(_tables_of(one) for one in plan.get("Plans", ())))
