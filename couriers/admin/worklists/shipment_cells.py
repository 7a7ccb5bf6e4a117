"""The cells of the work lists of shipments: in doubt, NDR and not picked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.contrib import admin
from django.utils.timesince import timesince

from couriers.admin.base import admin_url
from couriers.admin.decision_pages import shipment_url
from couriers.admin.worklists.looks import Link
from couriers.contract.action_rules import rule_for
from couriers.contract.actions import ActionKind
from couriers.contract.masking import mask_text
from couriers.contract.platform_errors import UnknownCourier
from couriers.contract.registry import CourierFactory
from couriers.contract.types import Direction
from couriers.fulfilment.rules import why_not
from couriers.models import Scan, Shipment
from couriers.operations import doubt

Cells = Mapping[str, Sequence[Link | str]]

DOUBT_HEADERS = ("Order", "What to do", "Company", "Courier", "Since", "Why")
NDR_HEADERS = (
    "Order", "Company", "Courier", "Reason", "Attempts", "Since", "Re-attempt", "Last remark",
)  # fmt: skip
NOT_PICKED_HEADERS = ("Order", "Company", "Courier", "Status", "Since", "Last remark")


def doubt_cells(rows: Sequence[Shipment], model_admin: admin.ModelAdmin) -> Cells:
    """The cells of bookings in doubt, which lead to the page that settles them."""
    found = {}
    for one in rows:
        order, company, courier = _order(one, model_admin)
        url = admin_url(model_admin, "shipcrowd_settle_doubt", one.pk)
        settle = Link(url, "Settle", doubt.PERMISSION)
        why = mask_text(one.failure) or "the process that booked it stopped"
        since = timesince(one.created_at, depth=1)
        found[one.pk] = (order, settle, company, courier, since, why)
    return found


def ndr_cells(rows: Sequence[Shipment], model_admin: admin.ModelAdmin) -> Cells:
    """The cells of shipments whose delivery failed."""
    remarks = last_remarks(rows)
    return {
        one.pk: (
            *_order(one, model_admin),
            reason_words(one),
            "not known" if one.delivery_attempts is None else str(one.delivery_attempts),
            timesince(one.status_at or one.created_at, depth=1),
            deadline_words(one),
            remarks.get(one.pk, ""),
        )
        for one in rows
    }


def not_picked_cells(rows: Sequence[Shipment], model_admin: admin.ModelAdmin) -> Cells:
    """The cells of shipments that the courier did not pick up."""
    remarks = last_remarks(rows)
    return {
        one.pk: (
            *_order(one, model_admin),
            one.get_status_display(),
            timesince(one.status_at or one.created_at, depth=1),
            remarks.get(one.pk, ""),
        )
        for one in rows
    }


def reason_words(shipment: Shipment) -> str:
    """The NDR reason in neutral words; the courier's own where the plug-in does not know it."""
    if not shipment.ndr_reason:
        return "not known"
    try:
        mapper = CourierFactory.adapter_class(shipment.courier_id).mapper
    except UnknownCourier:
        return mask_text(shipment.ndr_reason)
    if not mapper.knows_reason(shipment.ndr_reason):
        return mask_text(shipment.ndr_reason)
    reason = mapper.map(shipment.courier_status, reason=shipment.ndr_reason).reason
    return reason.code.replace("_", " ").capitalize() if reason else mask_text(shipment.ndr_reason)


def deadline_words(shipment: Shipment) -> str:
    """Until when the courier takes a re-attempt, by its rules; or why it takes none."""
    if why := why_not(shipment, ActionKind.REATTEMPT):
        return f"no: {why}"
    adapter = CourierFactory.adapter_class(shipment.courier_id)
    rule = rule_for(adapter, ActionKind.REATTEMPT, Direction(shipment.direction))
    if rule is None or rule.max_attempts is None:
        return "yes"
    left = rule.max_attempts - (shipment.delivery_attempts or 0) + 1
    return f"yes, {left} more"


def last_remarks(rows: Sequence[Shipment]) -> Mapping[str, str]:
    """The courier's words of the last scan of each shipment, masked, in one statement."""
    scans = (
        Scan.objects.filter(shipment__in=[one.pk for one in rows])
        .order_by("shipment_id", "-at", "-pk")
        .distinct("shipment_id")
    )
    return {
        shipment_id: mask_text(description or status)
        for shipment_id, description, status in scans.values_list(
            "shipment_id", "description", "courier_status"
        )
    }


def _order(shipment: Shipment, model_admin: admin.ModelAdmin) -> tuple[Link, str, str]:
    order = Link(shipment_url(model_admin, shipment.pk), shipment.order_number)
    return order, str(shipment.company), str(shipment.courier)
