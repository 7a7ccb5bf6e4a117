"""A spreadsheet of orders for `book_orders`, with one valid line."""

from __future__ import annotations

import csv
from pathlib import Path

from couriers.booking.spreadsheet.formats.shipcrowd import COLUMNS

LINE = (
    "A-1,2026-11-01,COD,Asha Sample,98450 12345,1 Example Street,,,560034,Kurta,Kurta,"
    "62114290,1,320,30,22,6,1149,5,false"
)
ROW = dict(zip(COLUMNS, LINE.split(","), strict=True))


def write_orders(path: Path, *changes: dict[str, str]) -> Path:
    """Write the valid line once for each of `changes`, with these cells; return the path."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(ROW | change for change in changes)
    return path
