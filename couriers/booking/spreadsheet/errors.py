"""What can be wrong with a spreadsheet, or with one order in it. The messages are one line."""

from __future__ import annotations


class FileUnusable(ValueError):
    """The file cannot be used, and nothing in it is booked."""


class CellProblem(ValueError):
    """One cell cannot be used. The message names its row, its column and what was read."""


class OrderProblem(ValueError):
    """An order cannot be booked. The message holds every problem that was found."""


class NothingToShip(Exception):
    """An order is not to be booked, although nothing is wrong with it. The message says why."""
