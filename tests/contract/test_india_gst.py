"""GSTINs, HSN codes and GST rates."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from couriers.contract.india import (
    RATES,
    GstinKind,
    gst_rate_problem,
    gst_rate_remark,
    gstin_kind,
    gstin_problem,
    hsn_problem,
    hsn_remark,
    seller_gstin_problem,
)

BEFORE_REFORM = dt.date(2025, 9, 21)
NOW = dt.date(2026, 11, 20)
KURTA, BRICK, PAN_MASALA = "62114290", "69010010", "21069020"


@pytest.mark.parametrize(
    ("gstin", "kind"),
    [
        ("29AAGCR4375J1ZU", GstinKind.REGULAR), ("27AAPFU0939F1ZV", GstinKind.REGULAR),
        ("38AAGCR4375J1ZV", GstinKind.REGULAR),  # Ladakh
        ("97AAGCR4375J1ZR", GstinKind.REGULAR),  # other territory
        ("29BLRA12345F1Z8", GstinKind.GOVERNMENT), ("29BLRA12345F1DH", GstinKind.TDS),
        ("29ABCCE1234F1C9", GstinKind.TCS), ("0726UNO99999UNA", GstinKind.UIN),
        ("2926USA99999NR7", GstinKind.NON_RESIDENT), ("9926USA99999OSX", GstinKind.OIDAR),
    ],
)  # fmt: skip
def test_a_gstin_of_any_kind_that_india_issues_is_known(gstin: str, kind: GstinKind) -> None:
    assert gstin_problem(gstin) is None
    assert gstin_kind(gstin) is kind
    sells = kind in (GstinKind.REGULAR, GstinKind.NON_RESIDENT)
    assert (seller_gstin_problem(gstin) is None) == sells


@pytest.mark.parametrize(
    ("gstin", "words"),
    [
        ("", "is missing"),
        ("29", "must be 15 characters"),
        ("29AAGCR4375J1Z", "must be 15 characters"),
        ("29AAGCR4375J1ZU ", "must be 15 characters"),
        ("29aagcr4375j1zu", "must be 15 characters"),
        ("29AAGCR4375J0ZU", "must be 15 characters"),
        ("40AAGCR4375J1ZA", "has an unknown state code 40"),
        ("29AAGXR4375J1ZU", "does not contain a valid PAN"),
        ("29AAGCR0000J1ZU", "does not contain a valid PAN"),
        ("29AAGCR4375J1ZX", "has a wrong check digit"),
        ("27AAGCR4375J1ZU", "has a wrong check digit"),
        ("0726UNO99999UNB", "has a wrong check digit"),
    ],
)
def test_the_problem_of_an_invalid_gstin_is_named(gstin: str, words: str) -> None:
    assert (gstin_problem(gstin) or "").startswith(words)
    assert (seller_gstin_problem(gstin) or "").startswith(words)


@given(st.integers(0, 13), st.sampled_from("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
def test_another_character_in_a_gstin_is_found(place: int, character: str) -> None:
    good = "29AAGCR4375J1ZU"
    changed = good[:place] + character + good[place + 1 :]
    assert (gstin_problem(changed) is None) == (changed == good)


@pytest.mark.parametrize("code", ["", "6109", "610910", "61091000", "0902", "98049000"])
def test_an_hsn_code_has_4_6_or_8_digits(code: str) -> None:
    assert hsn_problem(code) is hsn_remark(code) is None


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("61", "must have 4, 6 or 8 digits"), ("6109100O", "must have 4, 6 or 8 digits"),
        ("6109.10.00", "must have 4, 6 or 8 digits"), ("6109100000", "must have 4, 6 or 8 digits"),
        ("902", "was it 0902 before"), ("9024020", "was it 09024020 before"),
        ("00011", "must have 4, 6 or 8 digits"), ("0001", "is in chapter 00"),
        ("7701", "is in chapter 77"), ("६१०९", "must have 4, 6 or 8 digits"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_an_hsn_code_is_named(code: str, words: str) -> None:
    assert words in (hsn_problem(code) or "")
    assert hsn_remark(code) is None


def test_the_code_of_a_service_gets_a_remark() -> None:
    assert hsn_problem("996812") is None
    remark = hsn_remark("996812")
    assert remark is not None
    assert remark.code == "hsn_is_a_service"


@pytest.mark.parametrize(
    ("rate", "day"),
    [
        *((rate, NOW) for rate in ("0", "0.1", "0.25", "3", "5.00", "18", "40")),
        *((rate, BEFORE_REFORM) for rate in ("0", "0.1", "0.25", "3", "5", "12", "18", "28")),
        ("28", dt.date(2017, 7, 1)), ("0.1", dt.date(2017, 10, 23)),
    ],
)  # fmt: skip
def test_a_rate_of_its_date_is_good(rate: str, day: dt.date) -> None:
    assert gst_rate_problem(Decimal(rate), day) is None
    assert gst_rate_remark(Decimal(rate), day, KURTA) is None
    assert gst_rate_remark(Decimal(rate), day, "") is None


@pytest.mark.parametrize(
    ("rate", "day", "words"),
    [
        ("13", NOW, "is not a GST rate on 2026-11-20 (the rates are 0, 0.1, 0.25,"),
        ("0.18", NOW, "was 18 meant?"), ("0.05", NOW, "was 5 meant?"),
        ("0.28", NOW, "was 28 meant?"),
        ("9", NOW, "it is half of 18"), ("20", NOW, "it is half of 40"),
        ("1.8", NOW, "is not a GST rate"), ("100", NOW, "is not a GST rate"),
        ("-5", NOW, "is not a GST rate"), ("NaN", NOW, "is not a GST rate"),
        ("sNaN", NOW, "is not a GST rate"), ("1E+400", NOW, "is not a GST rate"),
        ("5.0000000000000000000000000000000001", NOW, "is not a GST rate"),
        ("40", BEFORE_REFORM, "is not a GST rate on 2025-09-21"),
        ("1.5", dt.date(2022, 7, 17), "is not a GST rate"),
        ("6", dt.date(2022, 3, 31), "is not a GST rate"),
        ("0.1", dt.date(2017, 10, 22), "is not a GST rate"),
        ("5", dt.date(2017, 6, 30), "is not a GST rate"),
    ],
)  # fmt: skip
def test_a_rate_that_gst_does_not_have_by_its_date_is_refused_by_name(
    rate: str, day: dt.date, words: str
) -> None:
    assert words in (gst_rate_problem(Decimal(rate), day) or "")


@pytest.mark.parametrize(
    ("rate", "day", "hsn", "code"),
    [
        ("12", NOW, KURTA, "gst_rate_withdrawn"), ("28", NOW, KURTA, "gst_rate_withdrawn"),
        ("28", NOW, PAN_MASALA, "gst_rate_withdrawn"), ("12", NOW, "", "gst_rate_withdrawn"),
        ("6", NOW, KURTA, "gst_rate_of_other_goods"), ("1.5", NOW, "", "gst_rate_of_other_goods"),
        ("12", NOW, BRICK, None), ("12", NOW, "6901", None), ("6", NOW, "68159990", None),
        ("28", dt.date(2026, 1, 31), PAN_MASALA, None), ("1.5", NOW, "710239", None),
        ("28", dt.date(2026, 1, 31), KURTA, "gst_rate_withdrawn"),
    ],
)  # fmt: skip
def test_a_rate_that_was_withdrawn_or_is_of_other_goods_gets_a_remark(
    rate: str, day: dt.date, hsn: str, code: str | None
) -> None:
    assert gst_rate_problem(Decimal(rate), day) is None
    remark = gst_rate_remark(Decimal(rate), day, hsn)
    assert (remark and remark.code) == code


@given(
    st.sampled_from([period.percent for period in RATES]) | st.decimals(allow_nan=True),
    st.dates(dt.date(2016, 1, 1), dt.date(2030, 1, 1)),
    st.sampled_from([KURTA, BRICK, PAN_MASALA, ""]),
)
def test_a_rate_in_force_for_all_goods_has_neither_problem_nor_remark(
    rate: Decimal, day: dt.date, hsn: str
) -> None:
    problem = gst_rate_problem(rate, day)
    in_force = rate.is_finite() and any(
        period.percent == rate and period.holds_on(day) and not period.goods for period in RATES
    )
    if problem is None:
        remark = gst_rate_remark(rate, day, hsn)
        assert not (in_force and remark)
        assert in_force or remark or hsn
    else:
        assert not in_force
