"""The columns of a spreadsheet: what is not understood is refused and named."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from couriers.booking.spreadsheet import FileUnusable, read_defaults, read_file, template_text
from couriers.booking.spreadsheet.formats import ALL, OWN, detect
from couriers.booking.spreadsheet.formats.shipcrowd import COLUMNS, MORE_COLUMNS
from couriers.contract.types import ShipmentDraft
from tests.support.spreadsheets import DEFAULTS, ROW, drafts_of

ROOT = Path(__file__).resolve().parent.parent.parent


def write(path: Path, *rows: dict[str, str], headings: list[str] | None = None) -> Path:
    """Write rows of the valid line with these headings in place of our own, in their order."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(headings or COLUMNS)
    writer.writerows([[(ROW | row)[name] for name in COLUMNS] for row in rows])
    path.write_text(text.getvalue())
    return path


def renamed(**names: str) -> list[str]:
    return [names.get(name, name) for name in COLUMNS]


def refusal(path: Path, **options: object) -> str:
    with pytest.raises(FileUnusable) as caught:
        read_file(path, **options)  # type: ignore[arg-type]
    return str(caught.value)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "orders.csv"


def test_headings_are_compared_without_case_spaces_and_underscores(path: Path) -> None:
    headings = renamed(order_number="Order Number ", payment_mode="PAYMENTMODE", city=" City")
    assert isinstance(drafts_of(write(path, {}, headings=headings))["A-1"], ShipmentDraft)


def test_a_heading_that_stands_twice_is_named_with_both_positions(path: Path) -> None:
    write(path, {}, headings=renamed(b2b="Pin Code"))
    assert 'heading "Pin Code" of column 20 is also that of column 9 ("pincode")' in refusal(path)
    write(path, {}, headings=renamed(b2b="order_value"))
    assert "order_value" in refusal(path)


def test_unknown_columns_are_named_and_may_be_ignored_by_name(path: Path) -> None:
    write(path, {"b2b": "x"}, headings=renamed(b2b="Gift note"))
    assert 'has column "Gift note"' in refusal(path)
    assert "or have it ignored" in refusal(path)
    assert isinstance(drafts_of(path, ignored=["gift_note"])["A-1"], ShipmentDraft)
    assert "ignored columns: " in refusal(path, ignored=["Gift note", "Colour"])
    assert 'has no column "Colour"' in refusal(path, ignored=["Gift note", "Colour"])
    assert "lacks the column city" in refusal(path, ignored=["Gift note", "city"])


def test_missing_columns_are_named_unless_their_values_come_from_elsewhere(path: Path) -> None:
    write(path, {"gst_rate": "", "city": ""}, headings=renamed(gst_rate="", city=""))
    assert "lacks the columns city, gst_rate (it was read as Shipcrowd" in refusal(path)
    write(path, {"gst_rate": ""}, headings=renamed(gst_rate=""))
    assert "lacks the column gst_rate" in refusal(path)
    assert isinstance(drafts_of(path, defaults=["gst_rate=5"])["A-1"], ShipmentDraft)
    write(path, {"gst_rate": "KU-M"}, headings=renamed(gst_rate="sku"))
    assert 'column "sku": the product KU-M has no gst_rate: add it' in str(drafts_of(path)["A-1"])


def test_a_filled_cell_under_no_heading_rejects_its_order_alone(path: Path) -> None:
    write(path, {}, {"order_number": "A-2"}, {"order_number": "A-3"})
    text = path.read_text().splitlines()
    text[2] = text[2].replace("1149", "2,049.00")
    text[3] += ",,,"
    path.write_text("\n".join(text))
    found = drafts_of(path)
    assert str(found["A-2"]).startswith('row 3, cell 21: read "false", which stands under no head')
    assert isinstance(found["A-1"], ShipmentDraft)
    assert isinstance(found["A-3"], ShipmentDraft)


def test_a_shifted_row_takes_no_line_from_an_order(path: Path) -> None:
    """Where the number stands behind the shift, the row's own order is found by its number."""
    headings = [*COLUMNS[1:], "order_number"]
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, headings)
    writer.writeheader()
    writer.writerow(ROW)
    writer.writerow(ROW | {"product": "Socks"})
    writer.writerow(ROW | {"order_number": "A-2"})
    lines = text.getvalue().splitlines()
    lines[2] = lines[2].replace("Socks", "Socks, grey")
    path.write_text("\n".join(lines))
    found = drafts_of(path)
    assert "row 3, cell 21" in str(found["A-1"])
    assert isinstance(found["A-2"], ShipmentDraft)


def test_a_row_without_a_number_rejects_the_order_above_which_may_lack_it(path: Path) -> None:
    write(path, {"order_number": ""}, {}, {"order_number": ""}, {"order_number": "A-2"})
    orders = read_file(path)
    assert [order.order_number for order in orders] == ["", "A-1", "", "A-2"]
    found = drafts_of(path)
    assert (
        found["A-1"]
        == found[""]
        == ('row 4, column "order_number": is missing; does the row belong to the order above?')
    )
    assert isinstance(found["A-2"], ShipmentDraft)


def test_comments_are_told(path: Path) -> None:
    notes: list[str] = []
    write(path, {"order_number": "# A-1"}, {})
    read_file(path, note=notes.append)
    assert notes == [f'{path}: not read, because they begin with "# ": rows 2']


@pytest.mark.parametrize(
    ("column", "text", "expected"),
    [("b2b", "maybe", "must be true or false"), ("payment_mode", "BARTER", "must be COD or PREP"),
     ("order_value", "1e26", "is not a number"), ("quantity", "1.5", "is not a whole number"),
     ("order_date", "03/04/2026", "may be 2026-04-03 or 2026-03-04"),
     ("consignee_phone", "9.84501E+09", "loses digits"), ("pincode", "5600", "pincode"),
     ("order_number", "4.08912E+14", "loses digits"), ("hsn_code", "6.21E+07", "loses digits"),
     ("state", "Atlantis", "is not a state")],
)  # fmt: skip
def test_a_cell_that_is_not_understood_is_named_with_what_was_read(
    path: Path, column: str, text: str, expected: str
) -> None:
    heading = column.replace("_", " ").title()
    write(path, {}, {"order_number": "A-2", column: text}, headings=renamed(**{column: heading}))
    problem = str(list(drafts_of(path).values())[1])
    assert problem.startswith(f'row 3, column "{heading}": read "{text}", ')
    assert expected in problem


def test_every_problem_of_an_order_is_named(path: Path) -> None:
    write(path, {"quantity": "x", "order_value": "-1", "gst_rate": "", "b2b": "?"})
    problem = str(drafts_of(path)["A-1"])
    for column in ("quantity", "order_value", "gst_rate", "b2b"):
        assert f'row 2, column "{column}"' in problem


def test_two_orders_under_one_number_are_rejected_naming_what_differs(path: Path) -> None:
    write(path, {}, {"consignee_name": "Ravi Specimen", "pincode": "570001"})
    problem = str(drafts_of(path)["A-1"])
    assert 'row 3, column "consignee_name": read "Ravi Specimen", but row 2' in problem
    assert 'row 3, column "pincode": read "570001", but row 2 of this order has "560034"' in problem


def test_a_landmark_and_an_e_mail_are_read_where_the_file_has_their_columns(path: Path) -> None:
    def written(*emails: str, heading: str = "Email") -> Path:
        lines = write(path, *[{} for _ in emails]).read_text().splitlines()
        cells = [f"Landmark,{heading}", *(f"behind the temple,{email}" for email in emails)]
        path.write_text("\n".join(map(",".join, zip(lines, cells, strict=True))))
        return path

    read = drafts_of(written("asha@example.com"))["A-1"].consignee
    assert (read.email, read.landmark) == ("asha@example.com", "behind the temple")
    plain = drafts_of(write(path, {}))["A-1"].consignee
    assert (plain.email, plain.landmark) == ("", "")
    assert 'has column "E-mail"' in refusal(written("asha@example.com", heading="E-mail"))
    problem = str(drafts_of(written("asha"))["A-1"])
    assert problem == 'row 2, column "Email": read "asha", is no e-mail address'
    problem = str(drafts_of(written("asha@example.com", "ravi@example.com"))["A-1"])
    assert 'row 3, column "Email": read "ravi@example.com", but row 2' in problem


@pytest.mark.parametrize(
    ("setting", "words"),
    [("colour=red", "must be one of category, hsn_code"), ("gst_rate", "is missing"),
     ("gst_rate=five", "default gst_rate: read \"five\""), ("unit_weight_g=0", "more than 0"),
     ("hsn_code=cotton", "digits alone"), ("order_number=A-1", "must be one of")],
)  # fmt: skip
def test_a_default_that_cannot_be_used_is_named(setting: str, words: str) -> None:
    with pytest.raises(FileUnusable) as caught:
        read_defaults([setting])
    assert words in str(caught.value)
    with pytest.raises(FileUnusable, match="is given twice"):
        read_defaults(["gst_rate=5", "gst_rate=18"])


def test_defaults_fill_blank_cells_of_our_own_format_and_no_others(path: Path) -> None:
    write(path, {"gst_rate": "", "hsn_code": ""}, {"order_number": "A-2", "gst_rate": "18"})
    found = drafts_of(path, defaults=DEFAULTS)
    assert [str(draft.items[0].gst_rate) for draft in found.values()] == ["5", "18"]
    assert found["A-1"].items[0].hsn_code == "62114290"
    write(path, {"city": "", "order_value": ""})
    assert str(drafts_of(path, defaults=DEFAULTS)["A-1"]).endswith('"order_value": is missing')


def test_the_template_has_every_column_and_no_order(path: Path) -> None:
    path.write_text(template_text())
    assert refusal(path).endswith("has no orders")
    text = template_text()
    assert text.splitlines()[0] == ",".join([*COLUMNS, *MORE_COLUMNS])
    path.write_text(text.replace("# A-1", "A-1"))
    assert isinstance(drafts_of(path)["A-1"], ShipmentDraft)


def test_each_format_is_recognised_by_its_headings_alone() -> None:
    for file_format in ALL:
        headings = [heading.upper() for heading in file_format.columns]
        assert detect(headings) is file_format
        needed = [group[0] for group in file_format.required]
        assert detect([*needed, *file_format.signature]) is file_format


def test_a_file_of_no_known_format_is_told_what_it_lacks(path: Path) -> None:
    path.write_text("when,where,what\nnow,here,this\n")
    assert "is of no format that is known (Shipcrowd's own format, Shopify's" in refusal(path)
    path.write_text("order_number\nA-1\n")
    assert "lacks the columns order_date, payment_mode" in refusal(path)


def test_the_documentation_lists_the_columns_of_each_format() -> None:
    page = (ROOT / "docs" / "spreadsheet.md").read_text()
    missing = [
        (file_format.title, column)
        for file_format in ALL
        for column in file_format.columns
        if f"`{column}`" not in page
    ]
    assert missing == []
    readme = (ROOT / "README.md").read_text()
    assert [column for column in OWN.columns if f"`{column}`" not in readme] == []
