"""Ekart's words for people, without what must not be stored or shown."""

from __future__ import annotations

from typing import Any

import pytest

from couriers_ekart.mapper.messages import MAX_LENGTH, clean_message, message_in


def test_words_are_cut_and_can_be_stored() -> None:
    assert clean_message("x" * 600) == "x" * MAX_LENGTH
    assert clean_message("a\x00b \ud800") == "ab ?"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"description": "d", "remark": "r", "message": "m"}, "d"),
        ({"description": "", "remark": "r", "message": "m"}, "r"),
        ({"description": None, "remark": 5, "message": "call us"}, "call us"),
        ({"status": False}, ""),
        (["description"], ""),
        ("description", ""),
        (None, ""),
    ],
)
def test_the_first_words_that_an_answer_has_are_taken(body: Any, words: str) -> None:
    assert message_in(body) == words
