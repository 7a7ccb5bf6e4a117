"""Shopify's export of orders: a row for each line, and the order's own cells in its first row."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal

from couriers.booking.spreadsheet import cells
from couriers.booking.spreadsheet.cells import Cell, Problems
from couriers.booking.spreadsheet.dates import order_date
from couriers.booking.spreadsheet.errors import NothingToShip
from couriers.booking.spreadsheet.formats import words
from couriers.booking.spreadsheet.formats.money import spread
from couriers.booking.spreadsheet.formats.rows import joined, require_same
from couriers.booking.spreadsheet.layout import Format, Line, names
from couriers.booking.spreadsheet.orders import NO_DATE, SheetLine, SheetOrder
from couriers.contract.types import PaymentMode

COLUMNS = names("""
    Name, Email, Financial Status, Paid at, Fulfillment Status, Fulfilled at, Accepts Marketing,
    Currency, Subtotal, Shipping, Taxes, Total, Discount Code, Discount Amount, Shipping Method,
    Created at, Lineitem quantity, Lineitem name, Lineitem price, Lineitem compare at price,
    Lineitem sku, Lineitem requires shipping, Lineitem taxable, Lineitem fulfillment status,
    Billing Name, Billing Street, Billing Address1, Billing Address2, Billing Company, Billing City,
    Billing Zip, Billing Province, Billing Country, Billing Phone, Shipping Name, Shipping Street,
    Shipping Address1, Shipping Address2, Shipping Company, Shipping City, Shipping Zip,
    Shipping Province, Shipping Country, Shipping Phone, Notes, Note Attributes, Cancelled at,
    Canceled at, Payment Method, Payment Reference, Refunded Amount, Vendor, Outstanding Balance,
    Employee, Location, Device ID, Id, Tags, Risk Level, Source, Lineitem discount, Phone,
    Receipt Number, Duties, Billing Province Name, Shipping Province Name, Payment ID,
    Payment Terms Name, Next Payment Due At, Payment References
""")
_PAID = {
    "paid": True,
    "pending": False,
    "unpaid": False,
    "partially paid": False,
    "partially_paid": False,
}
_NOT_SHIPPED = {
    "refunded": "the money was returned",
    "voided": "the payment was voided",
    "expired": "the payment has expired",
    "authorized": "the payment is not captured yet",
}
_UNPAID_METHODS = re.compile(r"bank (deposit|transfer)|money order|cheque|manual|invoice")
# What of an order or of a line is to be shipped.
_OPEN = ("", "unfulfilled", "pending", "partial")
_DONE = ("fulfilled", "restocked")
_HELD = ("on hold", "on_hold", "scheduled", "request declined", "request_declined")
# A later row that fills one of these must say the same as the first.
_SAME = ("Financial Status", "Fulfillment Status", "Currency", "Payment Method", "Cancelled at",
         "Outstanding Balance", "Shipping Name", "Shipping Street", "Shipping Address1",
         "Shipping Address2", "Shipping Company", "Shipping City", "Shipping Zip",
         "Shipping Province", "Shipping Country", "Shipping Phone")  # fmt: skip


def read(rows: Sequence[Line], problems: Problems) -> SheetOrder:
    """Return the order of these rows.

    The lines' values add up to the order's Total, which has shipping, taxes and discounts: it is
    spread over the lines in proportion to price times quantity less the line's own discount.
    Raises NothingToShip for an order that was cancelled, refunded or shipped, or is not paid.
    """
    first = rows[0]
    _refuse_second_copy(rows)
    _leave_out(first)
    mode = _payment_mode(first)
    shipped = [row for row in rows if _is_open(row, first)]
    if not shipped:
        raise NothingToShip(f"row {first.row}: nothing to ship is left in the order")
    if mode == PaymentMode.COD and len(shipped) < len(rows):
        raise first["Fulfillment Status"].problem(
            "the file does not tell what to collect for a part of a COD order: book it by hand"
        )
    require_same(rows, _SAME, problems)
    problems.read(words.require_india, first["Shipping Country"], None)
    problems.read(words.require_rupees, first["Currency"], None)
    total = problems.read(cells.amount, first["Total"], Decimal(1))
    cod_cell, cod_amount = first["Total"], Decimal(0)
    if mode == PaymentMode.COD:
        cod_cell = first.first_of("Outstanding Balance", "Total")
        cod_amount = problems.read(cells.amount, cod_cell, Decimal(1))
    return SheetOrder(
        date_cell=first["Created at"],
        date=problems.read(order_date, first["Created at"], NO_DATE),
        mode_cell=first["Payment Method"],
        mode=mode,
        cod_cell=cod_cell,
        cod_amount=cod_amount,
        consignee=_consignee(first),
        lines=_lines(rows, shipped, total, problems),
    )


def _refuse_second_copy(rows: Sequence[Line]) -> None:
    for row in rows[1:]:
        if row["Total"]:
            raise row["Total"].problem(
                f"but the order has its total in row {rows[0].row} already: it stands in the file "
                "twice, or two orders have one number"
            )


def _leave_out(first: Line) -> None:
    """Raise NothingToShip for an order that is not to be shipped by what its first row says."""
    for column in ("Cancelled at", "Canceled at"):
        if first[column]:
            raise words.skip(first[column], "the order was cancelled")
    status = first["Financial Status"]
    if reason := _NOT_SHIPPED.get((status.text or "").casefold()):
        raise words.skip(status, reason)
    fulfilment = first["Fulfillment Status"]
    if (fulfilment.text or "").casefold() in _DONE:
        raise words.skip(fulfilment, "the order was shipped before, or is not to be shipped")
    if (fulfilment.text or "").casefold() in _HELD:
        raise words.skip(fulfilment, "the order is not to be shipped yet")


def _payment_mode(first: Line) -> PaymentMode:
    """Return whether the courier collects money, by Financial Status and Payment Method."""
    status, method = first["Financial Status"], first["Payment Method"]
    cells.required(status)
    is_paid = cells.word(
        status, _PAID, "is not known: paid, pending and partially_paid orders are booked"
    )
    balance = first["Outstanding Balance"]
    if is_paid:
        if balance and cells.amount(balance):
            raise balance.problem(f'but {status.place} says "{status.text}"')
        return PaymentMode.PREPAID
    if "partially" in (status.text or "").casefold():
        if not balance:
            raise balance.problem("is missing: it tells what to collect of a partly paid order")
        return PaymentMode.COD
    if words.is_cod(method):
        return PaymentMode.COD
    if _UNPAID_METHODS.search((method.text or "").casefold()):
        raise words.skip(method, f'the order is not paid: it is "{status.text}"')
    raise method.problem(
        f'is not known to be cash on delivery, and the order is "{status.text}": write COD in this '
        "cell, or paid as its Financial Status"
    )


def _is_open(row: Line, first: Line) -> bool:
    """Whether a line is to be shipped. Raises CellProblem for a word that is not known."""
    needs = row["Lineitem requires shipping"]
    if needs and not words.yes_no(needs):
        return False
    status = row["Lineitem fulfillment status"]
    word = (status.text or "").casefold()
    if word in _DONE:
        return False
    if word not in _OPEN:
        raise status.problem("is not known: pending and fulfilled are")
    if word == "partial":
        raise status.problem("the file does not tell how many are left to ship: book it by hand")
    order = first["Fulfillment Status"]
    if (order.text or "").casefold() not in _OPEN:
        raise order.problem("is not known: unfulfilled, partial and fulfilled are")
    return True


def _consignee(first: Line) -> dict[str, Cell]:
    street = [first[name] for name in ("Shipping Address1", "Shipping Address2")]
    if not any(street):
        street = [first["Shipping Street"]]
    return {
        "name": first["Shipping Name"],
        "phone": first.first_of("Shipping Phone", "Phone", "Billing Phone"),
        "address": joined([first["Shipping Company"], *street]),
        "city": first["Shipping City"],
        "state": first.first_of("Shipping Province Name", "Shipping Province"),
        "pincode": first["Shipping Zip"],
    }


def _lines(
    rows: Sequence[Line], shipped: Sequence[Line], total: Decimal, problems: Problems
) -> tuple[SheetLine, ...]:
    quantities = [problems.read(cells.whole_number, row["Lineitem quantity"], 1) for row in rows]
    weights = [
        _list_price(row, quantity, problems) for row, quantity in zip(rows, quantities, strict=True)
    ]
    values = spread(total, weights)
    return tuple(
        SheetLine(
            name=row["Lineitem name"],
            sku=row["Lineitem sku"],
            quantity_cell=row["Lineitem quantity"],
            quantity=quantity,
            value_cell=row["Lineitem price"],
            value=value,
        )
        for row, quantity, value in zip(rows, quantities, values, strict=True)
        if row in shipped and quantity
    )


def _list_price(row: Line, quantity: int, problems: Problems) -> Decimal:
    """Return price times quantity less the line's discount, in rupees."""
    price = problems.read(cells.amount, row["Lineitem price"], Decimal(1))
    discount = Decimal(0)
    if row["Lineitem discount"]:
        discount = problems.read(cells.amount, row["Lineitem discount"], discount)
    return max(price * quantity - discount, Decimal(0))


def _skus(row: Line) -> Iterator[str]:
    yield row["Lineitem sku"].text or ""


FORMAT = Format(
    name="shopify",
    title="Shopify's export",
    columns=COLUMNS,
    required=(
        ("Name",), ("Financial Status",), ("Total",), ("Created at",), ("Payment Method",),
        ("Lineitem quantity",), ("Lineitem name",), ("Lineitem price",), ("Shipping Name",),
        ("Shipping Address1", "Shipping Street"), ("Shipping City",), ("Shipping Zip",),
        ("Shipping Province", "Shipping Province Name"), ("Shipping Phone", "Phone"),
    ),
    signature=("Name", "Financial Status", "Lineitem name", "Lineitem quantity"),
    order_number=("Name",),
    read=read,
    skus=_skus,
    # Tax 1 Name to Tax 5 Value.
    more_columns=re.compile(r"tax[1-9](name|value)"),
)  # fmt: skip
