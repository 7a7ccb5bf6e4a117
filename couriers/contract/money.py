"""Amounts in Decimal rupees, rounded to the paisa, and the GST that prices include."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal

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


def unit_prices(value: Decimal, quantity: int) -> list[tuple[int, Decimal]]:
    """Divide a line's value in rupees by its units: how many there are at each price.

    Prices are whole paise, and add up to the value: ₹100 for three units are 2 at 33.33 and 1 at
    33.34. There are one or two of them.
    """
    low = (value / quantity).quantize(PAISA, rounding=ROUND_DOWN)
    dearer = int((value - low * quantity) / PAISA)
    prices = ((quantity - dearer, low), (dearer, low + PAISA))
    return [(units, price) for units, price in prices if units]


def equal_shares(amount: Decimal, count: int) -> list[Decimal]:
    """Divide rupees among so many boxes, in whole paise. The first one has what is left over."""
    share = to_paisa(amount / count)
    return [amount - share * (count - 1), *[share] * (count - 1)]


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


@dataclass(frozen=True, slots=True)
class GstParts:
    """The parts of a tax in rupees, which add up to it to the paisa."""

    sgst: Decimal
    cgst: Decimal
    igst: Decimal

    def __sub__(self, other: GstParts) -> GstParts:
        return GstParts(self.sgst - other.sgst, self.cgst - other.cgst, self.igst - other.igst)


def gst_parts(tax: Decimal, *, within_state: bool) -> GstParts:
    """Divide a tax in rupees: within a state half SGST and half CGST, between states all IGST."""
    if not within_state:
        return GstParts(Decimal(0), Decimal(0), tax)
    half = to_paisa(tax / 2)
    return GstParts(half, tax - half, Decimal(0))


def gst_parts_of_lines(items: Iterable[Item], *, within_state: bool) -> list[GstParts]:
    """Divide the tax of each line, so that the lines' parts add up to those of the whole order.

    A line's parts are the differences between the sums up to it and up to the line before: halves
    rounded line by line would miss the order's by a paisa a line.
    """
    sums, tax = [gst_parts(Decimal(0), within_state=within_state)], Decimal(0)
    for item in items:
        tax += split_gst(item.value, item.gst_rate).tax
        sums.append(gst_parts(tax, within_state=within_state))
    return [later - earlier for earlier, later in itertools.pairwise(sums)]
