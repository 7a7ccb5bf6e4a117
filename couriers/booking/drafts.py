"""Checks and cleans a merchant's request before anything is stored or sent.

The API, bulk jobs and spreadsheets use it. All problems are reported together, each with its field
in the merchant's vocabulary. A courier's own rules are checked by its adapter.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from decimal import Decimal

from couriers.contract import india
from couriers.contract.errors import FieldProblem, InvalidRequest
from couriers.contract.field_problems import FieldProblems
from couriers.contract.money import paise_problem
from couriers.contract.text import has_control_characters
from couriers.contract.types import Address, Item, Parcel, PaymentMode, ShipmentDraft

MAX_KEY_LENGTH = 255
# A line, a COD amount and the total of an order must each be less.
AMOUNT_LIMIT = Decimal(10**9)  # rupees
MAX_LINES = 500
MAX_QUANTITY = 100_000
MAX_PARCEL_MEASURE = 1_000_000  # grams or centimetres
EARLIEST_YEAR = 2000


def clean_key(key: str) -> str:
    """Return the Idempotency-Key. Raises InvalidRequest if it may not be stored."""
    if not key or len(key) > MAX_KEY_LENGTH or has_control_characters(key):
        message = f"1 to {MAX_KEY_LENGTH} characters, none of them control characters"
        raise InvalidRequest([FieldProblem("Idempotency-Key", message)])
    return key


def clean_draft(draft: ShipmentDraft) -> ShipmentDraft:
    """Return the draft with trimmed texts, a ten-digit phone and the state's official name.

    Raises InvalidRequest with all problems. A blank city or state is not a problem: the platform
    fills it from the pincode.
    """
    problems = FieldProblems()
    consignee = _clean_consignee(draft.consignee, problems)
    items = _clean_items(draft.items, problems)
    _check_parcel(draft.parcel, problems)
    _check_payment(draft, problems)
    order = _clean_order(draft, problems)
    if problems:
        raise InvalidRequest(problems, courier=draft.courier, operation="create_shipment")
    return dataclasses.replace(order, consignee=consignee, items=items)


def _clean_order(draft: ShipmentDraft, problems: FieldProblems) -> ShipmentDraft:
    """Check the order's date and clean its texts."""
    problems.require(
        draft.order_date.year >= EARLIEST_YEAR,
        "order_date",
        f"is before the year {EARLIEST_YEAR}",
    )
    clean = problems.clean_text
    return dataclasses.replace(
        draft,
        order_number=clean("order_number", draft.order_number, 100),
        service=clean("service", draft.service, 50, required=False),
        invoice_number=clean("invoice_number", draft.invoice_number, 100, required=False),
        return_reason=clean("return_reason", draft.return_reason, 300, required=False),
    )


def _clean_consignee(consignee: Address, problems: FieldProblems) -> Address:
    problems.refuse("consignee.phone", india.phone_problem(consignee.phone))
    pincode = consignee.pincode.strip()
    problems.refuse("consignee.pincode", india.pincode_problem(pincode))
    clean = problems.clean_text
    state = clean("consignee.state", consignee.state, 100, required=False)
    if state:
        problems.refuse("consignee.state", india.state_problem(state))
    return Address(
        name=clean("consignee.name", consignee.name, 200),
        phone=india.parse_phone(consignee.phone) or "",
        address=clean("consignee.address", consignee.address, 500),
        city=clean("consignee.city", consignee.city, 100, required=False),
        state=india.state_name(state) or state,
        pincode=pincode,
    )


def _clean_items(items: Sequence[Item], problems: FieldProblems) -> tuple[Item, ...]:
    problems.require(0 < len(items) <= MAX_LINES, "items", f"1 to {MAX_LINES} lines")
    cleaned = tuple(
        _clean_item(f"items[{number}]", item, problems) for number, item in enumerate(items)
    )
    if all(item.value.is_finite() for item in items):
        total = sum((item.value for item in items), Decimal(0))
        problems.require(
            total < AMOUNT_LIMIT, "items", f"must add up to less than {AMOUNT_LIMIT} rupees"
        )
    return cleaned


def _clean_item(field: str, item: Item, problems: FieldProblems) -> Item:
    problems.require(
        1 <= item.quantity <= MAX_QUANTITY, f"{field}.quantity", f"must be 1 to {MAX_QUANTITY}"
    )
    problems.require(_is_amount(item.value), f"{field}.value", "must be more than 0 rupees")
    problems.refuse(f"{field}.value", paise_problem(item.value))
    problems.require(
        item.gst_rate.is_finite() and 0 <= item.gst_rate <= 100,
        f"{field}.gst_rate",
        "must be 0 to 100 per cent",
    )
    clean = problems.clean_text
    return dataclasses.replace(
        item,
        name=clean(f"{field}.name", item.name, 200),
        sku=clean(f"{field}.sku", item.sku, 100, required=False),
        category=clean(f"{field}.category", item.category, 100, required=False),
        hsn_code=clean(f"{field}.hsn_code", item.hsn_code, 10, required=False),
    )


def _check_parcel(parcel: Parcel, problems: FieldProblems) -> None:
    for measure in dataclasses.fields(parcel):
        value = getattr(parcel, measure.name)
        problems.require(
            1 <= value <= MAX_PARCEL_MEASURE, f"parcel.{measure.name}", "must be 1 or more"
        )


def _check_payment(draft: ShipmentDraft, problems: FieldProblems) -> None:
    amount = draft.cod_amount
    if draft.payment_mode == PaymentMode.COD:
        problems.require(_is_amount(amount), "cod_amount", "must be more than 0 for COD")
        problems.refuse("cod_amount", paise_problem(amount))
    else:
        problems.require(amount == 0, "cod_amount", "must be left out for a prepaid order")


def _is_amount(rupees: Decimal) -> bool:
    """Whether an amount is more than 0 and less than AMOUNT_LIMIT rupees."""
    return rupees.is_finite() and 0 < rupees < AMOUNT_LIMIT
