"""Amounts in Decimal rupees, rounded to the paisa, and the GST that prices include."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from couriers.contract.types import Item

PAISA = Decimal("0.01")
# A line, a COD amount and the total of an order must each be less.
AMOUNT_LIMIT = Decimal(10**9)  # rupees


def to_paisa(amount: Decimal) -> Decimal:
    """Round rupees to two decimals, half up, as invoices do."""
    return amount.quantize(PAISA, rounding=ROUND_HALF_UP)


def is_whole_paise(amount: Decimal) -> bool:
    """Whether an amount in rupees has at most two decimals. True for infinity and NaN.

    It looks at the digits, because arithmetic on a large amount would round or fail.
    """
    if not amount.is_finite():
        return True
    _, digits, exponent = amount.as_tuple()
    beyond = -2 - int(exponent)  # digits after the paise
    return beyond <= 0 or not any(digits[-beyond:])


def paise_problem(amount: Decimal) -> str | None:
    """Return what is wrong with an amount that cannot be paid in whole paise, or None."""
    return None if is_whole_paise(amount) else "has more than two decimals"


@dataclass(frozen=True, slots=True)
class Amounts:
    """The amounts of an order in rupees: `total == taxable + tax`, to the paisa."""

    total: Decimal
    taxable: Decimal
    tax: Decimal


def split_gst(value: Decimal, gst_rate: Decimal) -> Amounts:
    """Split a line's price in rupees, which includes GST at `gst_rate` per cent.

    The taxable value is rounded, and the tax is the rest, so they add up to the price exactly.
    """
    total = to_paisa(value)
    taxable = to_paisa(total * 100 / (100 + gst_rate))
    return Amounts(total=total, taxable=taxable, tax=total - taxable)


def amounts_of(items: Iterable[Item]) -> Amounts:
    """Return the amounts of an order in rupees: the sums of its lines' amounts."""
    lines = [split_gst(item.value, item.gst_rate) for item in items]
    zero = Decimal("0.00")
    return Amounts(
        total=sum((line.total for line in lines), zero),
        taxable=sum((line.taxable for line in lines), zero),
        tax=sum((line.tax for line in lines), zero),
    )
