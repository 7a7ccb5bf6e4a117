"""The overview: what an operator must do, bookings in doubt first.

It is a page of its own, and the first page of the admin where the project asks for that.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Min, Q
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from couriers.contract.statuses import NEEDS_ACTION, Status
from couriers.models import Shipment, ShipmentFlag

MAX_DOUBTS = 10  # on the page, the oldest
# The worklists of shipments: each card counts what the list shows that it links to.
IN_DOUBT = Q(status=Status.IN_DOUBT)
TO_BE_ACTED_ON = Q(status__in=NEEDS_ACTION - {Status.IN_DOUBT})  # at the courier


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Unfold's DASHBOARD_CALLBACK: add the overview to the first page of the operator's site.

    Nothing is added for users who may not view shipments, or on a site without their page.
    """
    if not request.user.has_perm("shipcrowd_couriers.view_shipment"):
        return context
    assert request.resolver_match is not None
    try:
        return context | overview(request.resolver_match.namespace)
    except NoReverseMatch:
        return context


def overview(site_name: str) -> dict[str, Any]:
    """The counts with their links, and the oldest bookings in doubt.

    Raises NoReverseMatch where the admin site of this name has no page of shipments.
    """
    listing = reverse("admin:shipcrowd_couriers_shipment_changelist", current_app=site_name)
    counts = Shipment.objects.aggregate(
        doubts=Count("pk", filter=IN_DOUBT),
        oldest=Min("created_at", filter=IN_DOUBT),
        action=Count("pk", filter=TO_BE_ACTED_ON),
    )
    flagged = ShipmentFlag.objects.open().aggregate(count=Count("shipment", distinct=True))
    doubts = Shipment.objects.filter(IN_DOUBT).select_related("company", "courier")
    return {
        "cards": [
            _card("Bookings in doubt", counts["doubts"], f"{listing}?look=doubt", counts["oldest"]),
            _card("Need attention", flagged["count"], f"{listing}?look=attention"),
            _card("Need action at the courier", counts["action"], f"{listing}?look=action"),
        ],
        "doubts": doubts.order_by("id")[:MAX_DOUBTS],
    }


def _card(title: str, count: int, url: str, oldest: Any = None) -> dict[str, Any]:
    return {"title": title, "count": count, "url": url, "oldest": oldest}
