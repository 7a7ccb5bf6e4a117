"""Booking orders from a spreadsheet: reading the file, booking its orders, reporting on each."""

from couriers.booking.spreadsheet.orders import FileUnusable, OrderLines, read_file
from couriers.booking.spreadsheet.run import (
    Outcome,
    Result,
    check_report,
    import_orders,
    write_report,
)

__all__ = [
    "FileUnusable",
    "OrderLines",
    "Outcome",
    "Result",
    "check_report",
    "import_orders",
    "read_file",
    "write_report",
]
