"""A file of products: all of it is stored, or nothing and every problem is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from couriers.models import Product
from couriers.operations import products
from couriers.operations.product_files import MAX_BYTES, FileRefused
from couriers.operations.products import load_products
from tests.support.commands import run_command, run_json
from tests.support.factories import CompanyFactory

ROOT = Path(__file__).resolve().parents[2]
HEADER = "sku,name,category,hsn_code,gst_rate,weight_g,length_cm,width_cm,height_cm"
MUG = 'MUG-11,"Mug, 330 ml",Kitchen,6912,12,410,12,10,11'
KETTLE = "KET-2,Kettle,,,,,,,"


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
        (",Mug,,,,,,,", "row 3, column sku: is missing"),
        ("A,,,902,,,,,", 'row 3, column hsn_code: "902" must have 4, 6 or 8 digits: was it 0902'),
        ("A,,,7701,,,,,", 'row 3, column hsn_code: "7701" is in chapter 77'),
        ("A,,,6912X,,,,,", 'row 3, column hsn_code: "6912X" must have 4, 6 or 8 digits'),
        ("A,,,6.9E+07,,,,,", 'row 3, column hsn_code: "6.9E+07" must have 4, 6 or 8 digits'),
        ("A,,,,101,,,,", 'row 3, column gst_rate: "101" is not a GST rate on '),
        ("A,,,,-5,,,,", 'row 3, column gst_rate: "-5" is not a rate in per cent like 12 or 2.5'),
        ("A,,,,1e2,,,,", 'row 3, column gst_rate: "1e2" is not a rate in per cent like 12 or 2.5'),
        ("A,,,,१२,,,,", 'row 3, column gst_rate: "१२" is not a rate in per cent like 12 or 2.5'),
        ("A,,,,12.345,,,,", 'row 3, column gst_rate: "12.345" is not a GST rate on '),
        ("A,,,,,0,,,", 'row 3, column weight_g: "0" must be 1 to 1000000'),
        ("A,,,,,1.5,,,", 'row 3, column weight_g: "1.5" is not a whole number'),
        ("A,,,,,1_000,,,", 'row 3, column weight_g: "1_000" is not a whole number'),
        (
            "A,,,,,,9999999999999,,",
            'row 3, column length_cm: "9999999999999" is not a whole number',
        ),
        ("A,,,,,,,1001,", 'row 3, column width_cm: "1001" must be 1 to 1000'),
        ("A,,,,,,,,,1", "row 3: has more cells than the header has columns"),
        ("MUG-11,,,,,,,,", 'row 3, column sku: "MUG-11" is in row 2 too'),
    ],
)
def test_a_cell_that_is_wrong_is_named_and_nothing_is_stored(
    company: Any, line: str, problem: str
) -> None:
    (found,) = problems_of(company, file_of(MUG, line))
    assert found.startswith(problem)


def test_every_problem_of_every_row_is_named(company: Any) -> None:
    found = problems_of(company, file_of("A,,,1,200,,,,", KETTLE, "A,,,,,x,,,"))
    assert [line.partition(":")[0] for line in found] == [
        "row 2, column hsn_code", "row 2, column gst_rate",
        "row 4, column weight_g", "row 4, column sku",
    ]  # fmt: skip
    many = problems_of(company, file_of(*[f"S{n},,,,,x,,," for n in range(250)]))
    assert (len(many), many[-1]) == (201, "and 50 more")


@pytest.mark.parametrize(
    ("header", "problems"),
    [
        (HEADER + ",colour", ["row 1, column colour: is not a column of products"]),
        (HEADER + ",,x", ["row 1, column number 10: is not a column of products",
                          "row 1, column x: is not a column of products"]),
        (HEADER + ",SKU", ["row 1, column sku: stands twice"]),
        (HEADER.replace(",name", ""), ["row 1, column name: is missing"]),
        ("sku", [f"row 1, column {name}: is missing" for name in HEADER.split(",")[1:]]),
    ],
)  # fmt: skip
def test_a_column_that_is_wrong_is_named(company: Any, header: str, problems: list[str]) -> None:
    assert problems_of(company, file_of(MUG, header=header)) == problems


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
            MUG, header="SKU,Name,Category,HSN Code,GST rate,Weight g,Length-cm,width cm,HEIGHT_CM"
        ),
        file_of("'MUG-11,\"Mug, 330 ml\",Kitchen,'6912,12%,410.0,'12,10,11"),
        file_of('"=""MUG-11""","Mug, 330 ml",Kitchen,"=""6912""",12.0,410,12,10,11'),
        file_of(MUG, header=HEADER + ",,"),
    ],
)
def test_the_habits_of_spreadsheet_programs_are_no_errors(company: Any, content: bytes) -> None:
    load_products(company, file_of(MUG))
    assert load_products(company, content).unchanged == 1


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "row 1: the file is empty"),
        (file_of(), "row 1: the file has no products"),
        (file_of('A,"open'), "row 1: the file is not CSV: a quotation mark or a line end is wrong"),
        (b"\xff\xfe\x00", "row 1: the file is not UTF-8 (byte 2)"),
        (b"sku\xe9", "row 1: the file is not UTF-8 (byte 3)"),
        (b"PK\x03\x04\x00\x00", "row 1: the file is not text: save it as \"CSV UTF-8\" in the "
         "spreadsheet program"),
        (b"x" * (MAX_BYTES + 1), "row 1: the file is longer than 5 MB"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_refused(company: Any, content: bytes, problem: str) -> None:
    assert problems_of(company, content) == [problem]


def test_the_number_of_products_is_limited(company: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(products, "MAX_PRODUCTS", 1)
    assert problems_of(company, file_of(MUG, KETTLE)) == ["row 3: only 1 products are loaded"]


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
        ((str(tmp_path / "none.csv"), "--company", company.slug), "cannot be read"),
        ((str(tmp_path), "--company", company.slug), "cannot be read"),
    ):
        with pytest.raises(CommandError, match=message) as caught:
            call_command("load_products", *arguments)
        assert caught.value.returncode == 2
    assert 'row 2, column weight_g: "x" is not a whole number' in capsys.readouterr().err
