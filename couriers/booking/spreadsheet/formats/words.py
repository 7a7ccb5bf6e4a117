"""The words that shops use for payment, countries, currencies, yes and no."""

from __future__ import annotations

import re

from couriers.booking.spreadsheet import cells
from couriers.booking.spreadsheet.cells import Cell
from couriers.booking.spreadsheet.errors import NothingToShip
from couriers.contract.types import PaymentMode

_COD = re.compile(r"\bcod\b|\bon delivery\b|^cash(_| )?on(_| )?delivery|^cashondelivery$")
_PAID = re.compile(
    r"\b(pre-?paid|paid|cards?|upi|net ?banking|bank transfer|wallets?|razorpay\w*|payu\w*|paytm"
    r"|phonepe|cashfree|ccavenue|instamojo|stripe\w*|paypal\w*|billdesk|easebuzz|juspay|gpay"
    r"|google pay|amazon ?pay|apple pay|shopify payments|simpl|snapmint|lazypay|gift cards?"
    r"|store credit|bacs|cheque|check payments|emi|pay later|online)\b"
)
_YES_NO = {
    **dict.fromkeys(("true", "yes", "y", "1", "1.0"), True),
    **dict.fromkeys(("false", "no", "n", "0", "0.0", ""), False),
}
_INDIA = frozenset(("in", "ind", "india", "bharat", ""))
_RUPEES = frozenset(("inr", "₹", "rs", "rs.", ""))


def is_cod(cell: Cell) -> bool:
    """Whether the cell names cash on delivery, in a shop's own words."""
    return bool(_COD.search(_folded(cell)))


def payment_method(cell: Cell) -> PaymentMode:
    """Return the mode of payment of a method's name or id. Raises CellProblem for unknown words."""
    text = _folded(cell)
    if _COD.search(text):
        return PaymentMode.COD
    if text and not _PAID.search(text.replace("_", " ").replace("-", " ")):
        raise cell.problem("is no known method of payment: write COD or PREPAID instead")
    if not text:
        raise cell.problem("is missing: write COD or PREPAID")
    return PaymentMode.PREPAID


def yes_no(cell: Cell) -> bool:
    """Return a yes or no, where an empty cell is no. Raises CellProblem for other words."""
    return cells.word(cell, _YES_NO, "must be true or false")


def require_india(cell: Cell) -> None:
    """Raise CellProblem for an address in another country."""
    if _folded(cell) not in _INDIA:
        raise cell.problem("only addresses in India (IN) are booked")


def require_rupees(cell: Cell) -> None:
    """Raise CellProblem for another currency."""
    if _folded(cell) not in _RUPEES:
        raise cell.problem("only orders in rupees (INR) are booked")


def skip(cell: Cell, reason: str) -> NothingToShip:
    """Return the exception that leaves an order out because of a cell."""
    return NothingToShip(cell.describe(reason))


def _folded(cell: Cell) -> str:
    return " ".join((cell.text or "").casefold().split())
