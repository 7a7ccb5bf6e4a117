"""The public tracking page of a shipment, for its consignee.

Anybody with the link can open it, so it shows no data of the consignee. Its words are ours alone: a
courier's status, reason, place or description may hold a name or a phone number. It uses no word
that only operators understand.
"""

from __future__ import annotations

import math

from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.views.decorators.cache import cache_control

from couriers.conf import tunables
from couriers.contract.content_policy import text_page, with_policy
from couriers.contract.statuses import STATUS_FACTS, Category, Status
from couriers.models import Scan, Shipment
from couriers.models.converters import is_public_id
from couriers.resilience.client_address import client_address
from couriers.resilience.throttle import Quota, take
from couriers.resilience.unavailable import page_while_away
from couriers.tracking.status import latest_possible_time

STEPS = ("Booked", "Picked up", "On its way", "Out for delivery", "Delivered")
# How many of the steps are done, by the category of the status.
_STEPS_DONE = {
    Category.BOOKING: 0,
    Category.PICKUP: 1,
    Category.TRANSIT: 3,
    Category.DELIVERY: 4,
    Category.EXCEPTION: 4,
}
# Statuses that the page shows as "Being prepared": the parcel is not booked, or not certainly.
_IN_PREPARATION = {Status.BOOKING, Status.IN_DOUBT, Status.FAILED}


@page_while_away
@transaction.non_atomic_requests
@login_not_required
@cache_control(private=True, max_age=60)
@with_policy(text_page)
def tracking_page(request: HttpRequest, shipment_id: str) -> HttpResponse:
    """GET /track/{public_id}/: the status and history of the parcel, or a page with 404 or 503.

    More than THROTTLE_TRACKING_PAGE requests a minute from one address get 429.
    """
    quota = Quota("tracking-page", client_address(request), tunables().THROTTLE_TRACKING_PAGE)
    standing = take([quota])
    if standing and standing.wait:
        return _too_many(math.ceil(standing.wait))
    shipment = None
    if is_public_id(shipment_id):
        shipment = Shipment.objects.select_related("courier").filter(pk=shipment_id).first()
    # The page is in English, whatever languages the project has.
    with translation.override("en"):
        if shipment is None:
            response = render(request, "couriers/tracking_unknown.html", status=404)
        else:
            response = render(request, "couriers/tracking.html", _context(shipment))
    response["X-Robots-Tag"] = "noindex"
    return response


def _too_many(seconds: int) -> HttpResponse:
    return HttpResponse(
        f"Too many requests. Ask again in {seconds} s.\n",
        status=429,
        headers={"Retry-After": seconds},
        content_type="text/plain; charset=utf-8",
    )


def _context(shipment: Shipment) -> dict[str, object]:
    status = Status(shipment.status)
    facts = STATUS_FACTS[status]
    shown = {"ignored": False, "lifted": False, "at__lte": latest_possible_time()}
    found = Scan.objects.filter(shipment=shipment, **shown).order_by("-at", "-id")
    # Scans of one moment may differ in the courier's words alone, which are not shown.
    scans = list({(scan.at, scan.status): scan for scan in found}.values())
    if status in _IN_PREPARATION:
        label, tone = "Being prepared", ""
    else:
        label = status.label
        tone = "warn" if facts.needs_action else ""
        if status == Status.DELIVERED:
            tone = "good"
        elif status in (Status.LOST, Status.DAMAGED):
            tone = "bad"
    steps_done = _STEPS_DONE.get(facts.category)
    if status == Status.DELIVERED:
        steps_done = len(STEPS)
    elif status == Status.PICKED_UP:
        steps_done = 2
    steps = (
        []
        if steps_done is None
        else [{"name": name, "done": number < steps_done} for number, name in enumerate(STEPS)]
    )
    return {
        "shipment": shipment,
        "label": label,
        "tone": tone,
        "steps": steps,
        "scans": scans,
        "show_estimate": shipment.estimated_delivery and not facts.terminal,
    }
