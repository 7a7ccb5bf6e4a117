"""The limits of JSON from outside."""

from __future__ import annotations

from typing import Any

import pytest

from couriers.contract.json_limits import json_problem, nesting_depth


@pytest.mark.parametrize(
    ("data", "depth"),
    [
        ([], 1), ({}, 1), ([1, "x", None], 1), ({"a": {"b": 1}}, 2), ([[], [[]]], 3),
        ({"a": [{"b": []}], "c": {}}, 4),
    ],
)  # fmt: skip
def test_the_levels_of_objects_and_lists_are_counted(data: Any, depth: int) -> None:
    assert nesting_depth(data) == depth


@pytest.mark.parametrize("data", ["a\x00b", {"a": ["\ud800"]}, {"a\x00": 1}])
def test_text_that_cannot_be_stored_is_refused_in_names_and_values(data: Any) -> None:
    assert json_problem(data) == "contains NUL or half of a surrogate pair"


@pytest.mark.parametrize("number", [float("inf"), float("-inf"), float("nan")])
def test_a_number_that_is_not_finite_is_refused(number: float) -> None:
    assert json_problem([number]) == "contains a number that is too large"
