"""WooCommerce orders by SkyVerge's Customer/Order/Coupon Export, or one with the same columns.

Either a row for each item, with the order's own cells repeated; or a row for each order, whose
items are in one cell, as `name:Kurta|sku:KU-M|quantity:1|total:1149.00;name:…`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal

from couriers.booking.spreadsheet import cells
from couriers.booking.spreadsheet.cells import Cell, Problems
from couriers.booking.spreadsheet.formats import words
from couriers.booking.spreadsheet.formats.rows import joined, require_same
from couriers.booking.spreadsheet.formats.woocommerce import WooLine, leave_out, less, order_of
from couriers.booking.spreadsheet.layout import Format, Line, names
from couriers.booking.spreadsheet.orders import SheetOrder

COLUMNS = names("""
    order_id, order_number, order_number_formatted, date, order_date, paid_date, status,
    shipping_total, shipping_tax_total, fee_total, fee_tax_total, tax_total, cart_discount,
    order_discount, discount_total, order_total, refunded_total, order_currency, payment_method,
    payment_method_title, transaction_id, shipping_method, customer_id, customer_user,
    customer_email, billing_first_name, billing_last_name, billing_full_name, billing_company,
    vat_number, billing_email, billing_phone, billing_address_1, billing_address_2,
    billing_postcode, billing_city, billing_state, billing_state_code, billing_country,
    shipping_first_name, shipping_last_name, shipping_full_name, shipping_company, shipping_phone,
    shipping_address_1, shipping_address_2, shipping_postcode, shipping_city, shipping_state,
    shipping_state_code, shipping_country, customer_note, wt_import_key, item_id, item_product_id,
    item_name, item_sku, item_quantity, item_tax, item_price, item_subtotal, item_subtotal_tax,
    item_total, item_total_tax, item_refunded, item_refunded_qty, item_meta, line_items,
    shipping_items, fee_items, tax_items, coupon_items, coupons, refunds, refund_items, order_notes,
    download_permissions, download_permissions_granted
""")
_NUMBER = ("order_number_formatted", "order_number", "order_id")
_DATE = ("date", "order_date")
_ITEM = ("name", "sku", "quantity", "total", "total_tax", "refunded", "refunded_qty")
_ONE_ROW_PER_ITEM = "export one row for each item instead"
_SAME = ("status", "order_total", "payment_method", "shipping_address_1", "shipping_city",
         "shipping_postcode", "shipping_first_name", "shipping_last_name")  # fmt: skip

Item = dict[str, Cell]  # the cells of an item, by the names of _ITEM


def read(rows: Sequence[Line], problems: Problems) -> SheetOrder:
    """Return the order of these rows. Raises NothingToShip for one that is not to be shipped."""
    first = rows[0]
    leave_out(first["status"])
    require_same(rows, _SAME, problems)
    _refuse_second_copy(rows)
    kind = _kind(first)
    problems.read(words.require_india, first[f"{kind}_country"], None)
    problems.read(words.require_rupees, first["order_currency"], None)
    total_cell = first["order_total"]
    total = problems.read(cells.amount, total_cell, Decimal(1))
    return order_of(
        first,
        [_line(item, problems) for row in rows for item in _items(row)],
        _consignee(first, kind),
        date=next((name for name in _DATE if first.has(name)), _DATE[0]),
        method=first.first_of("payment_method", "payment_method_title"),
        total_cell=total_cell,
        total=less(total, first["refunded_total"], problems),
        problems=problems,
    )


def _refuse_second_copy(rows: Sequence[Line]) -> None:
    seen: dict[str, Line] = {}
    for row in rows:
        cell = row["item_id"] or row["line_items"]
        if cell and (earlier := seen.setdefault(cell.text or "", row)) is not row:
            raise cell.problem(
                f"but row {earlier.row} is the same line: the order stands in the file twice"
            )


def _kind(first: Line) -> str:
    parts = ("address_1", "address_2", "city", "postcode")
    return "shipping" if any(first[f"shipping_{part}"] for part in parts) else "billing"


def _consignee(first: Line, kind: str) -> dict[str, Cell]:
    def cell(name: str) -> Cell:
        return first[f"{kind}_{name}"]

    return {
        "name": cell("full_name") or joined([cell("first_name"), cell("last_name")], " "),
        "phone": first.first_of("shipping_phone", "billing_phone"),
        "address": joined([cell("company"), cell("address_1"), cell("address_2")]),
        "city": cell("city"),
        "state": first.first_of(f"{kind}_state", f"{kind}_state_code"),
        "pincode": cell("postcode"),
    }


def _items(row: Line) -> list[Item]:
    """Return the items of a row. Raises CellProblem for a cell of items that cannot be read."""
    cell = row["line_items"]
    if not cell:
        item = {name: row[f"item_{name}"] for name in _ITEM}
        return [item] if any(item.values()) else []
    items = []
    for text in (cell.text or "").strip("; ").split(";"):
        pairs = [part.partition(":") for part in text.split("|")]
        found = {name.strip(): value.strip() for name, colon, value in pairs if colon}
        if not {"name", "quantity", "total"} <= set(found) or not all(c for _, c, _ in pairs):
            raise cell.problem(f"is no list of items that can be read: {_ONE_ROW_PER_ITEM}")
        items.append({name: Cell(f"{cell.place}, {name}", found.get(name, "")) for name in _ITEM})
    return items


def _line(item: Item, problems: Problems) -> WooLine:
    quantity = problems.read(cells.whole_number, item["quantity"], 1)
    returned = item["refunded_qty"]
    if returned:
        without_sign = Cell(returned.place, (returned.text or "").removeprefix("-"))
        quantity = max(0, quantity - problems.read(cells.whole_number, without_sign, 0))
    weight = problems.read(cells.amount, item["total"], Decimal(1))
    if item["total_tax"]:
        weight += problems.read(cells.amount, item["total_tax"], Decimal(0))
    return WooLine(
        name=item["name"],
        sku=item["sku"],
        quantity_cell=item["quantity"],
        quantity=quantity,
        value_cell=item["total"],
        weight=less(weight, item["refunded"], problems),
    )


def _skus(row: Line) -> Iterator[str]:
    yield row["item_sku"].text or ""
    for found in re.findall(r"(?:^|[|;])\s*sku:([^|;]*)", row["line_items"].text or ""):
        yield found.strip()


FORMAT = Format(
    name="woocommerce",
    title="WooCommerce's Customer/Order/Coupon Export",
    columns=COLUMNS,
    required=(
        _NUMBER, _DATE, ("status",), ("order_total",), ("payment_method", "payment_method_title"),
        ("item_name", "line_items"), ("item_quantity", "line_items"), ("item_total", "line_items"),
        ("billing_phone", "shipping_phone"), ("shipping_postcode", "billing_postcode"),
    ),
    signature=("status", "order_total", "payment_method"),
    order_number=_NUMBER,
    read=read,
    skus=_skus,
)  # fmt: skip
