"""Pincodes, and the cities and states that they lie in."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from couriers.contract.india import (
    GST_STATES,
    PincodeKind,
    Place,
    clean_pincode,
    is_pincode,
    pincode_kind,
    pincode_problem,
    place_of,
    place_remark,
    state_contradiction,
    states_of,
)


@pytest.mark.parametrize("text", ["560001", "110001", "400062", "999999"])
def test_six_digits_are_a_pincode(text: str) -> None:
    assert is_pincode(text)
    assert pincode_problem(text) is None


@pytest.mark.parametrize(
    "text", ["", "56000", "5600011", "012345", "56 0001", "560001\n", "५६०००१", "56000A"]
)
def test_what_is_not_six_ascii_digits_is_no_pincode(text: str) -> None:
    assert not is_pincode(text)
    assert place_of(text) is None
    assert states_of(text) == ()
    assert pincode_problem(text)


@pytest.mark.parametrize(
    "text",
    [
        "560001",
        " 560001 ",
        "560 001",
        "560\u00a0001",
        "\u200e560001",
        "५६०००१",
        "\ufeff560001\u200b",
    ],
)
def test_blanks_and_invisible_marks_in_a_pincode_are_dropped(text: str) -> None:
    assert clean_pincode(text) == "560001"


@pytest.mark.parametrize(
    ("pincode", "place"),
    [
        ("560001", Place("Bengaluru Urban", "Karnataka")),
        ("110001", Place("New Delhi", "Delhi")),
        ("400001", Place("Mumbai", "Maharashtra")),
        ("194101", Place("Leh Ladakh", "Ladakh")),
        ("673310", Place("Mahe", "Puducherry")),
        ("305402", Place("Ajmer", "Rajasthan")),  # a stray row names Telangana
    ],
)
def test_a_pincode_has_a_district_and_a_state(pincode: str, place: Place) -> None:
    assert place_of(pincode) == place


def test_a_pincode_that_the_directory_lacks_has_no_place_but_the_state_of_its_prefix() -> None:
    assert place_of("400062") is None
    assert states_of("400062") == ("Maharashtra",)


def test_the_prefix_is_right_where_a_row_of_the_directory_names_another_state() -> None:
    assert states_of("334002") == ("Rajasthan",)
    assert place_of("334002") is None  # the row's district is in the other state
    remark = place_remark("334002", "Chhattisgarh")
    assert remark is not None
    assert remark.code == "state_differs"


@pytest.mark.parametrize(
    ("pincode", "cities"),
    [
        ("533464", {"Andhra Pradesh": "East Godavari", "Puducherry": "Yanam"}),
        ("607402", {"Puducherry": "Pondicherry", "Tamil Nadu": "Cuddalore"}),
    ],
)
def test_a_pincode_in_two_states_has_a_place_once_the_state_is_chosen(
    pincode: str, cities: dict[str, str]
) -> None:
    assert states_of(pincode) == tuple(sorted(cities))
    assert place_of(pincode) is None
    for state, city in cities.items():
        assert place_of(pincode, state) == Place(city, state)
        assert state_contradiction(pincode, state) is place_remark(pincode, state) is None


@pytest.mark.parametrize(
    ("pincode", "state"),
    [
        ("500001", "Andhra Pradesh"), ("515001", "Telangana"), ("194101", "Jammu and Kashmir"),
        ("190001", "Ladakh"), ("605001", "Tamil Nadu"), ("605602", "Puducherry"),
        ("673310", "Kerala"), ("533001", "Puducherry"), ("110025", "Uttar Pradesh"),
    ],
)  # fmt: skip
def test_states_that_people_mix_up_get_a_remark(pincode: str, state: str) -> None:
    assert state_contradiction(pincode, state) is None
    remark = place_remark(pincode, state)
    assert remark is not None
    assert remark.code == "state_differs"
    assert pincode not in remark.message


@pytest.mark.parametrize(
    ("pincode", "state"),
    [
        ("560034", "Kerala"), ("600001", "Puducherry"), ("248001", "Uttar Pradesh"),
        ("834001", "Bihar"), ("492001", "Madhya Pradesh"), ("122001", "Delhi"),
        ("400062", "Gujarat"), ("533464", "Tamil Nadu"),
    ],
)  # fmt: skip
def test_another_state_contradicts_the_pincode(pincode: str, state: str) -> None:
    problem = state_contradiction(pincode, state)
    assert problem is not None
    assert problem.startswith(f"is {state}, but the pincode lies in ")
    assert place_remark(pincode, state) is None


@pytest.mark.parametrize(
    ("pincode", "kind"),
    [
        ("560001", PincodeKind.LISTED), ("201319", PincodeKind.LISTED),
        ("400062", PincodeKind.UNLISTED), ("150001", PincodeKind.UNASSIGNED),
        ("900056", PincodeKind.ARMY), ("999999", PincodeKind.ARMY),
    ],
)  # fmt: skip
def test_the_kind_of_a_pincode_says_who_knows_it(pincode: str, kind: PincodeKind) -> None:
    assert pincode_kind(pincode) is kind


def test_an_army_post_office_lies_in_no_state() -> None:
    assert states_of("900056") == ()
    assert state_contradiction("900056", "Kerala") is None


@settings(deadline=None)  # the first example loads the data
@given(st.integers(100_000, 999_999).map(str), st.sampled_from(sorted(GST_STATES.values())))
def test_a_state_is_right_or_doubtful_or_wrong(pincode: str, state: str) -> None:
    states = states_of(pincode)
    judged = [state_contradiction(pincode, state), place_remark(pincode, state)]
    assert sum(found is not None for found in judged) == (bool(states) and state not in states)


@settings(deadline=None)  # the first example loads the data
@given(st.integers(100_000, 999_999).map(str))
def test_a_place_is_one_of_the_states_of_its_pincode(pincode: str) -> None:
    for state in ("", *states_of(pincode)):
        place = place_of(pincode, state)
        assert place is None or (place.city and place.state in states_of(pincode))
        assert place is None or not state or place.state == state
