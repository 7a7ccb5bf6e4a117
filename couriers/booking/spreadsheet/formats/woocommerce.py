"""What the two exports of WooCommerce have in common: statuses, payment and the order's total."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from couriers.booking.spreadsheet import cells
from couriers.booking.spreadsheet.cells import Cell, Problems
from couriers.booking.spreadsheet.dates import order_date
from couriers.booking.spreadsheet.errors import NothingToShip
from couriers.booking.spreadsheet.formats import words
from couriers.booking.spreadsheet.formats.money import spread
from couriers.booking.spreadsheet.layout import Line
from couriers.booking.spreadsheet.orders import NO_DATE, SheetLine, SheetOrder
from couriers.contract.types import PaymentMode

_NOT_SHIPPED = {
    "pending": "the order is not paid",
    "pending-payment": "the order is not paid",
    "failed": "the payment failed",
    "on-hold": "the order is on hold",
    "completed": "the order was shipped before",
    "cancelled": "the order was cancelled",
    "refunded": "the money was returned",
    "trash": "the order was deleted",
    "draft": "the order is a draft",
    "checkout-draft": "the order is a draft",
}


@dataclass(frozen=True, slots=True)
class WooLine:
    """A line of an order. `weight` is its share in the order's total, in rupees."""

    name: Cell
    sku: Cell
    quantity_cell: Cell
    quantity: int
    value_cell: Cell
    weight: Decimal


def leave_out(status: Cell) -> None:
    """Raise NothingToShip for an order whose status says that it is not to be shipped.

    Raises CellProblem for a status that is not known: shops have statuses of their own.
    """
    word = "-".join(cells.required(status).casefold().replace("_", "-").split())
    word = word.removeprefix("wc-")
    if reason := _NOT_SHIPPED.get(word):
        raise words.skip(status, reason)
    if word != "processing":
        raise status.problem("is not known: orders with the status processing are booked")


def order_of(
    first: Line,
    lines: Sequence[WooLine],
    consignee: dict[str, Cell],
    *,
    date: str,
    method: Cell,
    total_cell: Cell,
    total: Decimal,
    problems: Problems,
) -> SheetOrder:
    """Return the order. The lines' values add up to its total, which has shipping and discounts."""
    shipped = [line for line in lines if line.quantity]
    if not shipped:
        raise NothingToShip(f"row {first.row}: nothing to ship is left in the order")
    mode = problems.read(words.payment_method, method, PaymentMode.PREPAID)
    values = spread(total, [line.weight for line in shipped])
    return SheetOrder(
        date_cell=first[date],
        date=problems.read(order_date, first[date], NO_DATE),
        mode_cell=method,
        mode=mode,
        cod_cell=total_cell,
        cod_amount=total if mode == PaymentMode.COD else Decimal(0),
        consignee=consignee,
        lines=tuple(
            SheetLine(
                name=line.name,
                sku=line.sku,
                quantity_cell=line.quantity_cell,
                quantity=line.quantity,
                value_cell=line.value_cell,
                value=value,
            )
            for line, value in zip(shipped, values, strict=True)
        ),
    )


def less(amount: Decimal, cell: Cell, problems: Problems) -> Decimal:
    """Return the amount less that of a cell that may be empty, such as a refund: never below 0.

    Exports write a refund with or without a minus sign.
    """
    if not cell:
        return amount
    without_sign = Cell(cell.place, (cell.text or "").removeprefix("-"))
    return max(amount - problems.read(cells.amount, without_sign, Decimal(0)), Decimal(0))
