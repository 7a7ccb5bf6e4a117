"""Quotas: exact for simultaneous requests, in one round trip, and absent without Redis."""

from __future__ import annotations

import time

import pytest

from couriers.resilience import throttle
from couriers.resilience.throttle import Quota, Refusals, take
from tests.support.round_trips import count_round_trips
from tests.support.threads import run_at_once


@pytest.fixture
def trips(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The requests to Redis of this process."""
    return count_round_trips(monkeypatch)


def waits(*quotas: Quota) -> bool:
    standing = take(quotas)
    return standing is not None and standing.wait > 0


def test_simultaneous_requests_get_the_quota_and_not_one_more() -> None:
    granted = run_at_once(
        lambda: sum(not waits(Quota("key", "a", 50)) for _ in range(10)), threads=16
    )
    assert 50 <= sum(granted) <= 51  # a turn comes back after 1.2 s


def test_the_tightest_quota_is_told_with_what_is_left() -> None:
    key, company = Quota("key", "a", 10), Quota("company", "c", 4)
    standings = [take([key, company]) for _ in range(4)]
    told = [(s.quota.kind, s.remaining, s.wait) for s in standings if s]
    assert told == [("company", 3, 0), ("company", 2, 0), ("company", 1, 0), ("company", 0, 0)]
    refused = take([key, company])
    assert refused
    assert (refused.quota.kind, refused.remaining) == ("company", 0)
    assert 14 < refused.wait <= 15
    assert 59 < refused.reset <= 60


@pytest.mark.parametrize("count", [1, 7, 600, 6000, 12_000, 1_000_000])
def test_one_request_takes_one_of_the_quota(count: int) -> None:
    standing = take([Quota("key", "a", count)])
    assert standing
    assert standing.remaining == count - 1


def test_a_refused_request_uses_up_no_other_quota() -> None:
    full, other = Quota("key", "a", 1), Quota("company", "c", 2)
    take([full])
    for _ in range(5):
        assert waits(full, other)
    standing = take([other])
    assert standing
    assert standing.remaining == 1


def test_owners_do_not_share_a_quota_and_no_owner_has_none() -> None:
    assert not waits(Quota("key", "a", 1))
    assert not waits(Quota("key", "b", 1))
    assert waits(Quota("key", "a", 1))
    assert take([Quota("address", "", 1)]) is None
    assert take([Quota("key", "c", 0)]) is None


def test_all_quotas_are_one_round_trip(trips: list[bytes]) -> None:
    quotas = [Quota(kind, "x", 10) for kind in ("key", "company", "address")]
    take(quotas)
    trips.clear()
    take(quotas)
    assert len(trips) == 1


def test_without_redis_nobody_is_throttled(redis_unavailable: None) -> None:
    assert [take([Quota("key", "a", 1)]) for _ in range(3)] == [None] * 3
    refusals = Refusals("test")
    assert [refusals.note("203.0.113.7", 1) for _ in range(20)] == [0.0] * 20


def test_the_first_refusals_and_those_of_a_waiting_address_ask_no_redis(
    trips: list[bytes],
) -> None:
    refusals = Refusals("test")
    assert [refusals.note("203.0.113.7", 2) for _ in range(throttle.FREE_REFUSALS)] == [0.0] * 5
    assert trips == []
    found = [refusals.note("203.0.113.7", 2) > 0 for _ in range(100)]
    assert found == [False, False, *[True] * 98]
    assert len([sent for sent in trips if b"EVALSHA" in sent]) <= 4
    assert refusals.note("198.51.100.1", 2) == 0


def test_a_turn_comes_back() -> None:
    quota = Quota("key", "a", 600)
    for _ in range(600):
        take([quota])
    time.sleep(0.11)
    assert not waits(quota)


def test_a_process_remembers_a_bounded_number_of_addresses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(throttle, "MAX_ADDRESSES", 10)
    refusals = Refusals("test")
    for number in range(100):
        refusals.note(f"198.51.100.{number}", 1)
    assert len(refusals._counts) == 10
