"""Reads the bytes of a spreadsheet into rows of cells. It does not know what they are about.

UTF-8, with or without a byte order mark, UTF-16 and UTF-32 with one; any line ends; cells separated
by commas, semicolons, tabs or |, as the first row shows or a line `sep=;` in front of it says.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from couriers.booking.spreadsheet.cells import shown, unwrap
from couriers.booking.spreadsheet.errors import FileUnusable

SEPARATORS = ",;\t|"
COMMENT = "# "  # begins a row that is not read; an order number like #1001 has no space
_SEP_LINE = re.compile(r'"?sep=(.)"?[\r\n]*', re.IGNORECASE)
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
SAVE_AS_CSV = 'save it as "CSV UTF-8" in the spreadsheet program'

Row = tuple[int, list[str]]  # the row's number, and its cells; the header is row 1


@dataclass(frozen=True, slots=True)
class Table:
    """A spreadsheet whose first row was read. The rest is read by `rows`.

    `name` is what messages call the file.
    """

    name: str
    content: bytes
    encoding: str
    separator: str
    header_row: int
    headings: tuple[str, ...]
    skip: int  # lines in front of the rows: 1 for a line `sep=;`

    def rows(self, *, quoted: bool) -> Iterator[Row]:
        """Yield the rows after the header that have a filled cell. Raises FileUnusable.

        Without `quoted`, a quotation mark is a character like any other, unless a pair of them
        surrounds a whole cell.
        """
        for number, cells in _records(self, quoted=quoted):
            if number > self.header_row:
                filled = cells if quoted else [_unquote(cell) for cell in cells]
                cells = [unwrap(cell) for cell in filled]
                if any(cells):
                    yield number, cells


def read_table(path: Path) -> Table:
    """Read a file and its header. Raises FileUnusable."""
    return parse_table(str(path), read_content(path))


def parse_table(name: str, content: bytes) -> Table:
    """Read the header of a file with this content. Raises FileUnusable."""
    encoding = _encoding(name, content)
    first = _first_lines(name, content, encoding)
    skip, separator = 0, ""
    if first and (named := _SEP_LINE.fullmatch(first[0])):
        skip, separator = 1, named[1]
        if separator.isalnum() or separator in "\"'":
            raise FileUnusable(f'{name}: "sep={separator}" names no separator')
    header = next((line for line in first[skip:] if _may_be_header(line)), "")
    separator = separator or max(SEPARATORS, key=lambda char: len(_split(header, char)))
    table = Table(name, content, encoding, separator, 0, (), skip)
    for number, cells in _records(table, quoted=True):
        if any(cell.strip() for cell in cells) and not cells[0].startswith(COMMENT):
            headings = tuple(unwrap(cell) for cell in cells)
            return Table(name, content, encoding, separator, number, headings, skip)
    raise FileUnusable(f"{name}: is empty")


def read_content(path: Path, limit: int | None = None) -> bytes:
    """Return the bytes of a file, at most `limit` of them. Raises FileUnusable."""
    try:
        with path.open("rb") as file:
            return file.read(limit)
    except FileNotFoundError:
        raise FileUnusable(f"{path}: there is no such file") from None
    except IsADirectoryError:
        raise FileUnusable(f"{path}: is a folder, not a file") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise FileUnusable(f"{path}: cannot be read ({reason})") from None


def _encoding(name: str, content: bytes) -> str:
    if content.startswith(_WORKBOOKS):
        raise FileUnusable(f"{name}: is an Excel workbook, not a CSV file: {SAVE_AS_CSV}")
    for mark, encoding in _BOMS:
        if content.startswith(mark):
            return encoding
    if b"\x00" in content[:64]:
        raise FileUnusable(
            f"{name}: is UTF-16 without a byte order mark, or not text: {SAVE_AS_CSV}"
        )
    return "utf-8"


def _text(table_content: bytes, encoding: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(table_content), encoding=encoding, newline="")


def _first_lines(name: str, content: bytes, encoding: str) -> list[str]:
    """Return some lines from the start of the file, which have the header among them."""
    try:
        return [line for line, _ in zip(_text(content, encoding), range(100), strict=False)]
    except UnicodeError as error:
        raise _undecodable(name, content, encoding, error) from None


def _may_be_header(line: str) -> bool:
    return bool(line.strip(f'{SEPARATORS}" \r\n')) and not line.startswith((COMMENT, f'"{COMMENT}'))


def _split(line: str, separator: str) -> list[str]:
    return next(csv.reader([line], delimiter=separator), [])


def _records(table: Table, *, quoted: bool) -> Iterator[Row]:
    """Yield all rows with their numbers. Raises FileUnusable, naming the row."""
    lines = _text(table.content, table.encoding)
    for _ in range(table.skip):
        next(lines)
    number = 0
    reader = csv.reader(
        lines,
        delimiter=table.separator,
        strict=True,
        quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE,
    )
    try:
        for number, cells in enumerate(reader, start=1):
            if quoted:
                _refuse_swallowed_row(table, number, cells)
            yield number, cells
    except csv.Error as error:
        raise FileUnusable(f"{table.name}: row {number + 1} is not CSV ({error})") from None
    except UnicodeError as error:
        raise _undecodable(table.name, table.content, table.encoding, error) from None


def _refuse_swallowed_row(table: Table, number: int, cells: list[str]) -> None:
    """Raise FileUnusable for a cell with a whole row in it: a quotation mark is not closed."""
    for cell in cells:
        if "\n" in cell or "\r" in cell:
            most = max(line.count(table.separator) for line in cell.splitlines())
            if most >= max(3, len(table.headings) // 2):
                raise FileUnusable(
                    f'{table.name}: row {number} has another row in the cell "{shown(cell)}": '
                    "a quotation mark is not closed"
                )


def _unquote(cell: str) -> str:
    """Return a cell without the quotation marks that a spreadsheet program put around it."""
    text = cell.strip()
    inner = text[1:-1]
    if len(text) < 2 or text[0] != '"' or text[-1] != '"' or '"' in inner.replace('""', ""):
        return cell
    return inner.replace('""', '"')


def _undecodable(file: str, content: bytes, encoding: str, error: UnicodeError) -> FileUnusable:
    """Return the error for a file with a byte that is not text: its line, position and value."""
    name = encoding.upper().removesuffix("-SIG")
    try:
        content.decode(encoding)
    except UnicodeDecodeError as found:
        position = found.start
        line = 1 + len(re.findall(rb"\r\n|\r|\n", content[:position]))
        where = f"line {line}, " if name == "UTF-8" else ""
        value = content[position] if position < len(content) else 0
        return FileUnusable(
            f"{file}: is not {name}: {where}byte 0x{value:02x} at position {position}; "
            f"{SAVE_AS_CSV}"
        )
    return FileUnusable(f"{file}: is not {name} ({error}); {SAVE_AS_CSV}")
