"""The head of a shipment's page: where it is, since when, and what can be done now."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.http import HttpRequest
from django.urls import NoReverseMatch

from couriers.admin.base import admin_url, mask_phone
from couriers.admin.shipments.attempts import attempt_lines
from couriers.booking.shipment_actions import actions_allowed
from couriers.contract.actions import ActionKind
from couriers.contract.statuses import Status
from couriers.contract.types import Direction
from couriers.models import FlagKind, Shipment
from couriers.models.addresses import NoAddress, tracking_url
from couriers.models.fields import UNREADABLE_TEXT, readable_or
from couriers.models.rule_terms import Strategy
from couriers.operations.flags import sentence_of
from couriers.operations.staff import ACT
from couriers.rates.choice import Choice

# The colour of each status. Unfold shows a status without a colour by its raw value.
STATUS_COLOURS = dict.fromkeys(Status, "default") | {
    Status.IN_DOUBT: "danger",
    Status.FAILED: "danger",
    Status.LOST: "danger",
    Status.DAMAGED: "danger",
    Status.DELIVERED: "success",
    Status.UNDELIVERED: "warning",
    Status.RTO_FAILED: "warning",
    Status.NOT_PICKED: "warning",
}
# The icons of the buttons. "track" asks the courier for the latest scans, of any booked shipment.
ICONS = {
    ActionKind.CANCEL.value: "cancel",
    ActionKind.REATTEMPT.value: "replay",
    ActionKind.RTO.value: "keyboard_return",
    ActionKind.ADDRESS.value: "edit_location",
    ActionKind.PICKUP.value: "event",
    "track": "my_location",
}
TIMES = "\N{MULTIPLICATION SIGN}"


@dataclass(frozen=True, slots=True)
class Button:
    """A link of the head."""

    label: str
    url: str
    icon: str = ""
    is_outside: bool = False  # it leads out of the admin, in a tab of its own


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of the head. `at` is a time, shown in India's."""

    label: str
    text: str = ""
    at: dt.datetime | None = None


def facts_of(shipment: Shipment) -> list[Fact]:
    """What an operator looks for first. What is empty is left out."""
    last = (
        shipment.scans.filter(ignored=False, lifted=False)
        .exclude(location="")
        .order_by("-at", "-id")
        .values_list("location", "at")
        .first()
    )
    where, where_at = last or ("", None)
    attempts = shipment.delivery_attempts
    facts = [
        Fact("Mode", "Test: no parcel moves" if shipment.is_test else ""),
        Fact("Where", where, where_at),
        Fact("Since", at=shipment.status_at),
        Fact("Promised for", at=shipment.estimated_delivery),
        Fact("Delivery attempts", "" if attempts is None else str(attempts)),
        Fact("NDR reason", shipment.ndr_reason),
        Fact("Courier's words", shipment.courier_status),
        Fact("Tracking id", shipment.tracking_id),
        Fact("Waybill", shipment.waybill if shipment.waybill != shipment.tracking_id else ""),
        Fact("Former tracking ids", ", ".join(shipment.former_tracking_ids)),
        Fact("Carried by", shipment.vendor),
        Fact("Why this courier", why_this_courier(shipment)),
        Fact("Courier's order id", shipment.courier_order_id),
        Fact("Order taken", at=shipment.created_at),
        Fact("Last news", at=shipment.tracked_at),
    ]
    return [fact for fact in facts if fact.text or fact.at]


def buttons_of(
    model_admin: admin.ModelAdmin, request: HttpRequest, shipment: Shipment
) -> list[Button]:
    """The actions that the courier takes now, for a user who may ask for them."""
    if not request.user.has_perm(ACT) or not shipment.tracking_id:
        return []
    kinds = [(kind.value, kind.label) for kind in actions_allowed(shipment)]
    found = []
    for kind, label in [*kinds, ("track", "Track now")]:
        try:
            url = admin_url(model_admin, "shipcrowd_act", kind)
        except NoReverseMatch:
            continue
        found.append(Button(label, f"{url}?{urlencode({'ids': shipment.pk})}", ICONS[kind]))
    return found


def links_of(shipment: Shipment) -> list[Button]:
    """The pages outside of the admin: the courier's, and the one that the consignee has."""
    links = []
    if shipment.courier_tracking_url:
        links.append(
            Button(f"{shipment.courier}'s page", shipment.courier_tracking_url, "open_in_new", True)
        )
    with suppress(NoAddress):
        links.append(Button("Tracking page", tracking_url(shipment.pk), "public", True))
    return links


def head_of(
    model_admin: admin.ModelAdmin, request: HttpRequest, shipment: Shipment
) -> dict[str, Any]:
    """The context of the head."""
    open_flags = [
        (
            sentence_of(flag),
            f"{admin_url(model_admin, 'shipcrowd_clear_flag', shipment.pk)}?flag={flag.pk}",
            admin_url(model_admin, "shipcrowd_cancel_parcel", shipment.pk)
            if flag.kind == FlagKind.EARLIER_COURIER and request.user.has_perm(ACT)
            else "",
        )
        for flag in shipment.flags.all()
        if flag.cleared_at is None
    ]
    return {
        "colour": STATUS_COLOURS[Status(shipment.status)],
        "is_return": shipment.direction == Direction.REVERSE,
        "facts": facts_of(shipment),
        "attempts": attempt_lines(shipment),
        "open_flags": open_flags,
        "action_buttons": buttons_of(model_admin, request, shipment),
        "outside_links": links_of(shipment),
        "phone": masked_phone(shipment),
        "items": items_of(shipment),
        "parcel": parcel_of(shipment),
        "warnings": [f"{one['field']}: {one['message']}" for one in shipment.warnings],
    }


def why_this_courier(shipment: Shipment) -> str:
    """Which rule chose the courier, and who was passed over; "" where the order names it."""
    if shipment.choice is None:
        return ""
    choice = Choice.from_json(shipment.choice)
    by = f"rule {choice.rule_name}" if choice.rule_name else "no rule holds"
    names = ", ".join(one.courier for one in choice.candidates)
    parts = [f"{by}: {Strategy(choice.strategy).label.lower()}", f"candidates {names}"]
    parts += [f"without {one.courier} ({one.detail})" for one in choice.passed_over]
    return "; ".join(parts)


def masked_phone(shipment: Shipment) -> str:
    """The consignee's phone with its last digits alone."""
    phone = readable_or(shipment, "consignee_phone", None)
    return UNREADABLE_TEXT if phone is None else mask_phone(phone)


def items_of(shipment: Shipment) -> list[str]:
    """What is in the parcel, without amounts."""
    return [f"{item['quantity']} of {item['name']}" for item in shipment.items]


def parcel_of(shipment: Shipment) -> str:
    """Weight and size as people write them."""
    weight = f"{shipment.weight_g} g"
    if shipment.weight_g >= 1000:
        weight = f"{shipment.weight_g / 1000:g} kg"
    size = f" {TIMES} ".join(
        str(side) for side in (shipment.length_cm, shipment.width_cm, shipment.height_cm)
    )
    return f"{weight}, {size} cm"
