"""Indian phone numbers."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from couriers.contract.india import (
    Phone,
    parse_phone,
    phone_problem,
    phone_remarks,
    read_phone,
    single_phone_problem,
)

MOBILE = "9845012345"


@pytest.mark.parametrize(
    "text",
    [
        "9845012345", " 9845012345 ", "98450 12345", "9845-012-345", "98450.12345", "09845012345",
        "+91 98450 12345", "+91-98450-12345", "919845012345", "0091 9845012345", "'9845012345",
        "+91 (0) 98450 12345", "tel:9845012345", "९८४५०१२३४५",
        "\uff19\uff18\uff14\uff15\uff10\uff11\uff12\uff13\uff14\uff15",
        "98450\u00a012345", "98450\u201112345", "\u202a+91 98450 12345\u202c", "\ufeff9845012345",
    ],
)  # fmt: skip
def test_a_mobile_number_is_read_in_any_usual_spelling(text: str) -> None:
    assert parse_phone(text) == MOBILE
    assert phone_problem(text) is single_phone_problem(text) is None
    assert phone_remarks(text) == []


@pytest.mark.parametrize("text", ["(080) 2345 6789", "080-23456789", "+91 80 2345 6789"])
def test_a_landline_number_is_good_and_gets_a_remark(text: str) -> None:
    assert parse_phone(text) == "8023456789"
    assert [remark.code for remark in phone_remarks(text)] == ["phone_landline"]


@pytest.mark.parametrize(
    "text",
    [
        "", "0", "+91", "98450", "98450123456", "98765ABCDE", "1800FLOWERS", "+1 415 555 2671",
        "9845012345 9845012346", "98450\x0012345", "1" * 40, "98765O3210", "9.87654E+09", "NA",
        "0000000000", "9845012345 / call Asha", "9845012345 ext 3 please", "98450/12345",
        "\u202e9845012345",
    ],
)  # fmt: skip
def test_a_text_that_is_not_an_indian_phone_number_is_not_read(text: str) -> None:
    assert parse_phone(text) is None
    assert phone_problem(text) in ("is missing", "is not a ten-digit Indian phone number")


@pytest.mark.parametrize("text", ["1234567890", "1111111111", "5555555555"])
def test_a_number_that_the_numbering_plan_lacks_is_refused(text: str) -> None:
    assert parse_phone(text) is None
    assert phone_problem(text) == "is no number of the Indian numbering plan"


@pytest.mark.parametrize(
    "text", ["1800 123 4567", "1800123456", "1860 123 4567", "1401234567", "1600 123 456"]
)
def test_a_service_number_is_no_consignees(text: str) -> None:
    assert parse_phone(text) is None
    assert "reaches no consignee" in (phone_problem(text) or "")


@pytest.mark.parametrize("text", ["9999999999", "8888888888", "9876543210"])
def test_a_number_that_looks_invented_gets_a_remark(text: str) -> None:
    assert parse_phone(text) == text
    assert [remark.code for remark in phone_remarks(text)] == ["phone_invented"]


@pytest.mark.parametrize(
    ("text", "phone", "code"),
    [
        ("9845012345 ext 123", Phone(MOBILE, has_extension=True), "phone_extension"),
        ("9845012345x12", Phone(MOBILE, has_extension=True), "phone_extension"),
        ("9845012345;ext=5", Phone(MOBILE, has_extension=True), "phone_extension"),
        ("9845012345 / 9845012346", Phone(MOBILE, has_others=True), "phone_several"),
        ("9845012345, 080-23456789", Phone(MOBILE, has_others=True), "phone_several"),
        ("9845012345,12345", Phone(MOBILE, has_others=True), "phone_several"),
        ("9845012345/46", Phone(MOBILE, has_others=True), "phone_several"),
    ],
)
def test_of_two_numbers_the_first_is_taken_and_an_extension_is_left_with_a_remark(
    text: str, phone: Phone, code: str
) -> None:
    assert read_phone(text) == phone
    assert [remark.code for remark in phone_remarks(text)] == [code]
    assert "give one number" in (single_phone_problem(text) or "")


def test_a_remark_does_not_show_the_number() -> None:
    for text in ("9999999999", "080-23456789", "9845012345 ext 1234", "9845012345/9845012346"):
        for remark in phone_remarks(text):
            assert not any(character.isdigit() for character in remark.message)


@settings(deadline=None)  # the first example loads the data
@given(st.text(max_size=70) | st.from_regex(r"[0-9+ ()/,x-]{0,30}", fullmatch=True))
def test_a_phone_is_ten_digits_without_a_problem_or_none_with_one(text: str) -> None:
    phone = parse_phone(text)
    assert (phone is None) == (phone_problem(text) is not None)
    assert phone is None or (phone.isascii() and phone.isdigit() and len(phone) == 10)
    assert phone is None or parse_phone(phone) == phone
