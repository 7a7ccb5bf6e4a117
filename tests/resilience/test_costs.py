"""Calls of different costs at one limit: no window has more permits, and none are wasted."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from couriers.contract.errors import RateLimited
from couriers.contract.types import Limit
from couriers.resilience import rate_limit, waits

owners = (f"costs-{number}" for number in itertools.count())


@pytest.fixture(params=["up", "away"])
def redis(request: pytest.FixtureRequest) -> str:
    """Run the test once with Redis, and once without it in this process alone."""
    if request.param == "away":
        request.getfixturevalue("redis_unavailable")
    return str(request.param)


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """The waits that were granted, which nobody really waits for."""
    granted: list[float] = []
    monkeypatch.setattr(rate_limit.time, "sleep", granted.append)
    with waits.allow_long_waits(10_000):
        yield granted


@dataclass(frozen=True)
class Made:
    """A call, which is made between two moments (seconds), and its cost."""

    first: float
    last: float
    cost: int


def schedule(limit: Limit, costs: list[int], slept: list[float]) -> list[Made]:
    """Reserve calls one after the other; return when each is made."""
    owner = next(owners)
    calls = []
    for cost in costs:
        slept.clear()
        asked = time.monotonic()
        rate_limit.acquire(owner, "x", limit, cost=cost)
        calls.append(Made(asked + sum(slept), time.monotonic() + sum(slept), cost))
    return calls


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    count=st.integers(1, 60),
    window=st.sampled_from([1.0, 10.0, 60.0]),
    declared=st.integers(1, 60),
    costs=st.lists(st.integers(1, 60), min_size=1, max_size=25),
)
@example(count=50, window=60.0, declared=1, costs=[50, 1, 50])
@example(count=20, window=1.0, declared=1, costs=[1, 1, 20, 1, 1, 7, 13])
@example(count=5, window=60.0, declared=5, costs=[3, 3, 3, 5, 1])
def test_no_window_has_more_permits_than_the_limit(
    redis: str, slept: list[float], count: int, window: float, declared: int, costs: list[int]
) -> None:
    limit = Limit(count, window, cost=min(declared, count))
    calls = schedule(limit, [min(cost, count) for cost in costs], slept)
    for place, call in enumerate(calls):
        inside = [one.cost for one in calls[place:] if one.last < call.first + window]
        assert sum(inside) <= count, calls


@pytest.mark.parametrize("cost", [1, 4, 25])
def test_calls_of_a_cost_use_the_whole_limit(redis: str, slept: list[float], cost: int) -> None:
    limit = Limit(100, 1, cost=cost)
    calls = schedule(limit, [cost] * (600 // cost + 1), slept)
    assert 95 <= 600 / (calls[-1].first - calls[0].last) <= 105


def test_a_dearer_call_than_usual_is_allowed_at_half_the_rate_or_more(
    redis: str, slept: list[float]
) -> None:
    calls = schedule(Limit(100, 1, cost=5), [20] * 31, slept)
    assert 50 <= 600 / (calls[-1].first - calls[0].last) <= 105


def test_a_limits_own_cost_is_taken_where_a_call_names_none(redis: str) -> None:
    limit = Limit(10, 60, cost=5)
    rate_limit.acquire("a", "x", limit)
    with pytest.raises(RateLimited):
        rate_limit.acquire("a", "x", limit)
    rate_limit.acquire("b", "x", Limit(10, 60), cost=1)
    rate_limit.acquire("b", "x", Limit(10, 60), cost=4)


def test_a_call_that_costs_more_than_the_limit_is_refused_and_takes_nothing(redis: str) -> None:
    limit = Limit(10, 60)
    with pytest.raises(RateLimited, match="a call that costs 11 does not fit into 10 in 60 s"):
        rate_limit.acquire("a", "x", limit, cost=11)
    rate_limit.acquire("a", "x", limit, cost=5)


def test_a_costly_call_in_a_pause_waits_for_its_end(redis: str, slept: list[float]) -> None:
    rate_limit.pause("a", "x", 30)
    rate_limit.acquire("a", "x", Limit(10, 60), cost=5)
    assert 29 < sum(slept) <= 30
    slept.clear()
    rate_limit.acquire("a", "x", Limit(10, 60), cost=5)
    assert sum(slept) > 60


def test_a_refused_call_leaves_the_permits_to_a_cheaper_one(redis: str, settings: Any) -> None:
    limit = Limit(10, 60)
    rate_limit.acquire("a", "x", limit, cost=3)
    with pytest.raises(RateLimited):
        rate_limit.acquire("a", "x", limit, cost=5)
    rate_limit.acquire("a", "x", limit, cost=2)
