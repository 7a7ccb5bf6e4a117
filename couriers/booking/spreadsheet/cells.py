"""A cell of a spreadsheet, and what is read from it. Pure functions.

What lost nothing on its way through a spreadsheet is read: '560034, ="560034", 560034.0, 5 %,
1,00,005. What may have lost digits, such as 9.84501E+09, is refused.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

from couriers.booking.spreadsheet.errors import CellProblem
from couriers.contract.money import paise_problem
from couriers.contract.text import clean_line

T = TypeVar("T")

MAX_SHOWN = 60  # characters of a cell in a message
MAX_INTEGER_DIGITS = 12  # of an amount; the checks of a draft know the real limits
MAX_COUNT_DIGITS = 9  # of a whole number
EXCEL_DIGITS = 15  # a spreadsheet replaces the digits of a number after these by zeros

_FORMULA = re.compile(r'="((?:[^"]|"")*)"')
_SCIENTIFIC = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)?[eE][+-][0-9]+")
_WHOLE_AS_DECIMAL = re.compile(r"(\+?[0-9]+)\.0+")
# 1149, 1149.50, .5, 1,149.50 and 12,34,567.
_AMOUNT = re.compile(
    r"(?:[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,2}(?:,[0-9]{2})*,[0-9]{3})?(?:\.[0-9]*)?"
)
_CURRENCY = re.compile(r"^(?:₹|rs\.?|inr)\s*|\s*(?:/-|inr)$", re.IGNORECASE)
_LOST = "is in scientific notation, which loses digits: format the column as text and enter it anew"


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell: where it stands, in the file's own words, and its text.

    `place` is like `row 3, column "Shipping Zip"`. `text` is None where a problem is about a place
    alone, and "" for a cell that is empty or that the file does not have.
    """

    place: str
    text: str | None = ""

    def __bool__(self) -> bool:
        return bool(self.text)

    def describe(self, message: str) -> str:
        """Return a problem with the cell as one line: the place, what was read, and the message."""
        if self.text is None:
            return f"{self.place}: {message}"
        if not self.text:
            return f"{self.place}: {message if message.startswith('is missing') else 'is missing'}"
        return f'{self.place}: read "{shown(self.text)}", {message}'

    def problem(self, message: str) -> CellProblem:
        """Return the exception for a problem with the cell."""
        return CellProblem(self.describe(message))


class Problems(list[str]):
    """The problems of an order that were found so far."""

    def read(self, parse: Callable[[Cell], T], cell: Cell, fallback: T) -> T:
        """Return what `parse` reads from the cell. Note its problem and return `fallback` else."""
        try:
            return parse(cell)
        except CellProblem as problem:
            self.append(str(problem))
            return fallback


def shown(text: str) -> str:
    """Return a text for a message: on one line, and shortened."""
    visible = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return visible if len(visible) <= MAX_SHOWN else f"{visible[: MAX_SHOWN - 1]}…"


def unwrap(text: str) -> str:
    """Return a cell's text without surrounding space and without the formula of ="560034"."""
    text = text.strip()
    if text.startswith('="') and (formula := _FORMULA.fullmatch(text)):
        return formula[1].replace('""', '"').strip()
    return text


def sku_text(text: str) -> str:
    """Return the SKU of a cell's text, as orders and the company's products are both read.

    An apostrophe in front, a formula and invisible marks are dropped. Zeros and case are kept.
    """
    return clean_line(unwrap(text)).removeprefix("'").strip()


def ascii_digits(text: str) -> str:
    """Return a text with the decimal digits of every script as 0 to 9. Other characters stay."""
    if text.isascii():
        return text
    return "".join(str(unicodedata.decimal(char, char)) for char in text)


def number_text(cell: Cell) -> str:
    """Return the text of a cell with a number that is no amount: a phone, an order number, a code.

    An apostrophe in front, invisible marks at the ends and a `.0` behind the digits are dropped.
    Raises CellProblem for a number that has lost digits.
    """
    text = _trim_marks(cell.text or "").removeprefix("'").strip()
    if text.isascii() and _SCIENTIFIC.fullmatch(text):
        raise cell.problem(_LOST)
    if whole := _WHOLE_AS_DECIMAL.fullmatch(text):
        text = whole[1]
    if text.isascii() and text.isdigit() and _has_lost_digits(text):
        raise cell.problem(
            f"has zeros after its first {EXCEL_DIGITS} digits, as a spreadsheet writes a number "
            "that is too long for it: format the column as text and enter it anew"
        )
    return text


def digits(cell: Cell) -> str:
    """Return the text of a cell that holds digits alone, such as a pincode or an HSN code.

    Spaces between the digits are dropped, and digits of other scripts are read.
    """
    return re.sub(r"\s+", "", ascii_digits(number_text(cell)))


def phone(cell: Cell) -> str:
    """Return the phone number as it is written."""
    return ascii_digits(number_text(cell))


def whole_number(cell: Cell) -> int:
    """Return a whole number of 0 or more. Raises CellProblem."""
    amount = _decimal(cell, ascii_digits(_trim_marks(cell.text or "").removeprefix("'")))
    if amount % 1 or amount >= 10**MAX_COUNT_DIGITS:
        raise cell.problem("is not a whole number like 12")
    return int(amount)


def amount(cell: Cell) -> Decimal:
    """Return an amount of 0 or more, in rupees with paise. Raises CellProblem.

    ₹ and Rs. are understood, and commas where they group thousands or lakhs.
    """
    text = ascii_digits(_trim_marks(cell.text or "").removeprefix("'"))
    number = _decimal(cell, _CURRENCY.sub("", text).strip())
    if problem := paise_problem(number):
        raise cell.problem(problem)
    return number


def rate(cell: Cell) -> Decimal:
    """Return a rate in per cent, with or without the sign. Raises CellProblem."""
    text = ascii_digits(_trim_marks(cell.text or "").removeprefix("'"))
    return _decimal(cell, text.removesuffix("%").strip())


def required(cell: Cell) -> str:
    """Return the text. Raises CellProblem if there is none."""
    if not cell.text:
        raise cell.problem("is missing")
    return cell.text


def word(cell: Cell, meanings: Mapping[str, T], expected: str) -> T:
    """Return what the cell's word means, whatever its case. Raises CellProblem for others."""
    text = " ".join((cell.text or "").casefold().split())
    if text not in meanings:
        raise cell.problem(expected)
    return meanings[text]


def _decimal(cell: Cell, text: str) -> Decimal:
    """Return the number of a text that was cleaned. Names what is wrong with any other text."""
    text = text.replace("．", ".").replace("，", ",")  # noqa: RUF001 - the full-width signs
    if not text:
        raise cell.problem("is missing" if not cell.text else "is not a number")
    if text.isascii() and _SCIENTIFIC.fullmatch(text):
        raise cell.problem(_LOST)
    if text.startswith(("-", "−")):  # noqa: RUF001 - the minus sign
        raise cell.problem("is negative" if any(c.isdigit() for c in text) else "is not a number")
    if not _AMOUNT.fullmatch(text) or text == ".":
        raise cell.problem("is not a number like 1149 or 1,149.50")
    whole, _, fraction = text.replace(",", "").partition(".")
    if len(whole) > 1 and whole.startswith("0"):
        # As in 2,049.00 whose second part was taken for the next cell.
        raise cell.problem("begins with a nought: is it a part of a larger number?")
    fraction = fraction.rstrip("0")
    if len(whole) > MAX_INTEGER_DIGITS:
        raise cell.problem(f"has more than {MAX_INTEGER_DIGITS} digits")
    if len(fraction) > MAX_INTEGER_DIGITS:
        raise cell.problem("has too many decimals")
    return Decimal(f"{whole or 0}.{fraction}" if fraction else whole or 0)


def _trim_marks(text: str) -> str:
    """Return a text without white space and invisible marks of writing at its ends."""
    if text.isascii() and text.isprintable():
        return text.strip()
    start, end = 0, len(text)
    while start < end and _is_mark(text[start]):
        start += 1
    while end > start and _is_mark(text[end - 1]):
        end -= 1
    return text[start:end]


def _is_mark(char: str) -> bool:
    return char.isspace() or unicodedata.category(char) == "Cf"


def _has_lost_digits(text: str) -> bool:
    """Whether a number looks rounded: shorter ones end with zeros too often by chance."""
    lost = text.lstrip("0")[EXCEL_DIGITS:]
    return len(lost) >= 3 and not lost.strip("0")
