"""A courier's words for people, without what must not be stored or shown."""

from __future__ import annotations

from typing import Any

import pytest

from couriers.contract.words import MAX_LENGTH, clean_message, words_in

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
