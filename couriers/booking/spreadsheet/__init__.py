"""Reads a spreadsheet of orders, books them, and reports the result of each."""

from couriers.booking.spreadsheet.reading import (
    FileUnusable,
    LineProblem,
    OrderLines,
    draft_of,
    read_file,
)
from couriers.booking.spreadsheet.report import ReportRow, check_report, write_report
from couriers.booking.spreadsheet.run import book_orders

__all__ = [
    "FileUnusable",
    "LineProblem",
    "OrderLines",
    "ReportRow",
    "book_orders",
    "check_report",
    "draft_of",
    "read_file",
    "write_report",
]
