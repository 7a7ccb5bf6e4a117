"""Turns a CSV file of orders into drafts of shipments. It uses no database and no courier.

Lines with the same order number are one order, in any place of the file. Lines with quantity 0 are
left out. One bad line rejects its whole order, naming row, column and reason.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TextIO

from couriers.contract import india
from couriers.contract.money import paise_problem
from couriers.contract.types import Address, Item, Parcel, PaymentMode, ShipmentDraft

COLUMNS = (
    "order_number",
    "order_date",
    "payment_mode",
    "consignee_name",
    "consignee_phone",
    "address",
    "city",
    "state",
    "pincode",
    "product",
    "category",
    "hsn_code",
    "quantity",
    "unit_weight_g",
    "length_cm",
    "width_cm",
    "height_cm",
    "order_value",
    "gst_rate",
    "b2b",
)
# Columns that must be the same on every line of an order, which has one consignee and payment.
SAME_ON_EVERY_LINE = (
    "order_date",
    "payment_mode",
    "consignee_name",
    "consignee_phone",
    "address",
    "city",
    "state",
    "pincode",
)
# The column that a field of the draft is read from, to name it in a problem.
COLUMN_OF = {
    "order_number": "order_number",
    "order_date": "order_date",
    "consignee.name": "consignee_name",
    "consignee.phone": "consignee_phone",
    "consignee.address": "address",
    "consignee.city": "city",
    "consignee.state": "state",
    "consignee.pincode": "pincode",
    "cod_amount": "order_value",
    "parcel.weight_g": "unit_weight_g",
    "parcel.length_cm": "length_cm",
    "parcel.width_cm": "width_cm",
    "parcel.height_cm": "height_cm",
    "items": "order_value",
}
_SEPARATOR = "\x1f"

Line = tuple[int, dict[str, str]]  # the row number (the header is row 1), and the cells by column


class FileUnusable(ValueError):
    """The file cannot be used. The message is one line."""


class LineProblem(ValueError):
    """One line of an order cannot be booked."""

    def __init__(self, row: int, column: str, reason: str) -> None:
        super().__init__(f"row {row}, column {column}: {reason}")


@dataclass(slots=True)
class OrderLines:
    """The lines of one order, packed, so that 100,000 lines take some 40 MB of memory."""

    order_number: str
    lines: list[tuple[int, str]]

    def rows(self) -> Iterator[Line]:
        """Yield the lines, unpacked."""
        for row, packed in self.lines:
            yield row, dict(zip(COLUMNS, packed.split(_SEPARATOR), strict=True))


def read_file(path: Path) -> list[OrderLines]:
    """Return the orders of a file, in the order of their first lines.

    Raises FileUnusable if the file cannot be read, is not UTF-8 or not CSV, lacks a column, or has
    no orders.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            orders = _orders_in(path, file)
    except FileNotFoundError:
        raise FileUnusable(f"{path}: there is no such file") from None
    except IsADirectoryError:
        raise FileUnusable(f"{path}: is a folder, not a file") from None
    except OSError as error:
        raise FileUnusable(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError as error:
        raise FileUnusable(f"{path}: is not UTF-8 (byte {error.start})") from None
    except csv.Error as error:
        raise FileUnusable(f"{path}: is not CSV ({error})") from None
    if not orders:
        raise FileUnusable(f"{path}: has no orders")
    return orders


def _orders_in(path: Path, file: TextIO) -> list[OrderLines]:
    reader = csv.reader(file, strict=True)
    positions = _positions(path, next(reader, []))
    orders: dict[str, OrderLines] = {}
    for row, values in enumerate(reader, start=2):
        if not values:
            continue
        if len(values) <= max(positions):
            raise FileUnusable(f"{path}: row {row} has {len(values)} columns, the header has more")
        cells = [values[position].strip() for position in positions]
        if any(_SEPARATOR in cell or "\x00" in cell for cell in cells):
            raise FileUnusable(f"{path}: row {row} contains control characters")
        order = orders.setdefault(cells[0], OrderLines(cells[0], []))
        order.lines.append((row, _SEPARATOR.join(cells)))
    return list(orders.values())


def _positions(path: Path, header: list[str]) -> list[int]:
    """Return the position in a line of each of COLUMNS."""
    if not header:
        raise FileUnusable(f"{path}: is empty")
    names = [name.strip().casefold() for name in header]
    missing = [column for column in COLUMNS if column not in names]
    if missing:
        columns = "column" if len(missing) == 1 else "columns"
        raise FileUnusable(f"{path}: lacks the {columns} {', '.join(missing)}")
    return [names.index(column) for column in COLUMNS]


def draft_of(order: OrderLines, courier: str) -> ShipmentDraft | None:
    """Return the draft of an order, or None if there is nothing to ship. Raises LineProblem."""
    lines = [
        (row, cells) for row, cells in order.rows() if _whole_number(row, cells, "quantity") > 0
    ]
    if not lines:
        return None
    _check_same_on_every_line(lines)
    items = tuple(_item(row, cells) for row, cells in lines)
    row, cells = lines[0]
    mode = _payment_mode(row, cells)
    if not order.order_number:
        raise LineProblem(row, "order_number", "is missing")
    total = sum((item.value for item in items), Decimal(0))
    return ShipmentDraft(
        courier=courier,
        order_number=order.order_number,
        order_date=_date(row, cells),
        payment_mode=mode,
        cod_amount=total if mode == PaymentMode.COD else Decimal(0),
        consignee=_consignee(row, cells),
        items=items,
        parcel=_parcel(lines),
    )


def _check_same_on_every_line(lines: Sequence[Line]) -> None:
    first_row, first = lines[0]
    for row, cells in lines[1:]:
        for column in SAME_ON_EVERY_LINE:
            if cells[column] != first[column]:
                raise LineProblem(row, column, f"differs from row {first_row}")


def _payment_mode(row: int, cells: dict[str, str]) -> PaymentMode:
    mode = cells["payment_mode"].casefold()
    if mode not in PaymentMode.values:
        raise LineProblem(row, "payment_mode", "is neither PREPAID nor COD")
    return PaymentMode(mode)


def _parcel(lines: Sequence[Line]) -> Parcel:
    """Return one parcel with all lines stacked: weights and heights add up on the largest base."""
    return Parcel(
        weight_g=sum(
            _whole_number(row, cells, "unit_weight_g") * _whole_number(row, cells, "quantity")
            for row, cells in lines
        ),
        length_cm=max(_whole_number(row, cells, "length_cm") for row, cells in lines),
        width_cm=max(_whole_number(row, cells, "width_cm") for row, cells in lines),
        height_cm=sum(_whole_number(row, cells, "height_cm") for row, cells in lines),
    )


def _consignee(row: int, cells: dict[str, str]) -> Address:
    if problem := india.phone_problem(cells["consignee_phone"]):
        raise LineProblem(row, "consignee_phone", problem)
    if problem := india.pincode_problem(cells["pincode"]):
        raise LineProblem(row, "pincode", problem)
    return Address(
        name=cells["consignee_name"],
        phone=cells["consignee_phone"],
        address=cells["address"],
        city=cells["city"],
        state=cells["state"],
        pincode=cells["pincode"],
    )


def _item(row: int, cells: dict[str, str]) -> Item:
    return Item(
        name=cells["product"],
        category=cells["category"],
        hsn_code=cells["hsn_code"],
        quantity=_whole_number(row, cells, "quantity"),
        value=_rupees(row, cells, "order_value"),
        gst_rate=_amount(row, cells, "gst_rate"),
    )


def _whole_number(row: int, cells: dict[str, str], column: str) -> int:
    text = cells[column]
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise LineProblem(row, column, "is not a whole number" if text else "is missing")
    return int(text)


def _amount(row: int, cells: dict[str, str], column: str) -> Decimal:
    text = cells[column]
    try:
        amount = Decimal(text)
    except InvalidOperation:
        raise LineProblem(row, column, "is not a number" if text else "is missing") from None
    if not amount.is_finite() or amount < 0:
        raise LineProblem(row, column, "is not an amount")
    return amount


def _rupees(row: int, cells: dict[str, str], column: str) -> Decimal:
    amount = _amount(row, cells, column)
    if problem := paise_problem(amount):
        raise LineProblem(row, column, problem)
    return amount


def _date(row: int, cells: dict[str, str]) -> dt.date:
    try:
        return dt.date.fromisoformat(cells["order_date"])
    except ValueError:
        raise LineProblem(row, "order_date", "is not a date like 2026-11-23") from None
