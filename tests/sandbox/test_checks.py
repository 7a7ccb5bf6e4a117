"""Checks of fields that all couriers' rules are made of."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.checks import is_number


@pytest.mark.parametrize("value", [0, -1, 1.5])
def test_whole_and_broken_numbers_are_numbers(value: Any) -> None:
    assert is_number(value)


@pytest.mark.parametrize("value", [True, None, "1", float("nan"), float("inf")])
def test_what_json_has_no_number_for_is_none(value: Any) -> None:
    assert not is_number(value)
