"""Which column of a spreadsheet is which: headings are compared without case, spaces and `_`."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from couriers.booking.spreadsheet.cells import Cell, Problems, shown
from couriers.booking.spreadsheet.errors import FileUnusable
from couriers.booking.spreadsheet.orders import GOODS, SheetOrder

# Headings, each group in other words for the same: one of a group must be in the file.
Required = tuple[tuple[str, ...], ...]


@functools.lru_cache(maxsize=4096)  # a file's cells are looked up by heading, row by row
def fold(heading: str) -> str:
    """Return a heading for comparison."""
    return re.sub(r"[\s_\ufeff]+", "", heading).casefold()


def names(text: str) -> tuple[str, ...]:
    """Return the headings of a comma-separated list."""
    return tuple(name.strip() for name in text.replace("\n", " ").split(",") if name.strip())


@dataclass(frozen=True, slots=True)
class Format:
    """How one kind of file writes orders.

    `columns` are all headings that such a file may have; those that are not used are known too.
    `more_columns` matches those that are numbered or named by the shop. A file that has all
    headings of `signature` is of this format. `order_number` are the headings that the number may
    have, in order of preference. With `continued`, a row whose number and whose cells of
    `signature` are blank belongs to the order above it. `needs_hsn` says whether an item must have
    an HSN code.
    """

    name: str
    title: str
    columns: tuple[str, ...]
    required: Required
    signature: tuple[str, ...]
    order_number: tuple[str, ...]
    read: Callable[[Sequence[Line], Problems], SheetOrder]
    skus: Callable[[Line], Iterable[str]]
    more_columns: re.Pattern[str] | None = None
    quoted: bool = True  # whether quotation marks surround cells in a file with tabs
    needs_hsn: bool = True
    continued: bool = False
    has_comments: bool = False
    known: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "known", frozenset(map(fold, self.columns)))

    def knows(self, folded: str) -> bool:
        """Whether a file of this format may have the heading."""
        return folded in self.known or bool(
            self.more_columns and self.more_columns.fullmatch(folded)
        )


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of one file. `positions` are those of its headings, folded."""

    format: Format
    headings: tuple[str, ...]
    positions: Mapping[str, int]

    def position(self, *headings: str) -> int | None:
        """Return the position of the first of these columns that the file has."""
        found = (self.positions.get(fold(heading)) for heading in headings)
        return next((position for position in found if position is not None), None)

    def heading(self, name: str) -> str:
        """Return a column's heading as it is in the file, or its usual one."""
        position = self.position(name)
        return name if position is None else self.headings[position]

    def cell(self, row: int, values: Sequence[str], name: str) -> Cell:
        """Return a cell of a row. One that the file does not have is empty."""
        position = self.position(name)
        if position is None:
            return Cell(f'row {row}, column "{name}"')
        text = values[position] if position < len(values) else ""
        return Cell(f'row {row}, column "{self.headings[position]}"', text)


@dataclass(frozen=True, slots=True)
class Line:
    """A row of an order. `line["Shipping Zip"]` is a cell of it."""

    row: int
    layout: Layout
    values: Sequence[str]

    def __getitem__(self, name: str) -> Cell:
        return self.layout.cell(self.row, self.values, name)

    @property
    def number(self) -> Cell:
        """The cell of the order number."""
        names = self.layout.format.order_number
        return self[next((name for name in names if self.has(name)), names[0])]

    def has(self, name: str) -> bool:
        """Whether the file has the column."""
        return self.layout.position(name) is not None

    def first_of(self, *names: str) -> Cell:
        """Return the first of these cells that is filled, else the first that the file has."""
        cells = [self[name] for name in names if self.has(name)] or [self[names[0]]]
        return next((cell for cell in cells if cell), cells[0])


def layout_of(
    path: Path,
    headings: Sequence[str],
    file_format: Format,
    *,
    ignored: Sequence[str],
    filled: Iterable[str] = (),
) -> Layout:
    """Return the layout of a file of that format.

    `ignored` are headings of columns that are not to be read. `filled` are required columns that
    the file may lack, because their values come from elsewhere; those of goods may come from the
    company's products where the file has SKUs. Raises FileUnusable for a heading that stands twice
    or is not known, and for missing columns.
    """
    positions = _positions(path, headings, ignored)
    unknown = [headings[at] for name, at in positions.items() if not file_format.knows(name)]
    elsewhere = set(map(fold, [*filled, *(GOODS if "sku" in positions else ())]))
    missing = [
        " or ".join(group)
        for group in file_format.required
        if not any(fold(name) in positions or fold(name) in elsewhere for name in group)
    ]
    if unknown or missing:
        raise FileUnusable(f"{path}: {_wrong_columns(file_format, unknown, missing)}")
    return Layout(file_format, tuple(headings), positions)


def _wrong_columns(file_format: Format, unknown: Sequence[str], missing: Sequence[str]) -> str:
    problems = []
    if missing:
        columns = "column" if len(missing) == 1 else "columns"
        problems.append(
            f"lacks the {columns} {', '.join(missing)} (it was read as {file_format.title})"
        )
    if unknown:
        problems.append(
            f"has {_columns(unknown)} that {file_format.title} does not have: correct the heading, "
            "or leave the column out with --ignore-columns"
        )
    return "; ".join(problems)


def _positions(path: Path, headings: Sequence[str], ignored: Sequence[str]) -> dict[str, int]:
    """Return the position of each heading that is to be read."""
    left_out = {fold(name): name for name in ignored}
    absent = [name for key, name in left_out.items() if key not in set(map(fold, headings))]
    if absent:
        raise FileUnusable(f"--ignore-columns: {path} has no {_columns(absent)}")
    positions: dict[str, int] = {}
    for position, heading in enumerate(headings):
        name = fold(heading)
        if not name or name in left_out:
            continue
        if (first := positions.setdefault(name, position)) != position:
            raise FileUnusable(
                f'{path}: the heading "{shown(heading)}" of column {position + 1} is also that of '
                f'column {first + 1} ("{shown(headings[first])}")'
            )
    return positions


def _columns(headings: Sequence[str]) -> str:
    quoted = ", ".join(f'"{shown(heading)}"' for heading in headings)
    return f"{'column' if len(headings) == 1 else 'columns'} {quoted}"
