"""The checks of the characters in a text."""

from __future__ import annotations

import pytest

from couriers.contract.text import has_control_characters, make_storable


@pytest.mark.parametrize(
    "text",
    ["a\x00b", "a\tb", "a\nb", "a\x7fb", "a\x85b", "a\u200bb", "a\u202eb", "\ufeffa", "\ud800"],
)
def test_characters_that_hide_or_reorder_text_are_found(text: str) -> None:
    assert has_control_characters(text)


@pytest.mark.parametrize("text", ["", "Asha Sample", "आशा", "Zoë, 9/2 «Lane»", "👩🏽"])
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
