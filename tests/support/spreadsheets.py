"""Spreadsheets of orders for `book_orders`: one valid line, and what a file's orders end as."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from couriers.booking.drafts import clean_draft
from couriers.booking.spreadsheet import ReportRow, book_orders, read_defaults, read_file
from couriers.booking.spreadsheet.drafting import read_draft
from couriers.booking.spreadsheet.errors import NothingToShip, OrderProblem
from couriers.booking.spreadsheet.formats.shipcrowd import COLUMNS
from couriers.booking.spreadsheet.goods import Goods
from couriers.contract.errors import InvalidRequest
from couriers.contract.types import ShipmentDraft
from couriers.models import Company

LINE = (
    "A-1,2026-11-01,COD,Asha Sample,98450 12345,1 Example Street,,,560034,Kurta,Kurta,"
    "62114290,1,320,30,22,6,1149,5,false"
)
ROW = dict(zip(COLUMNS, LINE.split(","), strict=True))
# What the exports of shops do not tell.
DEFAULTS = ("hsn_code=62114290", "gst_rate=5", "unit_weight_g=320", "length_cm=30", "width_cm=22",
            "height_cm=6")  # fmt: skip


def write_orders(path: Path, *changes: dict[str, str]) -> Path:
    """Write the valid line once for each of `changes`, with these cells; return the path."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(ROW | change for change in changes)
    return path


def book_file(
    company: Company, path: Path, *, defaults: Sequence[str] = (), **read: Any
) -> dict[str, ReportRow]:
    """Book a file with the toy courier; return the rows of the report by order number."""
    rows: list[ReportRow] = []
    given = read_defaults(defaults)
    orders = read_file(path, filled=given, **read)
    book_orders(company, "toy", orders, workers=1, done=rows.append, defaults=given)
    return {row.order_number: row for row in sorted(rows, key=lambda row: row.row)}


def drafts_of(path: Path, *, defaults: Sequence[str] = (), **read: Any) -> dict[str, Any]:
    """Return what the reader makes of each order, without a database.

    That is a checked ShipmentDraft, or the reason for which the order is rejected or skipped.
    """
    given = read_defaults(defaults)
    return {
        order.order_number: _outcome(order, Goods(defaults=given))
        for order in read_file(path, filled=given, **read)
    }


def _outcome(order: Any, goods: Goods) -> ShipmentDraft | str:
    try:
        sheet = read_draft(order, "toy", goods)
    except (OrderProblem, NothingToShip) as reason:
        return str(reason)
    try:
        return clean_draft(sheet.draft)
    except InvalidRequest as error:
        return "; ".join(sheet.describe(p.field, p.message) for p in error.problems)
