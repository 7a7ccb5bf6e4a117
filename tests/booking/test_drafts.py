"""Texts, keys and amounts of a merchant's request."""

from __future__ import annotations

from decimal import Decimal

import pytest

from couriers.booking.drafts import clean_key
from couriers.contract.errors import InvalidRequest
from couriers.contract.money import is_in_paise
from couriers.contract.text import has_control_characters, storable


@pytest.mark.parametrize(
    "text",
    ["a\x00b", "a\tb", "a\nb", "a\x7fb", "a\x85b", "a\u200bb", "a\u202eb", "\ufeffa", "\ud800"],
)
def test_characters_that_hide_or_turn_text_are_found(text: str) -> None:
    assert has_control_characters(text)


@pytest.mark.parametrize("text", ["", "Asha Sample", "आशा", "Zoë, 9/2 «Lane»", "👩🏽"])
def test_ordinary_text_of_any_script_has_no_control_characters(text: str) -> None:
    assert not has_control_characters(text)


@pytest.mark.parametrize(
    ("text", "stored"),
    [("a\x00b", "ab"), ("आ\x00शा", "आशा"), ("bad \ud800", "bad ?"), ("a\tb", "a\tb"), ("é", "é")],
)
def test_only_what_postgresql_cannot_store_is_taken_out(text: str, stored: str) -> None:
    assert storable(text) == stored


@pytest.mark.parametrize("amount", ["0", "5", "1523.00", "0.01", "-2.5", "1E+2", "12.500"])
def test_an_amount_with_two_decimals_can_be_paid(amount: str) -> None:
    assert is_in_paise(Decimal(amount))


@pytest.mark.parametrize("amount", ["0.001", "1523.005", "-0.009", "1E-3"])
def test_a_part_of_a_paisa_cannot_be_paid(amount: str) -> None:
    assert not is_in_paise(Decimal(amount))


@pytest.mark.parametrize("key", ["k", "order 7/1", "é" * 255])
def test_a_key_is_stored_as_it_is(key: str) -> None:
    assert clean_key(key) == key


@pytest.mark.parametrize("key", ["", "k" * 256, "a\nb", "a\x00", "a\u202eb"])
def test_a_key_that_is_too_long_or_cannot_be_seen_is_refused(key: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        clean_key(key)
    assert [problem.field for problem in caught.value.problems] == ["Idempotency-Key"]
