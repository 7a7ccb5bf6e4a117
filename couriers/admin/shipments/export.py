"""The columns that an export of shipments has beside those of their list."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter

from django.http import HttpRequest

from couriers.admin.base import mask_phone
from couriers.admin.export import Column, as_text
from couriers.contract.masking import MASK
from couriers.models import Shipment
from couriers.models.fields import UNREADABLE_TEXT, readable_or
from couriers.operations.staff import VIEW_AMOUNTS, VIEW_CONSIGNEE

_PLAIN = {
    "Waybill": "waybill",
    "Direction": "get_direction_display",
    "Consignee": "consignee_name",
    "State": "consignee_state",
    "Pincode": "consignee_pincode",
    "Weight in g": "weight_g",
    "NDR reason": "ndr_reason",
    "Status since": "status_at",
    "Delivery attempts": "delivery_attempts",
    "Booked": "booked_at",
}


def more_columns(request: HttpRequest) -> list[Column]:
    """The columns for the user: phone and address are masked for users who may not see them."""
    columns = [Column(heading, _reader(path)) for heading, path in _PLAIN.items()]
    may_see = request.user.has_perm(VIEW_CONSIGNEE)
    columns += [
        Column("Phone", _consignee("consignee_phone", None if may_see else mask_phone)),
        Column("Address", _consignee("consignee_address", None if may_see else lambda _: MASK)),
    ]
    if request.user.has_perm(VIEW_AMOUNTS):
        columns.append(Column("COD amount", _reader("cod_amount")))
    return columns


def _reader(path: str) -> Callable[[Shipment], str]:
    read = attrgetter(path)

    def text(shipment: Shipment) -> str:
        value = read(shipment)
        return as_text(value() if callable(value) else value)

    return text


def _consignee(name: str, mask: Callable[[str], str] | None) -> Callable[[Shipment], str]:
    def text(shipment: Shipment) -> str:
        value = str(readable_or(shipment, name, UNREADABLE_TEXT))
        return mask(value) if mask and value else value

    return text
