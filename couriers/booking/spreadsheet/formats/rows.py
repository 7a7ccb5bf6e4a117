"""What the formats have in common: cells of an order that has several rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from couriers.booking.spreadsheet.cells import Cell, Problems
from couriers.booking.spreadsheet.layout import Line


def joined(cells: Iterable[Cell], separator: str = ", ") -> Cell:
    """Return one cell with the filled cells' texts, in the place of the first of them."""
    all_cells = list(cells)
    filled = [cell for cell in all_cells if cell] or all_cells[-1:]
    texts = dict.fromkeys(cell.text or "" for cell in filled)
    return Cell(filled[0].place, separator.join(texts))


def require_same(
    rows: Sequence[Line], columns: Iterable[str], problems: Problems, *, blanks: bool = True
) -> None:
    """Note where a row of the order says something else than the first row.

    With `blanks`, an empty cell of a later row says nothing.
    """
    for row in rows[1:]:
        for column in columns:
            first, other = rows[0][column], row[column]
            if other.text != first.text and not (blanks and not other):
                problems.append(
                    other.describe(
                        f'but row {rows[0].row} of this order has "{first.text}": they must be the '
                        "same, or the orders need two numbers"
                    )
                    if other
                    else f"{other.place}: is empty, but row {rows[0].row} of this order has "
                    f'"{first.text}"'
                )


def cells_of(row: Line, names: Iterable[str]) -> dict[str, Cell]:
    """Return the row's cells of these columns that the file has, by column."""
    return {name: row[name] for name in names if row.has(name)}


def without_copies(rows: Sequence[Line], column: str) -> list[Line]:
    """Return the rows without those that stand in the file twice, by the id in the column.

    Rows without an id are all kept. Raises CellProblem where two rows of one id differ.
    """
    found: dict[str, Line] = {}
    for row in rows:
        cell = row[column]
        earlier = found.setdefault(cell.text or str(row.row), row)
        if earlier is not row and earlier.values != row.values:
            raise cell.problem(f"but row {earlier.row} with the same id says something else")
    return list(found.values())
