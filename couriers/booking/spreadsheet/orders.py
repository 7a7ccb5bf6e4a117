"""From a CSV file to drafts of shipments. Pure but for reading the file.

Lines with one order number are one order, wherever in the file they stand. Lines with quantity 0
are nothing to ship. One bad line rejects its whole order, naming row, column and reason.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

from couriers.contract import india
from couriers.contract.money import is_in_paise
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
# What must be the same on every line of an order: it goes to one place, paid in one way.
OF_THE_ORDER = (
    "order_date",
    "payment_mode",
    "consignee_name",
    "consignee_phone",
    "address",
    "city",
    "state",
    "pincode",
)
# Where a problem of the request is to be looked for in the file.
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


class FileUnusable(ValueError):
    """The file cannot be used at all; the message is one line for whoever typed the command."""


class LineProblem(ValueError):
    """One line of an order cannot be booked."""

    def __init__(self, row: int, column: str, reason: str) -> None:
        super().__init__(f"row {row}, column {column}: {reason}")


@dataclass(slots=True)
class OrderLines:
    """The lines of one order, packed small: a file of 100,000 lines is held in some 40 MB."""

    order_number: str
    lines: list[tuple[int, str]]

    def rows(self) -> Iterator[tuple[int, dict[str, str]]]:
        """Each line as its row number (the header is row 1) and its columns."""
        for row, packed in self.lines:
            yield row, dict(zip(COLUMNS, packed.split(_SEPARATOR), strict=True))


def read_file(path: Path) -> list[OrderLines]:
    """The orders of a file in the order of their first lines.

    The whole file is read before anything is booked. Raises FileUnusable for one that is missing,
    empty, not UTF-8, without a column, or not CSV.
    """
    orders: dict[str, OrderLines] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            positions = _positions(path, next(reader, []))
            for row, values in enumerate(reader, start=2):
                if not values:
                    continue
                if len(values) <= max(positions):
                    raise FileUnusable(
                        f"{path}: row {row} has {len(values)} columns, the header has more"
                    )
                cells = [values[position].strip() for position in positions]
                if any(_SEPARATOR in cell or "\x00" in cell for cell in cells):
                    raise FileUnusable(f"{path}: row {row} contains control characters")
                order = orders.setdefault(cells[0], OrderLines(cells[0], []))
                order.lines.append((row, _SEPARATOR.join(cells)))
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
    return list(orders.values())


def _positions(path: Path, header: list[str]) -> list[int]:
    if not header:
        raise FileUnusable(f"{path}: is empty")
    names = [name.strip().casefold() for name in header]
    missing = [column for column in COLUMNS if column not in names]
    if missing:
        raise FileUnusable(
            f"{path}: lacks the column{'s'[: len(missing) > 1]} {', '.join(missing)}"
        )
    return [names.index(column) for column in COLUMNS]


def draft_of(order: OrderLines, courier: str) -> ShipmentDraft | None:
    """The shipment of an order, or None where there is nothing to ship.

    Weight is summed over the lines; the parcel is as long and as wide as the largest item and as
    high as all lines on top of each other. Raises LineProblem.
    """
    to_ship = [(row, line) for row, line in order.rows() if _whole(row, line, "quantity") > 0]
    if not to_ship:
        return None
    first_row, first = to_ship[0]
    for row, line in to_ship[1:]:
        for column in OF_THE_ORDER:
            if line[column] != first[column]:
                raise LineProblem(row, column, f"differs from row {first_row}")
    items = tuple(_item(row, line) for row, line in to_ship)
    mode = first["payment_mode"].casefold()
    if mode not in PaymentMode.values:
        raise LineProblem(first_row, "payment_mode", "is neither PREPAID nor COD")
    if not order.order_number:
        raise LineProblem(first_row, "order_number", "is missing")
    total = sum((item.value for item in items), Decimal(0))
    return ShipmentDraft(
        courier=courier,
        order_number=order.order_number,
        order_date=_date(first_row, first),
        payment_mode=PaymentMode(mode),
        cod_amount=total if mode == PaymentMode.COD else Decimal(0),
        consignee=_consignee(first_row, first),
        items=items,
        parcel=Parcel(
            weight_g=sum(
                _whole(row, line, "unit_weight_g") * _whole(row, line, "quantity")
                for row, line in to_ship
            ),
            length_cm=max(_whole(row, line, "length_cm") for row, line in to_ship),
            width_cm=max(_whole(row, line, "width_cm") for row, line in to_ship),
            height_cm=sum(_whole(row, line, "height_cm") for row, line in to_ship),
        ),
    )


def _consignee(row: int, line: dict[str, str]) -> Address:
    if india.parse_phone(line["consignee_phone"]) is None:
        reason = (
            "is not a ten-digit Indian phone number" if line["consignee_phone"] else "is missing"
        )
        raise LineProblem(row, "consignee_phone", reason)
    if not india.is_pincode(line["pincode"]):
        raise LineProblem(
            row, "pincode", "is not a six-digit pincode" if line["pincode"] else "is missing"
        )
    return Address(
        name=line["consignee_name"],
        phone=line["consignee_phone"],
        address=line["address"],
        city=line["city"],
        state=line["state"],
        pincode=line["pincode"],
    )


def _item(row: int, line: dict[str, str]) -> Item:
    return Item(
        name=line["product"],
        category=line["category"],
        hsn_code=line["hsn_code"],
        quantity=_whole(row, line, "quantity"),
        value=_rupees(row, line, "order_value"),
        gst_rate=_amount(row, line, "gst_rate"),
    )


def _whole(row: int, line: dict[str, str], column: str) -> int:
    text = line[column]
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise LineProblem(row, column, "is not a whole number" if text else "is missing")
    return int(text)


def _amount(row: int, line: dict[str, str], column: str) -> Decimal:
    text = line[column]
    try:
        amount = Decimal(text)
    except InvalidOperation:
        raise LineProblem(row, column, "is not a number" if text else "is missing") from None
    if not amount.is_finite() or amount < 0:
        raise LineProblem(row, column, "is not an amount")
    return amount


def _rupees(row: int, line: dict[str, str], column: str) -> Decimal:
    amount = _amount(row, line, column)
    if not is_in_paise(amount):
        raise LineProblem(row, column, "has more than two decimals")
    return amount


def _date(row: int, line: dict[str, str]) -> dt.date:
    try:
        return dt.date.fromisoformat(line["order_date"])
    except ValueError:
        raise LineProblem(row, "order_date", "is not a date like 2026-11-23") from None
