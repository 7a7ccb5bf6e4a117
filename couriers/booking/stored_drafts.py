"""The draft of a stored shipment: to book its return, and to compare another request with it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from couriers.booking.fingerprints import fields_of
from couriers.contract.registry import AUTO
from couriers.contract.types import (
    Address,
    Direction,
    Item,
    Parcel,
    PaymentMode,
    ShipmentDraft,
)
from couriers.models import Shipment
from couriers.models.fields import readable_or

# The draft of a stored shipment has no invoice and no quote, and a merchant may change the others.
NOT_COMPARED = ("invoice_number", "invoice_date", "quote", "metadata", "consignee.email")
# The platform fills these where the merchant leaves them out.
FILLED_WHERE_BLANK = ("consignee.city", "consignee.state", "warehouse")


def differing_from_shipment(shipment: Shipment, draft: ShipmentDraft) -> tuple[str, ...]:
    """Return the sorted names of the fields in which a request differs from a shipment.

    It is for a shipment whose idempotency key has been deleted. A field that is blank in the
    request and that the platform filled does not differ.
    """
    wanted, stored = fields_of(draft), fields_of(draft_of(shipment))
    chosen = shipment.choice is not None
    not_compared = {*NOT_COMPARED, *(("courier",) if chosen and draft.courier == AUTO else ())}
    filled = {*FILLED_WHERE_BLANK, *(("service",) if chosen else ())}
    return tuple(
        sorted(
            name
            for name, value in wanted.items()
            if name not in not_compared
            and not (name in filled and not value)
            and value != stored.get(name, "")
        )
    )


def draft_of(shipment: Shipment) -> ShipmentDraft:
    """Return the draft by which the shipment could have been booked, without its invoice."""
    return ShipmentDraft(
        courier=shipment.courier_id,
        order_number=shipment.order_number,
        order_date=shipment.order_date,
        payment_mode=PaymentMode(shipment.payment_mode),
        cod_amount=shipment.cod_amount,
        consignee=address_of(shipment),
        items=items_of(shipment),
        parcel=parcel_of(shipment),
        warehouse_id=shipment.warehouse_id,
        direction=Direction(shipment.direction),
        original_id=shipment.original_id or "",
        service=shipment.service,
        return_reason=shipment.return_reason,
        options=shipment.options,
    )


def readable_address_of(shipment: Shipment) -> Address:
    """Return the consignee's address. What no key opens is empty in it."""
    return Address(
        name=shipment.consignee_name,
        phone=readable_or(shipment, "consignee_phone", ""),
        address=readable_or(shipment, "consignee_address", ""),
        city=shipment.consignee_city,
        state=shipment.consignee_state,
        pincode=shipment.consignee_pincode,
        landmark=readable_or(shipment, "consignee_landmark", "") or "",
        email=readable_or(shipment, "consignee_email", "") or "",
    )


def address_of(shipment: Shipment) -> Address:
    """Return the consignee's address. Raises UnreadableValue where no key opens a part of it."""
    return Address(
        name=shipment.consignee_name,
        phone=shipment.consignee_phone,
        address=shipment.consignee_address,
        city=shipment.consignee_city,
        state=shipment.consignee_state,
        pincode=shipment.consignee_pincode,
        landmark=shipment.consignee_landmark or "",
        email=shipment.consignee_email or "",
    )


def parcel_of(shipment: Shipment) -> Parcel:
    """Return the parcel's weight and sizes."""
    return Parcel(shipment.weight_g, shipment.length_cm, shipment.width_cm, shipment.height_cm)


def items_of(shipment: Shipment) -> tuple[Item, ...]:
    """Return the lines of the order."""
    return tuple(_item_of(stored) for stored in shipment.items)


def items_json(items: tuple[Item, ...]) -> list[dict[str, Any]]:
    """Return lines as they are stored with a shipment. Amounts are decimal strings."""
    return [
        dataclasses.asdict(item)
        | {"value": f"{item.value:.2f}", "gst_rate": f"{item.gst_rate:.2f}"}
        for item in items
    ]


def _item_of(stored: Mapping[str, Any]) -> Item:
    return Item(
        **{**stored, "value": Decimal(stored["value"]), "gst_rate": Decimal(stored["gst_rate"])}
    )
