"""The public tracking page of a shipment, for its consignee.

Anybody with the link can open it, so it shows no data of the consignee and no word that only an
operator understands.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control

from couriers.contract.statuses import STATUS_FACTS, Category, Status
from couriers.models import Scan, Shipment
from couriers.models.converters import is_public_id

STEPS = ("Booked", "Picked up", "On its way", "Out for delivery", "Delivered")
_REACHED = {
    Category.BOOKING: 0,
    Category.PICKUP: 1,
    Category.TRANSIT: 3,
    Category.DELIVERY: 4,
    Category.EXCEPTION: 4,
}
# A consignee is not told of a booking that is not settled.
_IN_PREPARATION = {Status.BOOKING, Status.IN_DOUBT, Status.FAILED}


@cache_control(private=True, max_age=60)
def tracking_page(request: HttpRequest, shipment_id: str) -> HttpResponse:
    """GET /track/{public_id}/: the status and history of the parcel, or a 404 page."""
    found = Shipment.objects.select_related("courier").filter(pk=shipment_id)
    shipment = found.first() if is_public_id(shipment_id) else None
    if shipment is None:
        response = render(request, "couriers/tracking_unknown.html", status=404)
    else:
        response = render(request, "couriers/tracking.html", _context(shipment))
    response["X-Robots-Tag"] = "noindex"
    return response


def _context(shipment: Shipment) -> dict[str, object]:
    status = Status(shipment.status)
    facts = STATUS_FACTS[status]
    scans = Scan.objects.filter(shipment=shipment, ignored=False, lifted=False).order_by(
        "-at", "-id"
    )
    if status in _IN_PREPARATION:
        label, tone = "Being prepared", ""
    else:
        label = status.label
        tone = "warn" if facts.needs_action else ""
        if status == Status.DELIVERED:
            tone = "good"
        elif status in (Status.LOST, Status.DAMAGED):
            tone = "bad"
    reached = _REACHED.get(facts.category)
    if status == Status.DELIVERED:
        reached = len(STEPS)
    elif status == Status.PICKED_UP:
        reached = 2
    steps = (
        []
        if reached is None
        else [{"name": name, "done": number < reached} for number, name in enumerate(STEPS)]
    )
    return {
        "shipment": shipment,
        "label": label,
        "tone": tone,
        "steps": steps,
        "scans": scans,
        "show_estimate": shipment.estimated_delivery and not facts.terminal,
    }
