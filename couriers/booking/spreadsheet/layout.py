"""Which column of a spreadsheet is which: headings are compared without case, spaces and `_`."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """The columns of one kind of file, which `title` names.

    `columns` are all headings that such a file may have; those that are not used are known too.
    `more_columns` matches those that are numbered or named by the shop.
    """

    title: str
    columns: tuple[str, ...]
    required: Required
    more_columns: re.Pattern[str] | None = None
    known: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "known", frozenset(map(fold, self.columns)))

    def knows(self, folded: str) -> bool:
        """Whether a file of this kind may have the heading."""
        return folded in self.known or bool(
            self.more_columns and self.more_columns.fullmatch(folded)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Format(Columns):
    """How one kind of file writes orders.

    A file that has all headings of `signature` is of this format. `order_number` are the headings
    that the number may have, in order of preference. With `continued`, a row whose number and whose
    cells of `signature` are blank belongs to the order above it. `needs_hsn` says whether an item
    must have an HSN code.
    """

    name: str
    signature: tuple[str, ...]
    order_number: tuple[str, ...]
    read: Callable[[Sequence[Line], Problems], SheetOrder]
    skus: Callable[[Line], Iterable[str]]
    quoted: bool = True  # whether quotation marks surround cells in a file with tabs
    needs_hsn: bool = True
    continued: bool = False
    has_comments: bool = False


@dataclass(frozen=True, slots=True)
class Header:
    """The headings of one file, and the positions of those that are read, folded."""

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

    def misplaced(self, row: int, values: Sequence[str]) -> str:
        """Return the problem of a filled cell that stands under no heading, or ""."""
        for position, text in enumerate(values):
            if text and (position >= len(self.headings) or not self.headings[position]):
                last = next(heading for heading in reversed(self.headings) if heading)
                return Cell(f"row {row}, cell {position + 1}", text).describe(
                    f'which stands under no heading (the last one is "{shown(last)}"): put a cell '
                    "that has the separator in it in quotation marks"
                )
        return ""


@dataclass(frozen=True, slots=True)
class Layout(Header):
    """The columns of one file of orders."""

    format: Format


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
    file: str,
    headings: Sequence[str],
    file_format: Format,
    *,
    ignored: Sequence[str],
    filled: Iterable[str] = (),
) -> Layout:
    """Return the layout of a file of that format, which messages call `file`.

    `ignored` are headings of columns that are not to be read. `filled` are required columns that
    the file may lack, because their values come from elsewhere; those of goods may come from the
    company's products where the file has SKUs. Raises FileUnusable as `header_of` does.
    """
    goods = GOODS if fold("sku") in set(map(fold, headings)) - set(map(fold, ignored)) else ()
    header = header_of(file, headings, file_format, ignored=ignored, filled=[*filled, *goods])
    return Layout(header.headings, header.positions, file_format)


def header_of(
    file: str,
    headings: Sequence[str],
    columns: Columns,
    *,
    ignored: Sequence[str] | None = None,
    filled: Iterable[str] = (),
) -> Header:
    """Return the header of a file that has these columns.

    `ignored` is None where no column can be ignored; `filled` are required columns that
    the file may lack. Raises FileUnusable for a heading that stands twice or is not known, and for
    missing columns.
    """
    positions = _positions(file, headings, ignored or ())
    unknown = [headings[at] for name, at in positions.items() if not columns.knows(name)]
    elsewhere = set(map(fold, filled))
    missing = [
        " or ".join(group)
        for group in columns.required
        if not any(fold(name) in positions or fold(name) in elsewhere for name in group)
    ]
    problems = []
    if missing:
        lacking = "column" if len(missing) == 1 else "columns"
        problems.append(
            f"lacks the {lacking} {', '.join(missing)} (it was read as {columns.title})"
        )
    if unknown:
        remedy = "leave the column out" + (", or have it ignored" if ignored is not None else "")
        problems.append(
            f"has {_quoted(unknown)} that {columns.title} does not have: correct the heading, "
            f"or {remedy}"
        )
    if problems:
        raise FileUnusable(f"{file}: {'; '.join(problems)}")
    return Header(tuple(headings), positions)


def _positions(file: str, headings: Sequence[str], ignored: Sequence[str]) -> dict[str, int]:
    """Return the position of each heading that is to be read."""
    left_out = {fold(name): name for name in ignored}
    absent = [name for key, name in left_out.items() if key not in set(map(fold, headings))]
    if absent:
        raise FileUnusable(f"ignored columns: {file} has no {_quoted(absent)}")
    positions: dict[str, int] = {}
    for position, heading in enumerate(headings):
        name = fold(heading)
        if not name or name in left_out:
            continue
        if (first := positions.setdefault(name, position)) != position:
            raise FileUnusable(
                f'{file}: the heading "{shown(heading)}" of column {position + 1} is also that of '
                f'column {first + 1} ("{shown(headings[first])}")'
            )
    return positions


def _quoted(headings: Sequence[str]) -> str:
    quoted = ", ".join(f'"{shown(heading)}"' for heading in headings)
    return f"{'column' if len(headings) == 1 else 'columns'} {quoted}"
