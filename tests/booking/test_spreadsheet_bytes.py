"""The bytes of a spreadsheet: encodings, line ends, separators, quotation marks, empty rows."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from couriers.booking.spreadsheet import FileUnusable, read_file
from couriers.booking.spreadsheet.formats.shipcrowd import COLUMNS
from tests.support.spreadsheets import LINE, drafts_of

HEADER = ",".join(COLUMNS)
TEXT = f"{HEADER}\n{LINE.replace('Asha Sample', 'आशा Sample')}\n"


def read_bytes(folder: Path, content: bytes | str) -> dict[str, object]:
    path = folder / "orders.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return drafts_of(path)


def refusal(folder: Path, content: bytes | str) -> str:
    with pytest.raises(FileUnusable) as caught:
        read_bytes(folder, content)
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_encoding_with_its_mark_and_every_line_end_is_read(
    tmp_path: Path, encoding: str, end: str
) -> None:
    draft = read_bytes(tmp_path, TEXT.replace("\n", end).encode(encoding))["A-1"]
    assert draft.consignee.name == "आशा Sample"  # type: ignore[attr-defined]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("named", [True, False])
def test_the_separator_is_that_of_the_first_row_or_of_a_sep_line(
    tmp_path: Path, separator: str, named: bool
) -> None:
    text = TEXT.replace(",", separator)
    first = f"sep={separator}\n" if named else ""
    (draft,) = read_bytes(tmp_path, first + text).values()
    assert draft.consignee.pincode == "560034"  # type: ignore[attr-defined]


def test_a_separator_that_only_the_sep_line_tells_is_used(tmp_path: Path) -> None:
    assert "A-1" in read_bytes(tmp_path, "sep=^\r\n" + TEXT.replace(",", "^"))
    assert 'sep=x" names no separator' in refusal(tmp_path, "sep=x\n" + TEXT)


def test_bytes_that_are_no_text_are_named_with_the_remedy(tmp_path: Path) -> None:
    content = TEXT.encode() + LINE.replace("Kurta", "Caf\xe9", 1).encode("cp1252")
    message = refusal(tmp_path, content)
    assert f"line 3, byte 0xe9 at position {content.index(b'Caf') + 3}" in message
    assert 'save it as "CSV UTF-8"' in message


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"PK\x03\x04" + bytes(60), "is an Excel workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "is an Excel workbook"),
        (TEXT.encode("utf-16-le"), "UTF-16 without a byte order mark"),
        (b"\xff\xfea", "is not UTF-16"),
        (b"\n\n,,,\n", "is empty"),
    ],
)
def test_a_file_of_another_kind_is_refused_with_the_remedy(
    tmp_path: Path, content: bytes, words: str
) -> None:
    assert words in refusal(tmp_path, content)


def test_rows_of_separators_are_no_orders_and_missing_cells_at_the_end_are_empty(
    tmp_path: Path,
) -> None:
    cells = LINE.removesuffix(",false")
    found = read_bytes(tmp_path, f"{',' * 19}\n{HEADER}\n\n{',' * 25}\n{cells}\n   ,,\n")
    assert list(found) == ["A-1"]
    found = read_bytes(tmp_path, f"{HEADER}\n{','.join(LINE.split(',')[:9])}\n")
    assert 'row 2, column "product": is missing' not in str(found)
    assert 'row 2, column "quantity": is missing' in str(found["A-1"])


def test_rows_are_numbered_as_a_spreadsheet_program_shows_them(tmp_path: Path) -> None:
    bad = LINE.replace("A-1", "A-2").replace("2026-11-01", "someday")
    first = LINE.replace("1 Example Street", '"1 Example Street\nNear the lake"')
    found = read_bytes(tmp_path, f"sep=,\n{HEADER}\n{first}\n\n{bad}\n")
    assert str(found["A-2"]).startswith('row 4, column "order_date": read "someday"')


def test_a_quotation_mark_that_is_not_closed_is_named(tmp_path: Path) -> None:
    open_quote = LINE.replace("Asha Sample", '"Asha Sample')
    closed = LINE.replace("A-1", "A-2").replace("Asha Sample", 'Ravi",Sample')
    swallowed = f"{HEADER}\n{open_quote}\n{closed}\n"
    assert "row 2 has another row in the cell" in refusal(tmp_path, swallowed)
    assert "row 2 is not CSV" in refusal(tmp_path, f"{HEADER}\n{open_quote}\n")
    assert "row 2 is not CSV" in refusal(
        tmp_path, f"{HEADER}\n{LINE.replace('Asha', chr(34) + 'A' + chr(34) + 's')}"
    )


def test_a_comment_is_no_order_and_an_order_number_may_begin_with_a_hash(tmp_path: Path) -> None:
    rows = [LINE.replace("A-1", number) for number in ("# A-1", "#1001", "A-2")]
    assert list(read_bytes(tmp_path, "\n".join([HEADER, *rows]))) == ["#1001", "A-2"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary() | st.text().map(lambda text: f"{HEADER}\n{LINE}\n{text}".encode(errors="ignore"))
)
def test_any_bytes_are_orders_or_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "any.csv"
    path.write_bytes(content)
    assert orders_or_refusal(path)


def orders_or_refusal(path: Path) -> object:
    """Return the orders of a file, or the one line for which it is refused."""
    try:
        return read_file(path)
    except FileUnusable as refused:
        return "\n" not in str(refused)
