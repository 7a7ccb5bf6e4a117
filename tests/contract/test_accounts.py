"""The checks of an account's limits."""

from __future__ import annotations

from typing import Any

import pytest

from couriers.contract.accounts import (
    MAX_LIMIT_COUNT,
    MAX_LIMIT_WINDOW,
    limits_problem,
)
from couriers.contract.types import Limit

OPERATIONS = {"track": Limit(10, 1), "create_shipment": Limit(5, 1, cost=4)}


@pytest.mark.parametrize(
    "limits",
    [
        {},
        {"track": {"count": 1, "window": 1}},
        {"track": {"count": 10, "window": 1.5}, "create_shipment": {"count": 5, "window": 60}},
        {"track": {"count": MAX_LIMIT_COUNT, "window": MAX_LIMIT_WINDOW}},
    ],
)
def test_limits_of_known_operations_are_allowed(limits: Any) -> None:
    assert limits_problem(limits, OPERATIONS) is None


@pytest.mark.parametrize("limits", [None, [], "track", 5])
def test_limits_that_are_not_an_object_are_refused(limits: Any) -> None:
    assert limits_problem(limits, OPERATIONS) == "must be an object of operations and their limits"


def test_a_limit_of_an_unknown_operation_is_refused_with_the_known_operations() -> None:
    limits = {"fly": {"count": 1, "window": 1}}
    assert limits_problem(limits, OPERATIONS) == (
        "unknown operation 'fly' (known: create_shipment, track)"
    )
    assert limits_problem(limits, {}) == "unknown operation 'fly' (known: none)"


@pytest.mark.parametrize(
    "limit",
    [
        None, 5, {}, {"count": 1}, {"count": 1, "window": 1, "burst": 1},
        {"count": 0, "window": 1}, {"count": 1, "window": 0}, {"count": 1, "window": 0.5},
        {"count": -1, "window": 1}, {"count": 1.0, "window": 1}, {"count": True, "window": 1},
        {"count": 1, "window": True}, {"count": "1", "window": 1}, {"count": 1, "window": "1"},
        {"count": MAX_LIMIT_COUNT + 1, "window": 1}, {"count": 1, "window": MAX_LIMIT_WINDOW + 1},
        {"count": 1, "window": float("nan")}, {"count": 1, "window": float("inf")},
    ],
)  # fmt: skip
def test_a_malformed_limit_is_refused_with_its_operation(limit: Any) -> None:
    assert (limits_problem({"track": limit}, OPERATIONS) or "").startswith("track: expected")


def test_a_limit_that_no_call_fits_into_is_refused() -> None:
    limits = {"create_shipment": {"count": 3, "window": 60}}
    assert limits_problem(limits, OPERATIONS) == "create_shipment: a call takes 4 of the count"
    assert limits_problem({"create_shipment": {"count": 4, "window": 60}}, OPERATIONS) is None
