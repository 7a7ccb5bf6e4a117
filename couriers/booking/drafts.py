"""Checks of a merchant's request before anything is stored or sent, the same for every way in.

Every problem is found at once, each naming its field in the merchant's vocabulary. What one
courier alone demands is checked by its adapter.
"""

from __future__ import annotations

import dataclasses
from decimal import Decimal

from couriers.contract import india
from couriers.contract.errors import FieldProblem, InvalidRequest
from couriers.contract.money import is_in_paise
from couriers.contract.text import has_control_characters
from couriers.contract.types import Address, PaymentMode, ShipmentDraft

MAX_KEY = 255
MOST = Decimal(10**9)  # rupees, of a line, of a COD amount and of a whole order


def clean_key(key: str) -> str:
    """An Idempotency-Key as it may be stored. Raises InvalidRequest for one that may not."""
    if not key or len(key) > MAX_KEY or has_control_characters(key):
        raise InvalidRequest(
            [
                FieldProblem(
                    "Idempotency-Key", "1 to 255 characters, none of them control characters"
                )
            ]
        )
    return key


def checked(draft: ShipmentDraft) -> ShipmentDraft:
    """The draft with its texts trimmed and its phone as ten digits.

    Raises InvalidRequest with every problem found. A blank city or state is not one: the
    platform fills them from the pincode.
    """
    problems: list[FieldProblem] = []

    def text(field: str, value: str, longest: int, *, required: bool = True) -> str:
        value = value.strip()
        if required and not value:
            problems.append(FieldProblem(field, "is missing"))
        elif len(value) > longest:
            problems.append(FieldProblem(field, f"is longer than {longest} characters"))
        elif has_control_characters(value):
            problems.append(FieldProblem(field, "contains control characters"))
        return value

    def demand(holds: bool, field: str, message: str) -> None:
        if not holds:
            problems.append(FieldProblem(field, message))

    consignee = draft.consignee
    phone = india.parse_phone(consignee.phone)
    demand(phone is not None, "consignee.phone", "is not a ten-digit Indian phone number")
    pincode = consignee.pincode.strip()
    demand(bool(pincode), "consignee.pincode", "is missing")
    if pincode:
        demand(india.is_pincode(pincode), "consignee.pincode", "is not a six-digit pincode")
    state = text("consignee.state", consignee.state, 100, required=False)
    demand(
        not state or india.state_name(state) is not None,
        "consignee.state",
        "is not a state of India",
    )
    address = Address(
        name=text("consignee.name", consignee.name, 200),
        phone=phone or "",
        address=text("consignee.address", consignee.address, 500),
        city=text("consignee.city", consignee.city, 100, required=False),
        state=india.state_name(state) or state,
        pincode=pincode,
    )
    demand(0 < len(draft.items) <= 500, "items", "1 to 500 lines")
    items = []
    for number, item in enumerate(draft.items):
        field = f"items[{number}]"
        demand(1 <= item.quantity <= 100_000, f"{field}.quantity", "must be 1 to 100000")
        demand(
            item.value.is_finite() and 0 < item.value < MOST,
            f"{field}.value",
            "must be more than 0 rupees",
        )
        demand(is_in_paise(item.value), f"{field}.value", "has more than two decimals")
        demand(
            item.gst_rate.is_finite() and 0 <= item.gst_rate <= 100,
            f"{field}.gst_rate",
            "must be 0 to 100 per cent",
        )
        items.append(
            dataclasses.replace(
                item,
                name=text(f"{field}.name", item.name, 200),
                sku=text(f"{field}.sku", item.sku, 100, required=False),
                category=text(f"{field}.category", item.category, 100, required=False),
                hsn_code=text(f"{field}.hsn_code", item.hsn_code, 10, required=False),
            )
        )
    if all(item.value.is_finite() for item in draft.items):
        total = sum((item.value for item in draft.items), Decimal(0))
        demand(total < MOST, "items", f"must add up to less than {MOST} rupees")
    for side in dataclasses.fields(draft.parcel):
        size = getattr(draft.parcel, side.name)
        demand(1 <= size <= 1_000_000, f"parcel.{side.name}", "must be 1 or more")
    cod = draft.cod_amount
    if draft.payment_mode == PaymentMode.COD:
        demand(cod.is_finite() and 0 < cod < MOST, "cod_amount", "must be more than 0 for COD")
        demand(is_in_paise(cod), "cod_amount", "has more than two decimals")
    else:
        demand(cod == 0, "cod_amount", "must be left out for a prepaid order")
    demand(draft.order_date.year >= 2000, "order_date", "is before the year 2000")
    fresh = dataclasses.replace(
        draft,
        order_number=text("order_number", draft.order_number, 100),
        consignee=address,
        items=tuple(items),
        service=text("service", draft.service, 50, required=False),
        invoice_number=text("invoice_number", draft.invoice_number, 100, required=False),
        return_reason=text("return_reason", draft.return_reason, 300, required=False),
    )
    if problems:
        raise InvalidRequest(problems, courier=draft.courier, operation="create_shipment")
    return fresh
