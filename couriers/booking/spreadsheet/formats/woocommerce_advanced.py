"""WooCommerce orders by the plugin Advanced Order Export: a row for each product of an order.

The shop chooses the columns. The order's own cells are repeated in each of its rows, or blank after
the first, its number too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from couriers.booking.spreadsheet import cells
from couriers.booking.spreadsheet.cells import Cell, Problems
from couriers.booking.spreadsheet.formats import words
from couriers.booking.spreadsheet.formats.rows import joined, require_same
from couriers.booking.spreadsheet.formats.woocommerce import WooLine, leave_out, less, order_of
from couriers.booking.spreadsheet.layout import Format, Line, names
from couriers.booking.spreadsheet.orders import SheetOrder

_ADDRESS = ("First Name", "Last Name", "Full Name", "Company", "Address 1&2", "Address 1",
            "Address 2", "City", "State Code", "State Name", "Postcode", "Zip", "Country Code",
            "Country Name", "Email", "Phone", "City, State, Zip")  # fmt: skip
COLUMNS = (
    *names("""
        Order Id, Order Number, Order Status, Order Date, Transaction Id, Completed Date, Paid Date,
        Modified Date, Customer Note, Order Notes, Customer IP address, Customer User Id,
        Customer User ID, Customer Username, Customer User Email, Customer Role,
        Shipping Method Title, Shipping Method, Payment Method Title, Payment Method, Coupons Used,
        Cart Discount Amount, Cart Discount Tax Amount, Order Subtotal Amount, Order Tax Amount,
        Order Shipping Amount, Order Shipping Amount Refunded, Order Shipping Amount (- Refund),
        Order Shipping Tax Amount, Order Shipping Tax Refunded,
        Order Shipping Tax Amount (- Refund), Order Total Fee, Order Refund Amount,
        Order Total Amount (- Refund), Order Total Amount, Order Total Amount without Tax,
        Order Total Tax Amount, Order Total Tax Amount Refunded,
        Order Total Tax Amount (- Refund), Currency, Order Currency, Total weight, Total items,
        Total products, Country Name(Shipping), Item #, Item ID, Product Id, SKU, Item Name, Name,
        Product Name, Product Variation, Item Seller, Quantity, Quantity (- Refund), Item Cost,
        Item Cost (inc. tax), Product Current Price, Order Line (w/o tax), Order Line Tax,
        Order Line Tax Refunded, Order Line Tax (- Refund), Order Line Subtotal, Order Line Total,
        Order Line Total Refunded, Order Line Total (- Refund), Type, Category, Tags, Width, Length,
        Height, Weight, Download Url, Image Url, Product Shipping Class, Description,
        Short Description, Coupon Code, Discount Amount, Discount Amount Tax,
        Discount Amount + Tax, Coupon Description, Coupon Type, Coupon Amount
    """),
    *(f"{name} ({kind})" for name in _ADDRESS for kind in ("Billing", "Shipping")),
)
_NAME = ("Item Name", "Name", "Product Name")
_QUANTITY = ("Quantity (- Refund)", "Quantity")
_PRICE = ("Item Cost", "Item Cost (inc. tax)")
_LINE_TOTAL = ("Order Line Total (- Refund)", "Order Line Total", "Order Line Subtotal")
_TOTAL = ("Order Total Amount (- Refund)", "Order Total Amount")
_SAME = ("Order Status", "Order Date", *_TOTAL, "Payment Method", "Payment Method Title",
         *(f"{name} (Shipping)" for name in _ADDRESS))  # fmt: skip


def read(rows: Sequence[Line], problems: Problems) -> SheetOrder:
    """Return the order of these rows. Raises NothingToShip for one that is not to be shipped."""
    first = rows[0]
    leave_out(first["Order Status"])
    require_same(rows, _SAME, problems)
    total_cell = first.first_of(*_TOTAL)
    total = problems.read(cells.amount, total_cell, Decimal(1))
    refund = first["Order Refund Amount"]
    if total_cell.place == first["Order Total Amount"].place:
        if (
            refund
            and not first.has("Quantity (- Refund)")
            and less(Decimal(1), refund, problems) < 1
        ):
            raise refund.problem(
                'the file does not tell what was returned: export the column "Quantity (- Refund)"'
            )
        total = less(total, refund, problems)
    kind = _kind(first)
    problems.read(
        words.require_india,
        first.first_of(f"Country Code ({kind})", f"Country Name ({kind})"),
        None,
    )
    problems.read(words.require_rupees, first.first_of("Currency", "Order Currency"), None)
    return order_of(
        first,
        _lines(rows, problems),
        _consignee(first, kind),
        date="Order Date",
        method=first.first_of("Payment Method", "Payment Method Title"),
        total_cell=total_cell,
        total=total,
        problems=problems,
    )


def _kind(first: Line) -> str:
    """Return which address the parcel goes to: that for billing where there is no other."""
    parts = ("Address 1&2", "Address 1", "Address 2", "City", "Postcode", "Zip")
    return "Shipping" if any(first[f"{part} (Shipping)"] for part in parts) else "Billing"


def _consignee(first: Line, kind: str) -> dict[str, Cell]:
    def cell(*columns: str) -> Cell:
        return first.first_of(*(f"{column} ({kind})" for column in columns))

    full_name = cell("Full Name")
    street = [cell("Address 1"), cell("Address 2")]
    return {
        "name": full_name or joined([cell("First Name"), cell("Last Name")], " "),
        "phone": first.first_of("Phone (Shipping)", "Phone (Billing)"),
        "address": joined([cell("Company"), *(street if any(street) else [cell("Address 1&2")])]),
        "city": cell("City"),
        "state": cell("State Name", "State Code"),
        "pincode": cell("Postcode", "Zip"),
    }


def _lines(rows: Sequence[Line], problems: Problems) -> list[WooLine]:
    lines = []
    seen: dict[str, Line] = {}
    for row in rows:
        name, sku, quantity = row.first_of(*_NAME), row["SKU"], row.first_of(*_QUANTITY)
        if not (name or sku or quantity):
            continue  # a row that has a coupon alone
        item = row["Item #"]
        if item and (earlier := seen.setdefault(item.text or "", row)) is not row:
            raise item.problem(
                f"but row {earlier.row} is the same line: the order stands in the file twice"
            )
        count = problems.read(cells.whole_number, quantity, 1)
        lines.append(
            WooLine(
                name=name,
                sku=sku,
                quantity_cell=quantity,
                quantity=count,
                value_cell=row.first_of(*_PRICE, *_LINE_TOTAL),
                weight=_weight(row, count, problems),
            )
        )
    return lines


def _weight(row: Line, quantity: int, problems: Problems) -> Decimal:
    price = row.first_of(*_PRICE)
    if price:
        return problems.read(cells.amount, price, Decimal(1)) * quantity
    return problems.read(cells.amount, row.first_of(*_LINE_TOTAL, *_PRICE), Decimal(1))


def _skus(row: Line) -> Iterator[str]:
    yield row["SKU"].text or ""


FORMAT = Format(
    name="woocommerce",
    title="WooCommerce's Advanced Order Export",
    columns=COLUMNS,
    required=(
        ("Order Number", "Order Id"), ("Order Status",), ("Order Date",),
        ("Payment Method", "Payment Method Title"), _TOTAL, _NAME, _QUANTITY,
        (*_PRICE, *_LINE_TOTAL), ("Phone (Billing)", "Phone (Shipping)"),
        ("Postcode (Shipping)", "Zip (Shipping)", "Postcode (Billing)", "Zip (Billing)"),
    ),
    signature=("Order Status", "Order Date"),
    order_number=("Order Number", "Order Id"),
    continued=True,
    read=read,
    skus=_skus,
)  # fmt: skip
