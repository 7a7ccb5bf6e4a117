"""The first page of operators: bookings in doubt first, then work, then health, then charts.

It is a page of its own, and the first page of the admin where the project asks for that.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from couriers.admin.today.charts import charts_for, window_of
from couriers.admin.today.tiles import health_tiles, work_tiles
from couriers.operations.worklists import worklist

MAX_DOUBTS = 10  # on the page, the oldest


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Unfold's DASHBOARD_CALLBACK: add the overview to the first page of the operator's site.

    Nothing is added for users who may not view shipments, or on a site without their page.
    """
    if not request.user.has_perm("shipcrowd_couriers.view_shipment"):
        return context
    assert request.resolver_match is not None
    try:
        return context | overview(request, request.resolver_match.namespace)
    except NoReverseMatch:
        return context


def overview(request: HttpRequest, site_name: str) -> dict[str, Any]:
    """What the page shows to the user of the request.

    Raises NoReverseMatch where the admin site of this name has no page of shipments.
    """
    reverse("admin:shipcrowd_couriers_shipment_changelist", current_app=site_name)
    doubts, *work = work_tiles(request, site_name)
    rows = worklist("doubts").rows(request.user).select_related("company", "courier")
    oldest = rows.only(
        "order_number", "created_at", "failure", "company__name", "courier__name"
    )  # fmt: skip
    return {
        "title": "Today",
        "today": {
            "doubts": doubts,
            "oldest_doubts": oldest[:MAX_DOUBTS] if doubts.number != 0 else [],
            "work": work,
            "health": health_tiles(request, site_name),
            "charts": charts_for(request.user, window_of(request.GET.get("days"))),
        },
    }
