"""The checks of the characters in a text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from couriers.contract.text import (
    character_problem,
    clean_line,
    has_control_characters,
    latin_problem,
    make_storable,
    without_characters,
)

# Names and words whose spelling has joiners: of six scripts of India, and emoji.
SPELLED = [
    "ರಾಜ್\u200cಕುಮಾರ್", "कऱ्\u200dहाड", "അവന്\u200d", "র\u200d্যাম", "రామ్\u200cకుమార్",
    "می\u200cکنی", "👩\u200d💻", "👩🏽\u200d💻 Asha", "🏳\ufe0f\u200d🌈", "❤\ufe0f\u200d🔥",
]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "a\x00b", "a\tb", "a\nb", "a\x7fb", "a\x85b", "a\u200bb", "a\u202eb", "\ufeffa", "\ud800",
        "a\u200db", "\u200dक", "क\u200d\u200d", "क\u202e\u200d", "1\u200c2", "👩\u200da",
    ],
)  # fmt: skip
def test_characters_that_hide_or_reorder_text_are_found(text: str) -> None:
    assert has_control_characters(text)


@pytest.mark.parametrize("text", ["", "Asha Sample", "आशा", "Zoë, 9/2 «Lane»", "👩🏽", *SPELLED])
def test_ordinary_text_of_any_script_has_no_control_characters(text: str) -> None:
    assert not has_control_characters(text)


@pytest.mark.parametrize(
    ("text", "stored"),
    [("a\x00b", "ab"), ("आ\x00शा", "आशा"), ("bad \ud800", "bad ?"), ("a\tb", "a\tb"), ("é", "é")],
)
def test_only_characters_that_postgresql_cannot_store_are_removed_or_replaced(
    text: str, stored: str
) -> None:
    assert make_storable(text) == stored


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (" Asha ", "Asha"),
        ("1, Example Street\nNear Temple", "1, Example Street Near Temple"),
        ("1, Example Street \r\n\r\n Near Temple\n", "1, Example Street Near Temple"),
        ("Kurta\tblue\u2028M", "Kurta blue M"),
        ("5 Example Street \u200e", "5 Example Street"),
        ("\ufeff\u202a Asha\u202c\u200b", "Asha"),
        ("Asha\u00a0Sample\u00a0", "Asha Sample"),
        ("Asha\u200d\u200c \u200e", "Asha"),
        ("\u200dअ", "अ"),
        *((text, text) for text in SPELLED),
    ],
)
def test_a_text_becomes_one_line_without_marks_at_its_ends(text: str, line: str) -> None:
    assert clean_line(text) == line
    assert character_problem(line) is None


def test_a_character_that_is_refused_is_named() -> None:
    assert character_problem("Asha\u202eelpmaS") == (
        "contains U+202E (right-to-left override), which cannot be seen: remove it"
    )
    assert "U+0007 (a control character)" in (character_problem("a\x07b") or "")


def test_an_override_of_the_direction_is_never_dropped() -> None:
    for text in ("\u202eAsha", "Asha\u202e", "Asha \u202d ", "\u200e\u202e\u200eAsha"):
        assert has_control_characters(clean_line(text))


@given(st.text(max_size=60))
def test_a_clean_line_stays_as_it_is_and_has_no_break_and_no_blank_at_its_ends(text: str) -> None:
    line = clean_line(text)
    assert clean_line(line) == line
    assert line == line.strip()
    assert not set(line) & set("\t\n\v\f\r\x85\u2028\u2029\u00a0")


@pytest.mark.parametrize(
    "text", ["", "Asha O\u2019Neil \u2013 2nd floor", "₹5, 20°", "Zoë Łuczak", "9½ \u00a0 «x»"]
)
def test_latin_letters_and_the_signs_beside_them_are_latin(text: str) -> None:
    assert latin_problem(text) is None


@pytest.mark.parametrize("text", ["आशा", "Asha 🎉", "\u0410sha", "ⓐ", "\uff41sha"])
def test_emoji_and_other_scripts_are_not_latin(text: str) -> None:
    assert latin_problem(text)


def test_characters_that_a_courier_does_not_take_become_one_blank() -> None:
    assert without_characters(" 10; & #5,  Lane;", "&#;") == "10 5, Lane"
    assert without_characters("plain text", "&#;") == "plain text"
