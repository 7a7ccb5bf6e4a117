"""Checks and cleans the lines of an order."""

from __future__ import annotations

import dataclasses
from decimal import Decimal

from couriers.contract import india
from couriers.contract.field_problems import FieldProblems
from couriers.contract.money import AMOUNT_LIMIT, paise_problem
from couriers.contract.types import Direction, Item, ShipmentDraft

MAX_LINES = 500
MAX_QUANTITY = 100_000


def clean_items(draft: ShipmentDraft, problems: FieldProblems) -> tuple[Item, ...]:
    """Return the lines with clean texts. Adds the problems and warnings of each.

    A line may be worth nothing, as a gift is, but the order may not.
    """
    items = draft.items
    problems.require(0 < len(items) <= MAX_LINES, "items", f"1 to {MAX_LINES} lines")
    cleaned = tuple(
        _clean_item(f"items[{number}]", item, draft, problems) for number, item in enumerate(items)
    )
    if items and all(_is_value(item.value) for item in items):
        total = sum((item.value for item in items), Decimal(0))
        problems.require(
            total < AMOUNT_LIMIT, "items", f"must add up to less than {AMOUNT_LIMIT} rupees"
        )
        problems.require(total > 0, "items", "are worth nothing: one needs a value")
    return cleaned


def _clean_item(field: str, item: Item, draft: ShipmentDraft, problems: FieldProblems) -> Item:
    problems.require(
        1 <= item.quantity <= MAX_QUANTITY, f"{field}.quantity", f"must be 1 to {MAX_QUANTITY}"
    )
    problems.require(
        _is_value(item.value),
        f"{field}.value",
        f"must be at least 0 and less than {AMOUNT_LIMIT} rupees",
    )
    problems.refuse(f"{field}.value", paise_problem(item.value))
    clean = problems.clean_text
    hsn_code = clean(f"{field}.hsn_code", item.hsn_code, 10, required=False)
    _check_hsn(f"{field}.hsn_code", hsn_code, draft, problems)
    _check_rate(f"{field}.gst_rate", item.gst_rate, hsn_code, draft, problems)
    return dataclasses.replace(
        item,
        name=clean(f"{field}.name", item.name, 200),
        sku=clean(f"{field}.sku", item.sku, 100, required=False),
        category=clean(f"{field}.category", item.category, 100, required=False),
        hsn_code=hsn_code,
    )


def _check_hsn(field: str, code: str, draft: ShipmentDraft, problems: FieldProblems) -> None:
    problems.warn(field, india.hsn_remark(code))
    problem = india.hsn_problem(code)
    if problem and draft.direction == Direction.REVERSE:
        problems.warn(field, india.Remark("hsn_unknown", problem))
    else:
        problems.refuse(field, problem)


def _check_rate(
    field: str, rate: Decimal, hsn_code: str, draft: ShipmentDraft, problems: FieldProblems
) -> None:
    """Check a GST rate against those of the order's date.

    Goods that come back keep the rate that they were sold at, so a return may have any former one.
    """
    day = draft.order_date
    problem = india.gst_rate_problem(rate, day)
    problems.refuse(field, problem)
    if problem is None and draft.direction == Direction.FORWARD:
        problems.warn(field, india.gst_rate_remark(rate, day, hsn_code))


def _is_value(rupees: Decimal) -> bool:
    """Whether an amount is 0 or more and less than AMOUNT_LIMIT rupees."""
    return rupees.is_finite() and 0 <= rupees < AMOUNT_LIMIT
