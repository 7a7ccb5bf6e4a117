"""The first page of the admin: what an operator must do, bookings in doubt first."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Min, Q
from django.http import HttpRequest
from django.urls import reverse

from couriers.contract.statuses import NEEDS_ACTION, Status
from couriers.models import Shipment, ShipmentFlag

MAX_DOUBTS = 10  # on the page, the oldest


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Unfold's DASHBOARD_CALLBACK: add the counts and the oldest bookings in doubt to the page.

    Nothing is added for users who may not view shipments.
    """
    if not request.user.has_perm("shipcrowd_couriers.view_shipment"):
        return context
    counts = Shipment.objects.aggregate(
        doubts=Count("pk", filter=Q(status=Status.IN_DOUBT)),
        oldest=Min("created_at", filter=Q(status=Status.IN_DOUBT)),
        action=Count("pk", filter=Q(status__in=NEEDS_ACTION - {Status.IN_DOUBT})),
    )
    flagged = ShipmentFlag.objects.open().aggregate(count=Count("shipment", distinct=True))
    listing = reverse("admin:shipcrowd_couriers_shipment_changelist")
    context["cards"] = [
        _card("Bookings in doubt", counts["doubts"], f"{listing}?look=doubt", counts["oldest"]),
        _card("Need attention", flagged["count"], f"{listing}?look=attention"),
        _card("Need action at the courier", counts["action"], f"{listing}?look=action"),
    ]
    context["doubts"] = (
        Shipment.objects.filter(status=Status.IN_DOUBT)
        .select_related("company", "courier")
        .order_by("id")[:MAX_DOUBTS]
    )
    return context


def _card(title: str, count: int, url: str, oldest: Any = None) -> dict[str, Any]:
    return {"title": title, "count": count, "url": url, "oldest": oldest}
