"""An order as a spreadsheet tells it, whatever the format of the file."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from couriers.booking.spreadsheet.cells import Cell
from couriers.contract.types import PaymentMode

NO_CELL = Cell("", None)  # a column that the format does not have
NO_DATE = dt.date(2000, 1, 1)  # stands for a date that could not be read

# What is known of goods: by the file, the company's products, or a default.
GOODS = (
    "category",
    "hsn_code",
    "gst_rate",
    "unit_weight_g",
    "length_cm",
    "width_cm",
    "height_cm",
)


@dataclass(frozen=True, slots=True)
class SheetLine:
    """A line of an order. `value` is its total in rupees with GST, shipping and discounts.

    `goods` are the cells of the columns of GOODS that the file has.
    """

    name: Cell
    sku: Cell
    quantity_cell: Cell
    quantity: int
    value_cell: Cell
    value: Decimal
    goods: Mapping[str, Cell] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SheetOrder:
    """An order. `cod_amount` is what the courier is to collect, in rupees; 0 for a prepaid one.

    `consignee` has the cells of name, phone, address, city, state and pincode, and perhaps of
    landmark and email. `parcel` has those of length_cm, width_cm and height_cm where the file tells
    the size of the whole parcel. `service` is the courier's service, and `courier` the order's own
    where it is not the file's. Only our own format has landmark, email, service and courier.
    """

    date_cell: Cell
    date: dt.date
    mode_cell: Cell
    mode: PaymentMode
    cod_cell: Cell
    cod_amount: Decimal
    consignee: Mapping[str, Cell]
    lines: tuple[SheetLine, ...]
    parcel: Mapping[str, Cell] = field(default_factory=dict)
    service: Cell = NO_CELL
    courier: Cell = NO_CELL
