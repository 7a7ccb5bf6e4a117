"""The public tracking page of a shipment, for its consignee.

Anybody with the link can open it, so it shows no data of the consignee, and reads none. Its words
are ours alone: a courier's status, reason, place or description may hold a name or a phone number.
It uses no word that only operators understand.
"""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import dataclass

from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise
from django.views.decorators.cache import cache_control
from django.views.decorators.http import conditional_page, require_safe

from couriers.conf import tunables
from couriers.contract.content_policy import parcel_page, with_policy
from couriers.contract.india import today
from couriers.contract.platform_errors import UnknownCourier
from couriers.contract.registry import CourierFactory
from couriers.contract.statuses import STATUS_FACTS, Category, Status
from couriers.contract.types import Direction, PaymentMode
from couriers.models import Scan, Shipment
from couriers.models.converters import is_public_id
from couriers.resilience.client_address import client_address
from couriers.resilience.throttle import Quota, take
from couriers.resilience.unavailable import page_while_away
from couriers.tracking.advice import advice_for, reason_of
from couriers.tracking.consignee_words import STEPS, UNKNOWN, steps_done, words_of
from couriers.tracking.dates import day_text, local_day, time_text
from couriers.tracking.public_pages import COMPANY_COLUMNS, parcel_response, shop_of, too_many
from couriers.tracking.status import latest_possible_time

# The columns that the page is made of. No personal data is among them, and none is read.
COLUMNS = (
    "status", "status_at", "direction", "order_number", "tracking_id", "waybill", "ndr_reason",
    "estimated_delivery", "payment_mode", "is_test", "vendor", "courier__name",
    *(f"company__{column}" for column in COMPANY_COLUMNS),
)  # fmt: skip
MAX_SCANS = 200  # in the history, the newest
# An attempt that failed has its reason in the history.
_ATTEMPTS = (Status.UNDELIVERED, Status.NOT_PICKED)
# While a forward shipment is in one of these, the day of delivery is worth knowing.
_EXPECTED = (Category.PICKUP, Category.TRANSIT, Category.DELIVERY, Category.EXCEPTION)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the history. `note` says why an attempt failed, where that is known."""

    at: dt.datetime
    time: str
    title: Promise
    note: Promise | None


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the parcel's way. The page marks the last one that is done as the current one."""

    name: Promise
    is_done: bool
    is_current: bool


@page_while_away
@transaction.non_atomic_requests
@login_not_required
@cache_control(private=True, max_age=60)
@with_policy(parcel_page)
@require_safe
@conditional_page
def tracking_page(request: HttpRequest, shipment_id: str) -> HttpResponse:
    """GET /track/{public_id}/: the status and history of the parcel, or a page with 404 or 503.

    More than THROTTLE_TRACKING_PAGE requests a minute from one address get 429.
    """
    quota = Quota("tracking-page", client_address(request), tunables().THROTTLE_TRACKING_PAGE)
    standing = take([quota])
    if standing and standing.wait:
        return too_many(request, standing.wait)
    shipment = _shipment(shipment_id) if is_public_id(shipment_id) else None
    if shipment is None:
        return parcel_response(request, "couriers/tracking_unknown.html", {}, 404)
    return parcel_response(request, "couriers/tracking.html", _context(shipment))


def _shipment(shipment_id: str) -> Shipment | None:
    found = Shipment.objects.select_related("courier", "company__logo").only(*COLUMNS)
    return found.filter(pk=shipment_id).first()


def _context(shipment: Shipment) -> dict[str, object]:
    status = Status(shipment.status)
    category = STATUS_FACTS[status].category
    direction = shipment.direction
    estimate = shipment.estimated_delivery
    is_expected = direction == Direction.FORWARD and category in _EXPECTED
    return {
        "shipment": shipment,
        "courier": _courier_name(shipment),
        "shop": shop_of(shipment.company),
        "is_return": direction == Direction.REVERSE,
        "number": shipment.waybill or shipment.tracking_id,
        "words": words_of(status, direction),
        "advice": advice_for(shipment.courier_id, status, direction, shipment.ndr_reason),
        "steps": _steps(status, category, direction),
        "since": _moment(shipment.status_at),
        "days": _days(shipment),
        "estimate": day_text(local_day(estimate)) if estimate and is_expected else None,
        "is_late": estimate is not None and local_day(estimate) < today(),
        "pays_at_door": (
            status in (Status.OUT_FOR_DELIVERY, Status.UNDELIVERED)
            and direction == Direction.FORWARD
            and shipment.payment_mode == PaymentMode.COD
        ),
    }


def _courier_name(shipment: Shipment) -> str:
    """Return the courier's name, and the carrier's behind an aggregator: who comes to the door.

    The carrier is one that the plug-in names: what a courier writes is shown on no page.
    """
    name = shipment.courier.name
    try:
        carriers = CourierFactory.adapter_class(shipment.courier_id).carriers
    except UnknownCourier:
        return name
    vendor = _letters(shipment.vendor)
    carrier = next((one for one in carriers if vendor.startswith(_letters(one))), None)
    return f"{name} ({carrier})" if carrier else name


def _letters(text: str) -> str:
    """Return the text's letters and digits in lower case: Blue Dart is also written BLUEDART."""
    return "".join(filter(str.isalnum, text.casefold()))


def _steps(status: Status, category: Category, direction: str) -> list[Step]:
    done = steps_done(status, category, direction)
    if done is None:
        return []
    return [
        Step(name, is_done=place < done, is_current=place == done - 1)
        for place, name in enumerate(STEPS[direction])
    ]


def _moment(at: dt.datetime | None) -> tuple[str, str] | None:
    return (day_text(local_day(at)), time_text(at)) if at else None


def _days(shipment: Shipment) -> list[tuple[str, list[Line]]]:
    """Return the history by days of India, the newest first.

    Of lines of a day that follow each other and say the same, the newest stands for all: they
    differ by what the courier wrote, which is not shown.
    """
    scans = (
        Scan.objects.filter(shipment=shipment, ignored=False, lifted=False)
        .filter(at__lte=latest_possible_time())
        .order_by("-at", "-id")
        .values_list("at", "status", "ndr_reason")[:MAX_SCANS]
    )
    days: list[tuple[str, list[Line]]] = []
    for day, of_day in itertools.groupby(scans, lambda scan: local_day(scan[0])):
        lines: list[Line] = []
        for at, status, reason in of_day:
            line = _line(shipment, at, status, reason)
            if not (lines and (lines[-1].title, lines[-1].note) == (line.title, line.note)):
                lines.append(line)
        days.append((day_text(day), lines))
    return days


def _line(shipment: Shipment, at: dt.datetime, status: str, reason: str) -> Line:
    if not status:
        return Line(at, time_text(at), UNKNOWN, None)
    title = words_of(Status(status), shipment.direction).title
    note = reason_of(shipment.courier_id, reason) if status in _ATTEMPTS else None
    return Line(at, time_text(at), title, note)
