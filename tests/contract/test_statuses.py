"""The normalisation of couriers' statuses."""

from __future__ import annotations

import pytest

from couriers.contract.statuses import normalise


@pytest.mark.parametrize(
    "word", ["out for delivery", "Out_For_Delivery", "OUT-FOR  DELIVERY", " out for\tdelivery\n"]
)
def test_the_spellings_of_a_status_are_normalised_to_one(word: str) -> None:
    assert normalise(word) == "out for delivery"


@pytest.mark.parametrize("word", ["", " ", "_-"])
def test_a_word_of_separators_alone_becomes_empty(word: str) -> None:
    assert normalise(word) == ""


def test_a_word_without_separators_stays_different() -> None:
    assert normalise("OutForDelivery") == "outfordelivery"
