"""Groups the rows of a spreadsheet into orders, without reading what their cells say.

Rows with the same order number are one order, in any place of the file.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from couriers.booking.spreadsheet.cells import Cell, number_text
from couriers.booking.spreadsheet.errors import CellProblem, FileUnusable
from couriers.booking.spreadsheet.formats import ALL, detect
from couriers.booking.spreadsheet.layout import Layout, Line, fold, layout_of
from couriers.booking.spreadsheet.table import COMMENT, Table, read_table


@dataclass(slots=True)
class OrderLines:
    """The rows of one order, packed, so that 100,000 of them take little memory.

    `faults` are the problems of its rows as such, for which the order is not booked.
    """

    order_number: str
    layout: Layout
    packed: list[tuple[int, bytes]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @property
    def row(self) -> int:
        """The number of the order's first row."""
        return self.packed[0][0]

    def rows(self) -> Iterator[Line]:
        """Yield the rows, unpacked."""
        for row, packed in self.packed:
            yield Line(row, self.layout, json.loads(packed))


def read_file(
    path: Path,
    *,
    format_name: str = "auto",
    ignored: Sequence[str] = (),
    filled: Collection[str] = (),
    note: Callable[[str], None] | None = None,
) -> list[OrderLines]:
    """Return the orders of a file, as `read_orders` does. Raises FileUnusable."""
    return read_orders(
        read_table(path), format_name=format_name, ignored=ignored, filled=filled, note=note
    )


def read_orders(
    table: Table,
    *,
    format_name: str = "auto",
    ignored: Sequence[str] = (),
    filled: Collection[str] = (),
    note: Callable[[str], None] | None = None,
) -> list[OrderLines]:
    """Return the orders of a table, in the order of their first rows.

    `format_name` is one of the NAMES of formats, or "auto" for the one that the headings show.
    `ignored` are headings of columns not to read, `filled` columns whose values come from
    elsewhere. `note` is told of rows that are comments. Raises FileUnusable if a row is not CSV, or
    the table has a heading twice, unknown or missing columns, or no orders.
    """
    file_format = detect(table.headings, format_name)
    if format_name == "auto" and not any(map(file_format.knows, map(fold, table.headings))):
        titles = ", ".join(known.title for known in ALL)
        raise FileUnusable(
            f"{table.name}: is of no format that is known ({titles}): `book_orders --template` "
            "writes an empty file"
        )
    layout = layout_of(table.name, table.headings, file_format, ignored=ignored, filled=filled)
    grouping = _Grouping(layout, table)
    orders = grouping.orders()
    if note and grouping.comments:
        rows = ", ".join(map(str, grouping.comments))
        note(f'{table.name}: not read, because they begin with "{COMMENT}": rows {rows}')
    if not orders:
        raise FileUnusable(f"{table.name}: has no orders")
    return orders


class _Grouping:
    """Collects the rows of each order."""

    def __init__(self, layout: Layout, table: Table) -> None:
        self._layout = layout
        self._table = table
        self._orders: dict[str, OrderLines] = {}
        self._above: OrderLines | None = None  # the order of the row above
        self.comments: list[int] = []
        # The problems of rows whose cells may stand in other columns, by each number that may be
        # theirs.
        self._suspects: dict[str, list[str]] = {}
        position = layout.position(*layout.format.order_number)
        assert position is not None, "layout_of checks the required columns"
        self._at = position

    def orders(self) -> list[OrderLines]:
        quoted = self._layout.format.quoted or self._table.separator != "\t"
        for row, cells in self._table.rows(quoted=quoted):
            if self._layout.format.has_comments and cells[0].startswith(COMMENT):
                self.comments.append(row)
            else:
                self._add(row, cells)
        for number, faults in self._suspects.items():
            if number in self._orders:
                order = self._orders[number]
                order.faults.extend(fault for fault in faults if fault not in order.faults)
        return list(self._orders.values())

    def _add(self, row: int, cells: list[str]) -> None:
        number = _order_number(self._text(cells, self._at))
        if number or not self._above:
            order = self._orders.setdefault(
                number or f"\x00{row}", OrderLines(number, self._layout)
            )
        else:
            order = self._without_number(row, cells, self._above)
        self._above = order
        headings = self._layout.headings
        order.packed.append((row, json.dumps(cells[: len(headings)], ensure_ascii=False).encode()))
        fault = self._layout.misplaced(row, cells)
        if fault:
            order.faults.append(fault)
            surplus = max(0, len(cells) - len(headings))
            for text in cells[self._at + 1 : self._at + 1 + surplus]:
                self._suspects.setdefault(_order_number(text), []).append(fault)

    def _without_number(self, row: int, cells: list[str], above: OrderLines) -> OrderLines:
        """Return the order of a row that has no order number.

        It may be a line of the order above, which is not booked either, because it may lack it.
        """
        layout = self._layout
        if layout.format.continued:
            signature = [layout.position(name) for name in layout.format.signature]
            if not any(self._text(cells, position) for position in signature):
                return above
        place = layout.cell(row, (), layout.headings[self._at]).place
        fault = f"{place}: is missing; does the row belong to the order above?"
        above.faults.append(fault)
        return self._orders.setdefault(f"\x00{row}", OrderLines("", layout, faults=[fault]))

    def _text(self, cells: list[str], position: int | None) -> str:
        return cells[position] if position is not None and position < len(cells) else ""


def _order_number(text: str) -> str:
    """Return the order number of a cell; one that cannot be read stands for itself."""
    try:
        return number_text(Cell("", text))
    except CellProblem:
        return text.strip()
