"""Shipcrowd's own format: a row for each line of an order, with all that the booking needs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from couriers.booking.spreadsheet import cells
from couriers.booking.spreadsheet.cells import Cell, Problems
from couriers.booking.spreadsheet.dates import order_date
from couriers.booking.spreadsheet.errors import NothingToShip
from couriers.booking.spreadsheet.formats.rows import cells_of, require_same
from couriers.booking.spreadsheet.layout import Format, Line
from couriers.booking.spreadsheet.orders import GOODS, NO_DATE, SheetLine, SheetOrder
from couriers.contract.types import PaymentMode

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
MORE_COLUMNS = ("landmark", "email", "sku", "service", "courier")
OPTIONAL = ("b2b", *MORE_COLUMNS)
# An order has one consignee and one payment.
SAME_ON_EVERY_ROW = (
    "order_date",
    "payment_mode",
    "consignee_name",
    "consignee_phone",
    "address",
    "city",
    "state",
    "pincode",
    "service",
    "courier",
    "landmark",
    "email",
)
_MODES = {
    "cod": PaymentMode.COD,
    "cash on delivery": PaymentMode.COD,
    "prepaid": PaymentMode.PREPAID,
}
_B2B = {
    **dict.fromkeys(("true", "yes", "y", "1", "b2b"), True),
    **dict.fromkeys(("false", "no", "n", "0", "b2c", ""), False),
}


def read(rows: Sequence[Line], problems: Problems) -> SheetOrder:
    """Return the order of these rows. Rows with quantity 0 are left out."""
    quantities = [problems.read(cells.whole_number, row["quantity"], 1) for row in rows]
    shipped = [(row, n) for row, n in zip(rows, quantities, strict=True) if n]
    if not shipped:
        raise NothingToShip("nothing to ship: quantity 0")
    first = shipped[0][0]
    require_same([row for row, _ in shipped], SAME_ON_EVERY_ROW, problems, blanks=False)
    mode = problems.read(_payment_mode, first["payment_mode"], PaymentMode.PREPAID)
    lines = tuple(_line(row, quantity, problems) for row, quantity in shipped)
    total = sum((line.value for line in lines), Decimal(0))
    return SheetOrder(
        date_cell=first["order_date"],
        date=problems.read(order_date, first["order_date"], NO_DATE),
        mode_cell=first["payment_mode"],
        mode=mode,
        cod_cell=first["order_value"],
        cod_amount=total if mode == PaymentMode.COD else Decimal(0),
        consignee={
            "name": first["consignee_name"],
            "phone": first["consignee_phone"],
            "address": first["address"],
            "city": first["city"],
            "state": first["state"],
            "pincode": first["pincode"],
            "landmark": first["landmark"],
            "email": first["email"],
        },
        lines=lines,
        service=first["service"],
        courier=first["courier"],
    )


def _line(row: Line, quantity: int, problems: Problems) -> SheetLine:
    problems.read(_is_b2b, row["b2b"], False)
    return SheetLine(
        name=row["product"],
        sku=row["sku"],
        quantity_cell=row["quantity"],
        quantity=quantity,
        value_cell=row["order_value"],
        value=problems.read(cells.amount, row["order_value"], Decimal(1)),
        goods=cells_of(row, GOODS),
    )


def _payment_mode(cell: Cell) -> PaymentMode:
    return cells.word(cell, _MODES, "must be COD or PREPAID")


def _is_b2b(cell: Cell) -> bool:
    return cells.word(cell, _B2B, "must be true or false")


def _skus(row: Line) -> Iterator[str]:
    yield row["sku"].text or ""


FORMAT = Format(
    name="shipcrowd",
    title="Shipcrowd's own format",
    columns=(*COLUMNS, *MORE_COLUMNS),
    required=tuple((column,) for column in COLUMNS if column not in OPTIONAL),
    signature=("order_number", "payment_mode", "consignee_name", "order_value"),
    order_number=("order_number",),
    read=read,
    skus=_skus,
    needs_hsn=False,
    has_comments=True,
)
