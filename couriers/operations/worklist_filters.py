"""The filters of the work lists of shipments, for their pages and for jobs of all their rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet

from couriers.models import OperatorJob, Shipment
from couriers.operations.staff import ACT
from couriers.operations.worklists import worklist

COMPANY, COURIER, REASON, MINE = "company", "courier", "reason", "mine"
NAMES = (COMPANY, COURIER, REASON, MINE)


def filters_of(given: Mapping[str, Any]) -> dict[str, str]:
    """Return the filters among the parameters of a request, without those that are empty."""
    found = {name: str(given[name]) for name in NAMES if given.get(name)}
    if not found.get(COMPANY, "0").isdecimal() or len(found.get(COMPANY, "")) > 15:
        del found[COMPANY]
    return {name: text for name, text in found.items() if "\0" not in text}


def filtered(rows: QuerySet[Shipment], filters: Mapping[str, str], user: Any) -> QuerySet[Shipment]:
    """Return those of the shipments that the filters leave. `user` is who looks at them."""
    if company := filters.get(COMPANY):
        rows = rows.filter(company_id=int(company))
    if courier := filters.get(COURIER):
        rows = rows.filter(courier_id=courier)
    if reason := filters.get(REASON):
        rows = rows.filter(ndr_reason=reason)
    if filters.get(MINE):
        rows = rows.filter(assignment__user_id=user.pk)
    return rows


def rows_of(job: OperatorJob) -> QuerySet[Shipment]:
    """Return the rows that a job of a whole list is for, as its actor may see and act on them now.

    There are none where the actor may no longer act, or the list is no longer registered.
    """
    user = job.actor
    try:
        found = worklist(job.worklist)
    except KeyError:
        return Shipment.objects.none()
    if not (user.is_active and user.has_perm(ACT) and user.has_perm(found.permission)):
        return Shipment.objects.none()
    return filtered(found.rows(user), job.filters, user)
