"""Indian phones, pincodes, states, GSTINs and days."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from couriers.contract import india
from couriers.contract.india import (
    GST_STATES,
    IST,
    Place,
    day_span,
    gstin_problem,
    is_pincode,
    parse_phone,
    place_of,
    state_name,
    today,
)


@pytest.mark.parametrize(
    "text",
    [
        "9845012345", " 9845012345 ", "98450 12345", "9845-012-345", "98450.12345", "09845012345",
        "+91 98450 12345", "+91-98450-12345", "919845012345", "0091 9845012345",
    ],
)  # fmt: skip
def test_a_mobile_number_is_read_in_any_usual_spelling(text: str) -> None:
    assert parse_phone(text) == "9845012345"


@pytest.mark.parametrize("text", ["(080) 2345 6789", "080-23456789", "+91 80 2345 6789"])
def test_a_landline_number_is_read_with_its_area_code(text: str) -> None:
    assert parse_phone(text) == "8023456789"


@pytest.mark.parametrize(
    "text",
    [
        "", "0", "+91", "98450", "98450123456", "0000000000", "98765ABCDE", "1800FLOWERS",
        "+1 415 555 2671", "९८४५०१२३४५", "9845012345 ext. 3", "9845012345;ext=5",
        "tel:9845012345", "9845012345 9845012346", "98450\x0012345", "1" * 40,
    ],
)  # fmt: skip
def test_a_text_that_is_not_an_indian_phone_number_is_not_read(text: str) -> None:
    assert parse_phone(text) is None


@given(st.text(max_size=40))
def test_a_phone_is_ten_digits_or_none(text: str) -> None:
    phone = parse_phone(text)
    assert phone is None or (phone.isascii() and phone.isdigit() and len(phone) == 10)


@pytest.mark.parametrize("text", ["560001", "110001", "400062", "999999"])
def test_six_digits_are_a_pincode(text: str) -> None:
    assert is_pincode(text)


@pytest.mark.parametrize(
    "text", ["", "56000", "5600011", "012345", "56 0001", "560001\n", "५६०००१", "56000A"]
)
def test_what_is_not_six_ascii_digits_is_no_pincode(text: str) -> None:
    assert not is_pincode(text)
    assert place_of(text) is None


@pytest.mark.parametrize(
    ("pincode", "place"),
    [
        ("560001", Place("Bengaluru Urban", "Karnataka")),
        ("110001", Place("New Delhi", "Delhi")),
        ("400001", Place("Mumbai", "Maharashtra")),
        ("194101", Place("Leh Ladakh", "Ladakh")),
    ],
)
def test_a_pincode_has_a_district_and_a_state(pincode: str, place: Place) -> None:
    assert place_of(pincode) == place


def test_a_pincode_that_the_directory_lacks_has_no_place() -> None:
    assert place_of("400062") is None


@pytest.mark.parametrize("name", sorted(set(GST_STATES.values()) - {"Daman and Diu"}))
def test_the_official_name_of_a_state_is_itself_in_any_case(name: str) -> None:
    assert state_name(name) == state_name(f" {name.upper()} ") == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("KA", "Karnataka"), ("ka", "Karnataka"), ("Orissa", "Odisha"), ("OD", "Odisha"),
        ("Pondicherry", "Puducherry"), ("Uttaranchal", "Uttarakhand"), ("New Delhi", "Delhi"),
        ("NCT of Delhi", "Delhi"), ("Tamil-Nadu", "Tamil Nadu"), ("TS", "Telangana"),
        ("Jammu & Kashmir", "Jammu and Kashmir"),
        ("Andaman & Nicobar", "Andaman and Nicobar Islands"),
        ("Daman and Diu", "Dadra and Nagar Haveli and Daman and Diu"),
        ("Dadra & Nagar Haveli", "Dadra and Nagar Haveli and Daman and Diu"),
    ],
)  # fmt: skip
def test_a_state_is_known_by_its_code_and_its_former_names(text: str, name: str) -> None:
    assert state_name(text) == name


@pytest.mark.parametrize("text", ["", "  ", "K", "29", "Atlantis", "Bengaluru", "कर्नाटक"])
def test_a_text_that_is_not_a_state_gives_none(text: str) -> None:
    assert state_name(text) is None


@pytest.mark.parametrize(
    "gstin",
    [
        "29AAGCR4375J1ZU", "27AAPFU0939F1ZV",
        "38AAGCR4375J1ZV",  # Ladakh
        "97AAGCR4375J1ZR",  # other territory
    ],
)  # fmt: skip
def test_a_valid_gstin_has_no_problem(gstin: str) -> None:
    assert gstin_problem(gstin) is None


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
    ],
)
def test_the_problem_of_an_invalid_gstin_is_named(gstin: str, words: str) -> None:
    assert (gstin_problem(gstin) or "").startswith(words)


def test_the_day_in_india_begins_at_half_past_six_in_the_evening_utc() -> None:
    with time_machine.travel(dt.datetime(2026, 11, 22, 18, 29, 59, tzinfo=dt.UTC), tick=False):
        assert today() == dt.date(2026, 11, 22)
    with time_machine.travel(dt.datetime(2026, 11, 22, 18, 30, tzinfo=dt.UTC), tick=False):
        assert today() == dt.date(2026, 11, 23)


def test_a_day_in_india_is_a_span_of_24_hours_that_ends_where_the_next_begins() -> None:
    start, end = day_span(dt.date(2026, 11, 23))
    assert start == dt.datetime(2026, 11, 22, 18, 30, tzinfo=dt.UTC)
    assert end == day_span(dt.date(2026, 11, 24))[0]


def test_the_last_day_of_the_calendar_ends_with_its_last_microsecond() -> None:
    start, end = day_span(dt.date.max)
    assert start == dt.datetime.combine(dt.date.max, dt.time(), IST)
    assert end == dt.datetime.combine(dt.date.max, dt.time.max, IST)


@pytest.mark.parametrize(
    ("problem_of", "text", "problem"),
    [
        (india.phone_problem, " ", "is missing"),
        (india.phone_problem, "98765", "is not a ten-digit Indian phone number"),
        (india.phone_problem, "+91 98765 43210", None),
        (india.pincode_problem, "", "is missing"),
        (india.pincode_problem, "056000", "is not a six-digit pincode"),
        (india.pincode_problem, "560008", None),
        (india.state_problem, "", "is missing"),
        (india.state_problem, "Texas", "is not a state of India"),
        (india.state_problem, "ka", None),
    ],
)
def test_the_problem_of_a_phone_pincode_or_state_is_named(
    problem_of: Callable[[str], str | None], text: str, problem: str | None
) -> None:
    assert problem_of(text) == problem
