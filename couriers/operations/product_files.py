"""Reads a file of products into rows of cells, as Excel and its kind write them."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

MAX_BYTES = 5 * 1024 * 1024
SEPARATORS = ",;\t"
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_FORMULA = re.compile(r'="(.*)"', re.DOTALL)  # how Excel keeps a text a text


@dataclass(frozen=True, slots=True)
class RowProblem:
    """What is wrong in a row, of the column if one is named. Row 1 is the header."""

    row: int
    column: str
    message: str

    def __str__(self) -> str:
        column = f", column {self.column}" if self.column else ""
        return f"row {self.row}{column}: {self.message}"


class FileRefused(Exception):
    """The file is not right, and nothing of it was stored. `left_out` problems are not listed."""

    def __init__(self, problems: Sequence[RowProblem], left_out: int = 0) -> None:
        self.problems = problems
        self.left_out = left_out
        super().__init__("; ".join(map(str, problems)))

    def lines(self) -> Iterator[str]:
        """Yield a line for each problem, and one for those that are left out."""
        yield from map(str, self.problems)
        if self.left_out:
            yield f"and {self.left_out} more"


def read_table(content: bytes) -> tuple[list[str], Iterable[tuple[int, list[str]]]]:
    """Return the headings, and the number and cells of each row that has a filled cell.

    Raises FileRefused for a file that is too long, empty, not text or not CSV.
    """
    if len(content) > MAX_BYTES:
        raise _refused(f"the file is longer than {MAX_BYTES // 1024**2} MB")
    text = _text(content)
    first_line = text.lstrip("\r\n").partition("\n")[0]
    separator = max(SEPARATORS, key=first_line.count)
    try:
        records = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True))
    except csv.Error:
        raise _refused("the file is not CSV: a quotation mark or a line end is wrong") from None
    rows = [(number, [_unwrap(cell) for cell in cells]) for number, cells in enumerate(records, 1)]
    rows = [(number, cells) for number, cells in rows if any(cells)]
    if not rows:
        raise _refused("the file is empty")
    return rows[0][1], rows[1:]


def _text(content: bytes) -> str:
    encoding = "utf-16" if content.startswith(_UTF_16) else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise _refused(f"the file is not UTF-8 (byte {error.start})") from None
    if "\x00" in text:
        raise _refused('the file is not text: save it as "CSV UTF-8" in the spreadsheet program')
    return re.sub(r"\r\n?", "\n", text)


def _unwrap(cell: str) -> str:
    """The text of a cell without what a spreadsheet program puts around it."""
    cell = cell.strip()
    if formula := _FORMULA.fullmatch(cell):
        cell = formula[1].replace('""', '"').strip()
    return cell.removeprefix("'").strip()


def _refused(message: str) -> FileRefused:
    return FileRefused([RowProblem(1, "", message)])
