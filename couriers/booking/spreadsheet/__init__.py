"""Reads a spreadsheet of orders, books them, and reports the result of each."""

from couriers.booking.spreadsheet.drafting import draft_of
from couriers.booking.spreadsheet.errors import FileUnusable, OrderProblem
from couriers.booking.spreadsheet.formats import NAMES as FORMAT_NAMES
from couriers.booking.spreadsheet.goods import read_defaults
from couriers.booking.spreadsheet.lines import OrderLines, read_file
from couriers.booking.spreadsheet.report import ReportRow, check_report, write_report
from couriers.booking.spreadsheet.run import book_orders
from couriers.booking.spreadsheet.template import template_text, write_template

__all__ = [
    "FORMAT_NAMES",
    "FileUnusable",
    "OrderLines",
    "OrderProblem",
    "ReportRow",
    "book_orders",
    "check_report",
    "draft_of",
    "read_defaults",
    "read_file",
    "template_text",
    "write_report",
    "write_template",
]
