"""What is read from a cell: numbers, amounts, dates, words. Nothing is guessed or half read."""

# ruff: noqa: RUF001 - digits and signs of other scripts are what is tested

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from couriers.booking.spreadsheet import cells, dates
from couriers.booking.spreadsheet.cells import Cell
from couriers.booking.spreadsheet.errors import CellProblem


def cell(text: str) -> Cell:
    return Cell('row 2, column "x"', cells.unwrap(text))


def problem_of(parse: Callable[[Cell], object], text: str) -> str:
    """Return the problem with a text, or "" where it is read. No other exception is expected."""
    try:
        parse(cell(text))
    except CellProblem as problem:
        return str(problem)
    return ""


@pytest.mark.parametrize(
    ("text", "rupees"),
    [
        ("1149", "1149"), ("1149.00", "1149"), ("0.5", "0.5"), (".5", "0.5"), ("0.00", "0"),
        ("1,149", "1149"), ("2,049.00", "2049"), ("1,00,005", "100005"), ("100,005", "100005"),
        ("12,34,567.89", "1234567.89"), ("₹ 1,149", "1149"), ("₹1149/-", "1149"),
        ("Rs. 1149", "1149"), ("rs 1149", "1149"), ("INR 1149", "1149"), ("1149 INR", "1149"),
        ("１１４９", "1149"), ("१,१४९", "1149"), ("१०．५", "10.5"), ('="1149"', "1149"),
        ("'1149", "1149"), ("\u200e1149\u00a0", "1149"), ("0", "0"),
    ],
)  # fmt: skip
def test_an_amount_is_read_without_loss(text: str, rupees: str) -> None:
    assert cells.amount(cell(text)) == Decimal(rupees)


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "1_149", "1e26", "1E+05", "1e400", "9.84501E+09", "NaN", "Infinity", "-1", "-0.01",
        "−5", "1,14", "11,49,5", "1,1,149", "1.149,00", "1 149", "1149.005", "12.3.4", "0x10",
        "1149 only", "1/2", "²", "½", "１e5", "9" * 13, "0." + "1" * 40, "1149%", ".", ",", "₹",
        "1,000,00", "000", "049.00", "007", "०x", "9" * 5000,
    ],
)  # fmt: skip
def test_what_is_no_amount_is_refused_with_the_place_and_what_was_read(text: str) -> None:
    with pytest.raises(CellProblem, match=r'^row 2, column "x": (is missing|read ".*", )'):
        cells.amount(cell(text))


@given(st.text())
def test_any_text_is_a_number_or_a_problem(text: str) -> None:
    parsers = (cells.amount, cells.rate, cells.whole_number, cells.digits, cells.phone,
               cells.number_text, dates.order_date, dates.day_first_date)  # fmt: skip
    for parse in parsers:
        problem = problem_of(parse, text)
        assert "\n" not in problem
        assert len(problem) < 400


@given(st.decimals(0, Decimal("999999999.99"), places=2))
def test_an_amount_is_the_same_in_every_usual_notation(rupees: Decimal) -> None:
    indian = _indian(rupees)
    for text in (str(rupees), f"{rupees:,}", f"₹ {rupees:,}", f'="{rupees}"', indian):
        assert cells.amount(cell(text)) == rupees


def _indian(rupees: Decimal) -> str:
    whole, _, paise = str(rupees).partition(".")
    head, tail = whole[:-3], whole[-3:]
    groups = []
    while head:
        groups.insert(0, head[-2:])
        head = head[:-2]
    return ",".join([*groups, tail]) + f".{paise}"


@pytest.mark.parametrize(
    ("text", "number"),
    [("1", 1), ("1.0", 1), ("320.00", 320), ("1,200", 1200), ("३", 3), ("0", 0)],
)
def test_a_whole_number_may_have_a_point_and_noughts(text: str, number: int) -> None:
    assert cells.whole_number(cell(text)) == number


@pytest.mark.parametrize("text", ["1.5", "-1", "", "one", "1000000000", "1e3"])
def test_what_is_no_whole_number_is_refused(text: str) -> None:
    with pytest.raises(CellProblem):
        cells.whole_number(cell(text))


@pytest.mark.parametrize(
    ("text", "rate"), [("5", "5"), ("5%", "5"), ("5 %", "5"), ("0.25", "0.25")]
)
def test_a_rate_may_have_its_sign(text: str, rate: str) -> None:
    assert cells.rate(cell(text)) == Decimal(rate)


@pytest.mark.parametrize(
    "text", ["560034", "'560034", '="560034"', "560 034", "560034.0", "５６００３４", "५६००३४",
             "\u200e560034", "560\u00a0034"],
)  # fmt: skip
def test_digits_that_a_spreadsheet_wrapped_are_read(text: str) -> None:
    assert cells.digits(cell(text)) == "560034"


@pytest.mark.parametrize(
    ("text", "number"),
    [("9845010000.0", "9845010000"), ("'+919845010000", "+919845010000"), ("'A-1", "A-1"),
     ('="171-0000001"', "171-0000001"), ("#1001", "#1001"), ("1001.0", "1001"), ("1E5", "1E5")],
)  # fmt: skip
def test_a_number_that_is_text_keeps_what_it_says(text: str, number: str) -> None:
    assert cells.number_text(cell(text)) == number


@pytest.mark.parametrize(
    "text", ["9.84501E+09", "4.08912E+14", "4,08912E+14", "1E+05", "1e+5", "408912000000000000"]
)
def test_a_number_that_lost_digits_is_refused(text: str) -> None:
    with pytest.raises(CellProblem, match="format the column as text"):
        cells.number_text(cell(text))


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-23", "2026/11/23", "2026-11-23 10:15", "2026-11-23T10:15:00", "'2026-11-23",
        "2026-11-23 10:15:00 +0530", "2026-11-22T20:00:00+00:00", "2026-11-22T20:00:00.000Z",
        "23/11/2026", "23-11-2026", "11/23/2026", "23.11.2026 10:15", "23-Nov-2026",
        "23 November 2026", "Nov 23, 2026", "Nov 23, 2026 23:16:23", "२०२६-११-२३",
    ],
)  # fmt: skip
def test_a_date_with_one_meaning_is_read(text: str) -> None:
    assert dates.order_date(cell(text)) == dt.date(2026, 11, 23)


@pytest.mark.parametrize(
    "text", ["", "someday", "2026-02-30", "31/02/2026", "23-Nov-26", "23/11/26", "46349",
             "2026-11-23T25:00:00+05:30", "0001-01-01T00:00:00+10:00", "2026-11-23 10:15 +9999"],
)  # fmt: skip
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(CellProblem, match=r"is missing|write the date like 2026-11-23"):
        dates.order_date(cell(text))


def test_a_date_with_two_meanings_is_refused_unless_the_format_tells_which() -> None:
    with pytest.raises(CellProblem, match="may be 2026-04-03 or 2026-03-04"):
        dates.order_date(cell("03/04/2026"))
    assert dates.day_first_date(cell("03/04/2026 10:15:00")) == dt.date(2026, 4, 3)
    with pytest.raises(CellProblem):
        dates.day_first_date(cell("11/23/2026"))
    assert dates.order_date(cell("05/05/2026")) == dt.date(2026, 5, 5)


@pytest.mark.parametrize("text", ["'007", '="007"', "\u200b007\u00a0", " 007 ", "'007 "])
def test_an_sku_is_read_without_wrappers_and_with_its_zeros(text: str) -> None:
    assert cells.sku_text(text) == "007"
