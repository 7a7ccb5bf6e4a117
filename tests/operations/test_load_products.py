"""A file of products: all of it is stored, or nothing and every problem is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from couriers.contract import india
from couriers.models import Product, Shipment
from couriers.operations import products
from couriers.operations.products import MAX_BYTES, FileRefused, LoadedProducts
from tests.support.commands import run_command, run_json
from tests.support.factories import CompanyFactory
from tests.support.spreadsheets import book_file, write_orders

ROOT = Path(__file__).resolve().parents[2]
HEADER = "sku,name,category,hsn_code,gst_rate,weight_g,length_cm,width_cm,height_cm"
MUG = 'MUG-11,"Mug, 330 ml",Kitchen,6912,12,410,12,10,11'
SAVE = 'save it as "CSV UTF-8" in the spreadsheet program'
KETTLE = "KET-2,Kettle,,,,,,,"


def load_products(company: Any, content: bytes) -> LoadedProducts:
    return products.load_products(company, "p.csv", content)


def file_of(*lines: str, header: str = HEADER) -> bytes:
    return "\n".join([header, *lines]).encode()


def problems_of(company: Any, content: bytes) -> list[str]:
    with pytest.raises(FileRefused) as caught:
        load_products(company, content)
    assert not Product.objects.exists()
    return list(caught.value.lines())


def test_products_are_added_changed_and_left(company: Any) -> None:
    loaded = load_products(company, file_of(MUG, KETTLE))
    assert str(loaded) == "2 products: 2 added, 0 changed, 0 unchanged"
    mug = Product.objects.get(sku="MUG-11")
    assert (mug.name, mug.hsn_code, str(mug.gst_rate)) == ("Mug, 330 ml", "6912", "12.00")
    assert (mug.weight_g, mug.length_cm, mug.width_cm, mug.height_cm) == (410, 12, 10, 11)
    kettle = Product.objects.get(sku="KET-2")
    assert (kettle.gst_rate, kettle.weight_g, kettle.hsn_code) == (None, None, "")
    again = load_products(company, file_of(MUG, KETTLE.replace("Kettle", "Teapot"), "NEW,,,,,,,,"))
    assert (again.added, again.changed, again.unchanged) == (1, 1, 1)
    before, kettle = kettle.updated_at, Product.objects.get(sku="KET-2")
    assert (kettle.name, kettle.updated_at > before) == ("Teapot", True)
    assert Product.objects.get(sku="MUG-11").updated_at == mug.updated_at


def test_a_blank_cell_takes_back_what_was_known(company: Any) -> None:
    load_products(company, file_of(MUG))
    load_products(company, file_of("MUG-11,,,,,,,,"))
    mug = Product.objects.get()
    assert (mug.name, mug.gst_rate, mug.weight_g) == ("", None, None)


def test_the_products_of_a_company_are_its_own(company: Any) -> None:
    other = CompanyFactory()
    load_products(other, file_of(MUG))
    assert load_products(company, file_of(MUG)).added == 1
    assert Product.objects.filter(company=other).count() == 1


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (",Mug,,,,,,,", 'column "sku": is missing'),
        ("8.90123E+12,,,,,,,,", 'column "sku": read "8.90123E+12", is in scientific notation, '
         "which loses digits: format the column as text and enter it anew"),
        ("A,,,61,,,,,", 'column "hsn_code": read "61", must have 4, 6 or 8 digits'),
        ("A,,,7701,,,,,", 'column "hsn_code": read "7701", is in chapter 77, which has no goods'),
        ("A,,,902,,,,,", 'column "hsn_code": read "902", must have 4, 6 or 8 digits: was it 0902 '
         "before a spreadsheet cut the zero?"),
        ("A,,,6.9E+07,,,,,", 'column "hsn_code": read "6.9E+07", is in scientific notation, '
         "which loses digits: format the column as text and enter it anew"),
        ("A,,,,-5,,,,", 'column "gst_rate": read "-5", is negative'),
        ("A,,,,1e2,,,,", 'column "gst_rate": read "1e2", is not a number like 1149 or 1,149.50'),
        ("A,,,,%,,,,", 'column "gst_rate": read "%", is not a number'),
        ("A,,,,,0,,,", 'column "weight_g": read "0", must be 1 to 1000000'),
        ("A,,,,,1.5,,,", 'column "weight_g": read "1.5", is not a whole number like 12'),
        ("A,,,,,1_000,,,",
         'column "weight_g": read "1_000", is not a number like 1149 or 1,149.50'),
        ("A,,,,,,9999999999999,,",
         'column "length_cm": read "9999999999999", has more than 12 digits'),
        ("A,,,,,,,1001,", 'column "width_cm": read "1001", must be 1 to 1000'),
        ("A,,,,,,,,,1", 'cell 10: read "1", which stands under no heading (the last one is '
         '"height_cm"): put a cell that has the separator in it in quotation marks'),
        ("MUG-11,,,,,,,,", 'column "sku": read "MUG-11", which is in row 2 too'),
    ],
)  # fmt: skip
def test_a_cell_that_is_wrong_is_named_and_nothing_is_stored(
    company: Any, line: str, problem: str
) -> None:
    assert problems_of(company, file_of(MUG, line)) == [f"row 3, {problem}"]


@pytest.mark.parametrize("rate", ["101", "12.345", "7", "0.18"])
def test_a_rate_that_no_goods_have_is_refused_with_those_of_the_day(
    company: Any, rate: str
) -> None:
    (problem,) = problems_of(company, file_of(f"A,,,,{rate},,,,"))
    assert problem.startswith(
        f'row 2, column "gst_rate": read "{rate}", is not a GST rate on {india.today()}'
    )
    assert "0.25, 1.5*, 3, 5" in problem
    assert ("was 18 meant?" in problem) == (rate == "0.18")


def test_a_column_is_named_as_the_file_has_it(company: Any) -> None:
    header = HEADER.replace("weight_g", "Weight G")
    assert problems_of(company, file_of("A,,,,,x,,,", header=header)) == [
        'row 2, column "Weight G": read "x", is not a number like 1149 or 1,149.50'
    ]


def test_every_problem_of_every_row_is_named(company: Any) -> None:
    found = problems_of(company, file_of("A,,,1,200,,,,", KETTLE, "A,,,,,x,,,"))
    assert [line.partition(":")[0] for line in found] == [
        'row 2, column "hsn_code"', 'row 2, column "gst_rate"',
        'row 4, column "weight_g"', 'row 4, column "sku"',
    ]  # fmt: skip
    many = problems_of(company, file_of(*[f"S{n},,,,,x,,," for n in range(250)]))
    assert (len(many), many[-1]) == (201, "and 50 more")


@pytest.mark.parametrize(
    ("header", "problem"),
    [
        (HEADER + ",colour", 'has column "colour" that a file of products does not have: correct '
         "the heading, or leave the column out"),
        (HEADER + ",SKU", 'the heading "SKU" of column 10 is also that of column 1 ("sku")'),
        (HEADER.replace(",name", ""),
         "lacks the column name (it was read as a file of products)"),
        ("sku", f"lacks the columns {', '.join(HEADER.split(',')[1:])} (it was read as a file of "
         "products)"),
        ("sku,x", f"lacks the columns {', '.join(HEADER.split(',')[1:])} (it was read as a file "
         'of products); has column "x" that a file of products does not have: correct the '
         "heading, or leave the column out"),
    ],
)  # fmt: skip
def test_a_column_that_is_wrong_is_named(company: Any, header: str, problem: str) -> None:
    assert problems_of(company, file_of(MUG, header=header)) == [f"p.csv: {problem}"]


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf" + file_of(MUG),
        file_of(MUG).decode().encode("utf-16"),
        file_of(MUG).replace(b"\n", b"\r\n"),
        file_of(MUG).replace(b"\n", b"\r"),
        file_of("", ",,,,,,,,", MUG, "", header="\n" + HEADER),
        file_of(MUG.replace(",", ";").replace("Mug;", "Mug,"), header=HEADER.replace(",", ";")),
        file_of(MUG.replace(",", "\t").replace("Mug\t", "Mug,"), header=HEADER.replace(",", "\t")),
        file_of(
            MUG, header="SKU,Name,Category,HSN Code,GST rate,Weight g,LengthCm,width cm,HEIGHT_CM"
        ),
        file_of("'MUG-11,\"Mug, 330 ml\",Kitchen,'6912,12%,410.0,'12,10,11"),
        file_of('"=""MUG-11""","Mug, 330 ml",Kitchen,"=""6912""",12.0,410,12,10,11'),
        file_of(MUG, header=HEADER + ",,"),
        b"sep=;\r\n"
        + file_of(MUG.replace(",", ";").replace("Mug;", "Mug,"), header=HEADER.replace(",", ";")),
        file_of(MUG.replace("6912,12", "69 12,12 %")),
        file_of(MUG.replace("410,12", "\uff14\uff11\uff10,\u0967\u0968")),
    ],
)
def test_the_habits_of_spreadsheet_programs_are_no_errors(company: Any, content: bytes) -> None:
    load_products(company, file_of(MUG))
    assert load_products(company, content).unchanged == 1


@pytest.mark.django_db(transaction=True)
def test_an_sku_of_an_order_is_read_as_that_of_the_file(account: Any, tmp_path: Path) -> None:
    load_products(account.company, file_of("'007,Mug,,69120010,5,410,12,10,11"))
    path = write_orders(tmp_path / "orders.csv", {})
    text = path.read_text().replace("b2b", "sku").replace("false", "'007").replace(",320,", ",,")
    path.write_text(text)
    row = book_file(account.company, path)["A-1"]
    assert row.reason == ""
    assert row.outcome == "booked"
    assert Shipment.objects.get().weight_g == 410


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "is empty"),
        (file_of(), "has no products"),
        (file_of('A,"open'), "row 2 is not CSV (unexpected end of data)"),
        (b"\xff\xfe\x00", "is not UTF-16: byte 0x00 at position 2; " + SAVE),
        (b"sku\xe9", "is not UTF-8: line 1, byte 0xe9 at position 3; " + SAVE),
        (b"PK\x03\x04\x00\x00", "is an Excel workbook, not a CSV file: " + SAVE),
        (b"x" * (MAX_BYTES + 1), "is longer than 5 MB"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_refused(company: Any, content: bytes, problem: str) -> None:
    assert problems_of(company, content) == [f"p.csv: {problem}"]


def test_the_number_of_products_is_limited(company: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(products, "MAX_PRODUCTS", 1)
    assert problems_of(company, file_of(MUG, KETTLE)) == [
        "p.csv: row 3: only 1 products are loaded"
    ]


def test_many_products_are_stored_in_few_statements(
    company: Any, django_assert_max_num_queries: Any
) -> None:
    lines = [f"SKU-{number},,,,,,,," for number in range(2_500)]
    with django_assert_max_num_queries(16):
        assert load_products(company, file_of(*lines)).added == 2_500
    assert load_products(company, file_of(*lines)).unchanged == 2_500


def test_the_command_loads_a_file_twice(company: Any) -> None:
    path = str(ROOT / "fixtures" / "products_sample.csv")
    line = run_command("load_products", path, "--company", company.slug)
    assert line == "4 products: 4 added, 0 changed, 0 unchanged\n"
    counts = run_json("load_products", path, "--company", company.slug)
    assert counts == {"products": 4, "added": 0, "changed": 0, "unchanged": 4}


def test_the_command_names_what_is_wrong(
    company: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "products.csv"
    path.write_bytes(file_of("A,,,,,x,,,"))
    for arguments, message in (
        ((str(path), "--company", company.slug), "nothing was stored"),
        ((str(path), "--company", "nobody"), "unknown company"),
        ((str(tmp_path / "none.csv"), "--company", company.slug), "there is no such file"),
        ((str(tmp_path), "--company", company.slug), "is a folder, not a file"),
    ):
        with pytest.raises(CommandError, match=message) as caught:
            call_command("load_products", *arguments)
        assert caught.value.returncode == 2
    assert 'row 2, column "weight_g": read "x", is not a number like' in capsys.readouterr().err
