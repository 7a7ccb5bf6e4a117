"""Words of couriers for one status, spelt in several ways."""

from __future__ import annotations

import pytest

from couriers.contract.statuses import normalise


@pytest.mark.parametrize(
    "word", ["out for delivery", "Out_For_Delivery", "OUT-FOR  DELIVERY", " out for\tdelivery\n"]
)
def test_one_status_is_one_word_however_it_is_spelt(word: str) -> None:
    assert normalise(word) == "out for delivery"


@pytest.mark.parametrize("word", ["", " ", "_-"])
def test_a_word_of_separators_alone_is_empty(word: str) -> None:
    assert normalise(word) == ""


def test_words_that_are_written_together_stay_another_word() -> None:
    assert normalise("OutForDelivery") == "outfordelivery"
