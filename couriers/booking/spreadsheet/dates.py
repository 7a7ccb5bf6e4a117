"""Reads the date of an order. Pure functions.

A date that can be read in two ways is refused, unless the format of the file says which way it is.
"""

from __future__ import annotations

import calendar
import datetime as dt
import re

from couriers.booking.spreadsheet.cells import Cell, ascii_digits
from couriers.booking.spreadsheet.errors import CellProblem
from couriers.contract import india

EXPECTED = "write the date like 2026-11-23"
_MONTHS = tuple(name.casefold() for name in calendar.month_name)
_TIME = r"(?:[T ,]+[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?(?: ?[AaPp][Mm])?)?"
_ZONE = r" ?(?P<zone>Z|UTC|GMT|[+-][0-9]{2}:?[0-9]{2})?"
_ISO = re.compile(rf"(?P<date>[0-9]{{4}}([-/])[0-9]{{1,2}}\2[0-9]{{1,2}})(?P<time>{_TIME}){_ZONE}")
_NUMBERS = re.compile(rf"([0-9]{{1,2}})([-/.])([0-9]{{1,2}})\2([0-9]{{4}}){_TIME}")
_DAY_NAME = re.compile(rf"([0-9]{{1,2}})[- ]([A-Za-z]{{3,9}})\.?,?[- ]([0-9]{{4}}){_TIME}")
_NAME_DAY = re.compile(rf"([A-Za-z]{{3,9}})\.? ([0-9]{{1,2}}),? ([0-9]{{4}}){_TIME}")


def order_date(cell: Cell) -> dt.date:
    """Return the date of an order: its day in India where the cell names an offset from UTC.

    Raises CellProblem for a text that is no date, or that may be two dates.
    """
    return _read(cell, day_first=False)


def day_first_date(cell: Cell) -> dt.date:
    """Return the date of an order from a column whose dates are dd/mm/yyyy. Raises CellProblem."""
    return _read(cell, day_first=True)


def _read(cell: Cell, *, day_first: bool) -> dt.date:
    text = ascii_digits(" ".join((cell.text or "").removeprefix("'").split()))
    try:
        found = _iso(text) or _named(text) or _numeric(cell, text, day_first=day_first)
    except CellProblem:
        raise
    except (ValueError, OverflowError):
        found = None
    if found is None:
        raise cell.problem(f"is not a date: {EXPECTED}")
    return found


def _iso(text: str) -> dt.date | None:
    match = _ISO.fullmatch(text)
    if not match:
        return None
    date = dt.date(*map(int, re.split("[-/]", match["date"])))
    if not match["zone"]:
        return date
    if match["time"][-1:] in ("m", "M"):
        return None
    hours, minutes, *_ = re.findall("[0-9]+", match["time"]) or ("0", "0")
    zone = match["zone"]
    offset = dt.timedelta()
    if zone[0] in "+-":
        sign = -1 if zone[0] == "-" else 1
        offset = sign * dt.timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
    moment = dt.datetime.combine(date, dt.time(int(hours), int(minutes)), dt.timezone(offset))
    return moment.astimezone(india.IST).date()


def _named(text: str) -> dt.date | None:
    """Return the date of `20-Nov-2026` or `Nov 20, 2026`, or None for another form."""
    if match := _DAY_NAME.fullmatch(text):
        day, name, year = match.groups()
    elif match := _NAME_DAY.fullmatch(text):
        name, day, year = match.groups()
    else:
        return None
    months = [number for number, full in enumerate(_MONTHS) if full.startswith(name.casefold())]
    return dt.date(int(year), months[0], int(day)) if months else None


def _numeric(cell: Cell, text: str, *, day_first: bool) -> dt.date | None:
    """Return the date of `20/11/2026`, or None for another form. Raises CellProblem for two."""
    match = _NUMBERS.fullmatch(text)
    if not match:
        return None
    first, _, second, year = match.groups()
    a, b, y = int(first), int(second), int(year)
    if day_first:
        return dt.date(y, b, a)
    if a != b and a <= 12 and b <= 12:
        one, other = dt.date(y, b, a), dt.date(y, a, b)
        raise cell.problem(f"may be {one} or {other}: write the date that is meant like that")
    return dt.date(y, b, a) if b <= 12 else dt.date(y, a, b)
