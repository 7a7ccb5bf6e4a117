"""A courier's words for people, without what must not be stored or shown."""

from __future__ import annotations

from typing import Any

import pytest

from couriers.contract.words import (
    MAX_LENGTH,
    clean_message,
    meaning_of,
    says,
    words_by_field,
    words_in,
)

FIELDS = ("description", "remark", "message")


def test_words_are_cut_and_can_be_stored() -> None:
    assert clean_message("x" * 600) == "x" * MAX_LENGTH
    assert clean_message("a\x00b \ud800") == "ab ?"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"description": "d", "remark": "r", "message": "m"}, "d"),
        ({"description": "", "remark": "r", "message": "m"}, "r"),
        ({"description": None, "remark": 5, "message": "call us"}, "call us"),
        ({"description": [], "remark": ["no city", None, "no pin"]}, "no city; no pin"),
        ({"description": [""], "message": "m"}, "m"),
        ({"status": False}, ""),
        (["description"], ""),
        ("description", ""),
        (None, ""),
    ],
)
def test_the_first_words_that_an_answer_has_are_taken(body: Any, words: str) -> None:
    assert words_in(body, FIELDS) == words


def test_an_answer_that_is_a_text_is_words_where_the_courier_answers_so() -> None:
    assert words_in("Bad Request!", ("message", "")) == "Bad Request!"
    assert words_in({"message": "m"}, ("message", "")) == "m"


def test_words_say_a_part_in_any_case() -> None:
    assert says("Already CANCELLED by you", "already cancel", "gone")
    assert not says("Already cancelled", "gone")
    assert not says("Already cancelled")


def test_the_first_part_of_a_table_that_the_words_contain_has_their_meaning() -> None:
    remedies = {"wallet": "recharge", "low": "wait"}
    assert meaning_of("The Wallet is too low", remedies, "") == "recharge"
    assert meaning_of("too low", remedies, "") == "wait"
    assert meaning_of("no", remedies, "ask") == "ask"


def test_words_may_stand_under_the_fields_that_are_wrong() -> None:
    assert words_by_field({"pin": "is wrong", "day": ["past"]}) == "pin: is wrong; day: ['past']"
    for other in ("refused", ["refused"], None):
        assert words_by_field(other) == ""
