"""The names of the states of India."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from couriers.contract.india import GST_STATES, state_name, state_problem, state_remark

DNHDD = "Dadra and Nagar Haveli and Daman and Diu"


@pytest.mark.parametrize("name", sorted(set(GST_STATES.values()) - {"Daman and Diu"}))
def test_the_official_name_of_a_state_is_itself_however_it_is_written(name: str) -> None:
    joined = name.replace(" ", "").replace("and", "&")
    for text in (f" {name.upper()} ", name.lower(), joined, name.replace(" ", "-"), f"The {name}"):
        assert state_name(text) == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("KA", "Karnataka"), ("ka", "Karnataka"), ("Orissa", "Odisha"), ("OD", "Odisha"),
        ("Pondicherry", "Puducherry"), ("Uttaranchal", "Uttarakhand"), ("New Delhi", "Delhi"),
        ("NCT of Delhi", "Delhi"), ("N.C.T. Delhi", "Delhi"), ("Tamil-Nadu", "Tamil Nadu"),
        ("TS", "Telangana"), ("TG", "Telangana"), ("UT", "Uttarakhand"), ("UA", "Uttarakhand"),
        ("Jammu & Kashmir", "Jammu and Kashmir"), ("J&K", "Jammu and Kashmir"),
        ("Jammu Kashmir", "Jammu and Kashmir"), ("JAMMUANDKASHMIR", "Jammu and Kashmir"),
        ("Andaman & Nicobar", "Andaman and Nicobar Islands"),
        ("Andaman Nicobar Islands", "Andaman and Nicobar Islands"),
        ("A&N", "Andaman and Nicobar Islands"), ("Lakshadeep", "Lakshadweep"),
        ("Daman and Diu", DNHDD), ("Daman", DNHDD), ("DNH", DNHDD), ("DD", DNHDD), ("DH", DNHDD),
        ("Dadra Nagar Haveli", DNHDD), ("The Dadra and Nagar Haveli and Daman and Diu", DNHDD),
        ("Chhatisgarh", "Chhattisgarh"), ("U.P.", "Uttar Pradesh"), ("M. P.", "Madhya Pradesh"),
        ("State of Kerala", "Kerala"), ("Kerala State", "Kerala"), ("Mysore State", "Karnataka"),
        ("Chandigarh UT", "Chandigarh"), ("UT of Ladakh", "Ladakh"), ("Leh", "Ladakh"),
        ("IN-TN", "Tamil Nadu"), ("Tamil Nadu (TN)", "Tamil Nadu"), ("KA - Karnataka", "Karnataka"),
        ("29-Karnataka", "Karnataka"), ("Punjab/Mohali/Zirakpur", "Punjab"),
        ("Pondicherry (Puducherry)", "Puducherry"), ("Rajasthān", "Rajasthan"),
    ],
)  # fmt: skip
def test_a_state_is_known_by_its_codes_its_former_names_and_usual_misspellings(
    text: str, name: str
) -> None:
    assert state_name(text) == name
    assert state_problem(text) is None
    assert state_remark(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "", "  ", "K", "29", "Atlantis", "Bengaluru", "कर्नाटक", "Kerala (TN)", "29-Kerala",
        "Karnataka, India", "Kerala/Goa", "-", "()", "IN", "State", "The", "Mysore",
    ],
)  # fmt: skip
def test_a_text_that_is_not_one_state_gives_none(text: str) -> None:
    assert state_name(text) is None
    assert state_problem(text) == ("is not a state of India" if text.strip() else "is missing")


def test_the_region_of_delhi_is_taken_for_delhi_with_a_remark() -> None:
    assert state_name("Delhi NCR") == state_name("delhi-ncr") == "Delhi"
    remark = state_remark("Delhi NCR")
    assert remark is not None
    assert remark.code == "state_is_a_region"


@given(st.text(max_size=40))
def test_a_name_is_official_or_none(text: str) -> None:
    name = state_name(text)
    assert name is None or (name in GST_STATES.values() and state_name(name) == name)
