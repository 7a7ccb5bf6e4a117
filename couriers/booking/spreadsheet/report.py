"""The report on the orders of a spreadsheet: a CSV file with a row for each order."""

from __future__ import annotations

import csv
import os
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from couriers.booking.spreadsheet.errors import FileUnusable
from couriers.contract.text import without_formula
from couriers.models.job import OrderOutcome

COLUMNS = ("order_number", "outcome", "courier", "tracking_id", "shipment_id", "reason")


@dataclass(frozen=True, slots=True)
class ReportRow:
    """How one order ended. `row` is its first row in the spreadsheet, to sort the report by."""

    order_number: str
    outcome: OrderOutcome
    courier: str = ""
    tracking_id: str = ""
    shipment_id: str = ""
    reason: str = ""
    row: int = 0


def check_report(path: Path) -> None:
    """Raise FileUnusable if a report cannot be written. Call this before the first booking."""
    if path.exists() and not path.is_file():
        raise FileUnusable(f"{path}: is not a file")
    folder = path.resolve().parent
    if not folder.is_dir():
        raise FileUnusable(f"{path}: there is no folder {folder}")
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise FileUnusable(f"{path}: cannot be written ({error.strerror})") from None


def write_report(path: Path, rows: Sequence[ReportRow]) -> None:
    """Write the rows to a file. If that fails, an earlier file stays as it is."""
    target = path.resolve()
    with tempfile.NamedTemporaryFile(
        "w", dir=target.parent, prefix=".report-", delete=False, encoding="utf-8", newline=""
    ) as file:
        try:
            write_rows(file, rows)
            file.flush()
            os.chmod(file.name, 0o644)
            os.replace(file.name, target)
        except BaseException:
            os.unlink(file.name)
            raise


def write_rows(file: IO[str], rows: Iterable[ReportRow]) -> None:
    """Write the header and the rows as CSV.

    A text that a spreadsheet would read as a formula gets a ' in front.
    """
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow(
            [
                without_formula(row.order_number),
                row.outcome,
                row.courier,
                without_formula(row.tracking_id),
                row.shipment_id,
                without_formula(row.reason),
            ]
        )
