"""Unicommerce's export of sale orders: a row for each unit, with the order's own cells repeated.

The company chooses the columns. Prices are for the unit and have tax in them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from couriers.booking.spreadsheet import cells
from couriers.booking.spreadsheet.cells import Cell, Problems
from couriers.booking.spreadsheet.dates import day_first_date
from couriers.booking.spreadsheet.formats import words
from couriers.booking.spreadsheet.formats.rows import joined, require_same, without_copies
from couriers.booking.spreadsheet.layout import Format, Line, names
from couriers.booking.spreadsheet.orders import NO_DATE, SheetLine, SheetOrder
from couriers.contract.types import PaymentMode

_ADDRESS = ("Id", "Name", "Line 1", "Line 2", "City", "State", "Country", "Pincode", "Phone")
_DATE = "Order Date as dd/mm/yyyy hh:MM:ss"
COLUMNS = (
    *names(f"""
        Sale Order Item Code, Display Order Code, Reverse Pickup Code, Reverse Pickup Created Date,
        Reverse Pickup Reason, Notification Email, Notification Mobile, Require Customization, COD,
        Category, Invoice Code, Invoice Created, EWayBill No, EWayBill Date, EWayBill Valid Till,
        Shipping Method, Item SKU Code, Channel Product Id, Item Type Name, Item Type Color,
        Item Type Size, Item Type Brand, Item Type EAN, Channel Name, SKU Require Customization,
        Gift Wrap, Gift Message, HSN Code, MRP, Total Price, Selling Price, Cost Price,
        Prepaid Amount, Subtotal, Discount, GST Tax Type Code, CGST, IGST, SGST, UTGST, CESS,
        CGST Rate, IGST Rate, SGST Rate, UTGST Rate, CESS Rate, TCS Amount, Tax %, Tax Value,
        Voucher Code, Shipping Charges, Shipping Method Charges, COD Service Charges,
        Gift Wrap Charges, Packet Number, {_DATE}, Sale Order Code, On Hold, Sale Order Status,
        Priority, Currency, Currency Conversion Rate, Sale Order Item Status, Cancellation Reason,
        Shipping provider, Shipping Courier, Shipping Arranged By, Shipping Package Code,
        Shipping Package Creation Date, Shipping Package Status Code, Shipping Package Type,
        Length(mm), Width(mm), Height(mm), Delivery Time, Tracking Number, Dispatch Date, Facility,
        Return Date, Return Reason, Created, Updated, Combination Identifier,
        Combination Description, Transfer Price, Item Code, IMEI, Weight, GSTIN, Customer GSTIN,
        TIN, Payment Instrument, Fulfillment TAT, Adjustment In Selling Price,
        Adjustment In Discount, Store Credit, IRN, Acknowledgement Number, Bundle SKU Code Number,
        SKU Name, Batch Code, Vendor Batch Number, Seller SKU Code, Shipping Courier Status,
        Shipping Tracking Status, Item Seal Id, Channel Shipping, Item Details, Vendor Unit Price,
        GST
    """),
    *(f"{kind} Address {name}" for kind in ("Shipping", "Billing") for name in _ADDRESS),
)
_OPEN = ("", "created", "fulfillable", "processing", "picked", "packed", "ready to ship")
_CLOSED = ("cancelled", "dispatched", "shipped", "manifested", "delivered", "replaced", "returned",
           "complete", "unfulfillable", "pending verification")  # fmt: skip
_SAME = ("COD", _DATE, "Length(mm)", "Width(mm)", "Height(mm)", "Shipping Package Code",
         *(f"Shipping Address {name}" for name in _ADDRESS))  # fmt: skip
_SIZES = {"length_cm": "Length(mm)", "width_cm": "Width(mm)", "height_cm": "Height(mm)"}
_TAX_RATES = ("IGST Rate", "CGST Rate", "SGST Rate", "UTGST Rate")
_CHARGES = ("Shipping Charges", "COD Service Charges", "Gift Wrap Charges")

Unit = tuple[Line, Decimal]  # a row, and what the buyer pays for it in rupees


def read(rows: Sequence[Line], problems: Problems) -> SheetOrder:
    """Return the order of these rows. Units of one product at one price are one line.

    Raises NothingToShip for an order on hold, and where no unit is left to ship.
    """
    first = rows[0]
    if words.yes_no(first["On Hold"]):
        raise words.skip(first["On Hold"], "the order is on hold")
    rows = without_copies(rows, "Sale Order Item Code")
    closed = {row.row: cell for row in rows if (cell := _closed_by(row)) is not None}
    units = [row for row in rows if row.row not in closed]
    if not units:
        raise words.skip(closed[first.row], "no unit of the order is left to ship")
    first = units[0]
    require_same(units, _SAME, problems)
    problems.read(words.require_india, first["Shipping Address Country"], None)
    problems.read(words.require_rupees, first["Currency"], None)
    is_cod = problems.read(words.yes_no, first["COD"], False)
    mode = PaymentMode.COD if is_cod else PaymentMode.PREPAID
    priced = [(row, _price(row, problems)) for row in units]
    total = sum((price for _, price in priced), Decimal(0))
    cod = total - _prepaid(units, problems) if mode == PaymentMode.COD else Decimal(0)
    return SheetOrder(
        date_cell=first[_DATE],
        date=problems.read(day_first_date, first[_DATE], NO_DATE),
        mode_cell=first["COD"],
        mode=mode,
        cod_cell=_price_cell(first),
        cod_amount=cod,
        consignee=_consignee(first),
        lines=_lines(priced, problems),
        parcel=_parcel(first, problems),
    )


def _closed_by(row: Line) -> Cell | None:
    """Return the cell for which a unit is not to be shipped, or None.

    Raises CellProblem for a status that is not known.
    """
    for column in ("Reverse Pickup Code", "Tracking Number"):
        if row[column]:
            return row[column]
    for column in ("Sale Order Status", "Sale Order Item Status"):
        status = row[column]
        word = " ".join((status.text or "").casefold().replace("_", " ").split())
        if word in _CLOSED:
            return status
        if word not in _OPEN:
            raise status.problem("is not known: CREATED, FULFILLABLE and PROCESSING are booked")
    return None


def _price_cell(row: Line) -> Cell:
    return row.first_of("Total Price", "Selling Price")


def _price(row: Line, problems: Problems) -> Decimal:
    """Return what the buyer pays for a unit: its total, or its price and what is charged on top."""
    price = problems.read(cells.amount, _price_cell(row), Decimal(1))
    if not row["Total Price"]:
        for column in _CHARGES:
            if row[column]:
                price += problems.read(cells.amount, row[column], Decimal(0))
    return price


def _prepaid(units: Sequence[Line], problems: Problems) -> Decimal:
    """Return what was paid before of a COD order, in rupees."""
    paid = [row["Prepaid Amount"] for row in units if row["Prepaid Amount"]]
    amounts = [problems.read(cells.amount, cell, Decimal(0)) for cell in paid]
    if len(units) > 1 and any(amounts):
        problems.append(
            paid[0].describe("is it for each unit, or for the order? Book the order by hand")
        )
    return sum(amounts, Decimal(0))


def _lines(units: Sequence[Unit], problems: Problems) -> tuple[SheetLine, ...]:
    groups: dict[tuple[object, ...], list[Unit]] = {}
    for row, price in units:
        same = (row["Item SKU Code"].text, row["Item Type Name"].text, price)
        rate = tuple(row[name].text for name in ("HSN Code", "Tax %", *_TAX_RATES))
        groups.setdefault((*same, *rate), []).append((row, price))
    return tuple(_line(group, problems) for group in groups.values())


def _line(units: Sequence[Unit], problems: Problems) -> SheetLine:
    row = units[0][0]
    return SheetLine(
        name=row["Item Type Name"],
        sku=row["Item SKU Code"],
        quantity_cell=row["Sale Order Item Code"],
        quantity=len(units),
        value_cell=_price_cell(row),
        value=sum((price for _, price in units), Decimal(0)),
        goods=_goods(row, problems),
    )


def _goods(row: Line, problems: Problems) -> dict[str, Cell]:
    found = {"category": row["Category"], "hsn_code": row["HSN Code"], "gst_rate": row["Tax %"]}
    if not row["Tax %"] and any(row[name] for name in _TAX_RATES):
        filled = [row[name] for name in _TAX_RATES if row[name]]
        rates = [problems.read(cells.rate, cell, Decimal(0)) for cell in filled]
        found["gst_rate"] = Cell(filled[0].place, str(sum(rates, Decimal(0))))
    return {name: cell for name, cell in found.items() if cell}


def _parcel(row: Line, problems: Problems) -> dict[str, Cell]:
    """Return the sizes of the package in whole centimetres, rounded up from millimetres."""
    sizes = {}
    for column, name in _SIZES.items():
        cell = row[name]
        millimetres = problems.read(cells.whole_number, cell, 0) if cell else 0
        if millimetres:
            sizes[column] = Cell(cell.place, str(-(-millimetres // 10)))
    return sizes if len(sizes) == len(_SIZES) else {}


def _consignee(first: Line) -> dict[str, Cell]:
    def cell(name: str) -> Cell:
        return first[f"Shipping Address {name}"]

    return {
        "name": cell("Name"),
        "phone": first.first_of("Shipping Address Phone", "Notification Mobile"),
        "address": joined([cell("Line 1"), cell("Line 2")]),
        "city": cell("City"),
        "state": cell("State"),
        "pincode": cell("Pincode"),
    }


def _skus(row: Line) -> Iterator[str]:
    yield row["Item SKU Code"].text or ""


FORMAT = Format(
    name="unicommerce",
    title="Unicommerce's export of sale orders",
    columns=COLUMNS,
    required=(
        ("Sale Order Item Code",), ("Display Order Code", "Sale Order Code"), ("COD",),
        ("Shipping Address Name",), ("Shipping Address Line 1",), ("Shipping Address City",),
        ("Shipping Address State",), ("Shipping Address Pincode",),
        ("Shipping Address Phone", "Notification Mobile"), ("Item SKU Code",),
        ("Total Price", "Selling Price"), (_DATE,),
    ),
    signature=("Sale Order Item Code", "Item SKU Code", "Shipping Address Pincode"),
    order_number=("Display Order Code", "Sale Order Code"),
    read=read,
    skus=_skus,
)  # fmt: skip
