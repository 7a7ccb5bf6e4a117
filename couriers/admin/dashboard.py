"""The operators' first page: what wants a person, bookings in doubt before all else."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Min, Q
from django.http import HttpRequest
from django.urls import reverse

from couriers.contract.statuses import STATUS_FACTS, Status
from couriers.models import Shipment, ShipmentFlag

SHOWN = 10


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Unfold's DASHBOARD_CALLBACK: adds the counts and the oldest doubts to the page."""
    if not request.user.has_perm("shipcrowd_couriers.view_shipment"):
        return context
    needing = [status for status, facts in STATUS_FACTS.items() if facts.needs_action]
    counts = Shipment.objects.aggregate(
        doubts=Count("pk", filter=Q(status=Status.IN_DOUBT)),
        oldest=Min("created_at", filter=Q(status=Status.IN_DOUBT)),
        action=Count("pk", filter=Q(status__in=set(needing) - {Status.IN_DOUBT})),
    )
    flags = ShipmentFlag.objects.filter(cleared_at__isnull=True)
    flagged = flags.aggregate(count=Count("shipment", distinct=True))["count"]
    listing = reverse("admin:shipcrowd_couriers_shipment_changelist")
    context["cards"] = [
        _card("Bookings in doubt", counts["doubts"], f"{listing}?look=doubt", counts["oldest"]),
        _card("Need attention", flagged, f"{listing}?look=attention"),
        _card("Need action at the courier", counts["action"], f"{listing}?look=action"),
    ]
    context["doubts"] = (
        Shipment.objects.filter(status=Status.IN_DOUBT)
        .select_related("company", "courier")
        .order_by("id")[:SHOWN]
    )
    return context


def _card(title: str, count: int, url: str, oldest: Any = None) -> dict[str, Any]:
    return {"title": title, "count": count, "url": url, "oldest": oldest}
