"""Masking personal data in a courier's free text."""

from __future__ import annotations

import time

import pytest

from couriers.contract.masking import MASK, has_long_number, mask_text


@pytest.mark.parametrize(
    "secret",
    [
        "9845012345", "+919845012345", "+91 98450 12345", "98450-12345", "(080) 2345-6789",
        "98.45.01.23.45", "0 9 8 4 5 0 1 2 3 4 5", "९८४५०१२३४५", "98450\u200b12345", "23456789",
        "98450\u201312345", "123412341234",
        "asha.sample+x@example.co.in", "asha@okbank", "<asha@example.in>", "asha\uff20example.in",
    ],
)  # fmt: skip
def test_a_phone_a_long_number_and_an_address_are_masked_wherever_they_stand(secret: str) -> None:
    assert mask_text(f"Call {secret} now") == f"Call {MASK} now"
    assert mask_text(secret) == MASK


@pytest.mark.parametrize(
    "text",
    ["", "PUNE HUB 2", "Attempt 2 of 3", "411004", "24-11-2026", "Bag 1234567", "₹1,523", "कोटा"],
)
def test_ordinary_words_and_short_numbers_stay(text: str) -> None:
    assert mask_text(text) == text


def test_masking_is_repeatable_and_removes_what_cannot_be_stored() -> None:
    once = mask_text("a\x00 \ud800 9845012345 x@y.in")
    assert once == f"a ? {MASK} {MASK}"
    assert mask_text(once) == once
    assert has_long_number("call 9845012345")
    assert not has_long_number("411004")


@pytest.mark.parametrize("part", ["1" * 7 + "x", "1 ", "a", "@", "1)))", "a@ "])
def test_a_long_text_is_masked_in_a_short_time(part: str) -> None:
    started = time.perf_counter()
    mask_text(part * (65536 // len(part)))
    assert time.perf_counter() - started < 1
