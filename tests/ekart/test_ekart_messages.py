"""Ekart's words for people, without what must not be stored or shown."""

from __future__ import annotations

from typing import Any

import pytest

from couriers_ekart.mapper.messages import MAX_LENGTH, clean_message, message_in


@pytest.mark.parametrize("number", ["9876543210", "+91 98765 43210", "98765-43210", "919876543210"])
def test_a_phone_number_is_left_out(number: str) -> None:
    assert clean_message(f"phone {number} is wrong") == "phone … is wrong"


@pytest.mark.parametrize("words", ["pincode 560001 is not served", "weight 30001 g", "", "₹ 1523"])
def test_short_numbers_and_other_words_stay(words: str) -> None:
    assert clean_message(words) == words


def test_words_are_cut_and_can_be_stored() -> None:
    assert clean_message("x" * 600) == "x" * MAX_LENGTH
    assert clean_message("a\x00b \ud800") == "ab ?"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"description": "d", "remark": "r", "message": "m"}, "d"),
        ({"description": "", "remark": "r", "message": "m"}, "r"),
        ({"description": None, "remark": 5, "message": "call 9876543210"}, "call …"),
        ({"status": False}, ""),
        (["description"], ""),
        ("description", ""),
        (None, ""),
    ],
)
def test_the_first_words_that_an_answer_has_are_taken(body: Any, words: str) -> None:
    assert message_in(body) == words
