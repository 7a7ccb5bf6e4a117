"""The rate limiter, circuit breaker, lock and retries, with real Valkey and without it."""

from __future__ import annotations

import time
from typing import Any

import pytest

from couriers.contract.errors import CircuitOpen, NotDone, NotSent, RateLimited, Rejected
from couriers.contract.types import Limit
from couriers.resilience import circuit_breaker, rate_limit, shared, waits
from couriers.resilience.circuit_breaker import CircuitBreaker
from couriers.resilience.lock import LockTimeout, hold_lock
from couriers.resilience.retry import retry_safely
from tests.support.threads import run_at_once


@pytest.fixture(params=["redis", "away"])
def redis(request: pytest.FixtureRequest) -> str:
    """Run the test once with Redis, and once without it in this process alone."""
    if request.param == "away":
        request.getfixturevalue("redis_unavailable")
    return str(request.param)


def test_calls_are_spaced_by_waiting_for_a_turn(redis: str, monkeypatch: Any) -> None:
    waits: list[float] = []
    monkeypatch.setattr(rate_limit.time, "sleep", waits.append)
    interval, _ = rate_limit.interval_and_burst(Limit(10, 1))
    assert 0.1 < interval <= 0.1 / 0.95  # a little wider, and no less than 95 % of the rate
    started = time.monotonic()
    for turn in range(5):
        waits.clear()
        rate_limit.acquire("a", "create", Limit(10, 1))
        passed = time.monotonic() - started
        turn_at = turn * interval
        assert turn_at - passed <= sum(waits) <= turn_at + 0.001


def test_a_turn_beyond_the_longest_wait_is_refused_with_its_delay(redis: str) -> None:
    rate_limit.acquire("a", "manifest", Limit(1, 60))
    for _ in range(2):
        with pytest.raises(RateLimited) as caught:
            rate_limit.acquire("a", "manifest", Limit(1, 60))
        assert 58 < (caught.value.retry_after or 0) <= 60
    rate_limit.acquire("b", "manifest", Limit(1, 60))


def test_a_rare_operation_may_use_half_of_its_limit_at_once(redis: str) -> None:
    for _ in range(5):
        rate_limit.acquire("a", "auth", Limit(10, 300))
    with pytest.raises(RateLimited):
        rate_limit.acquire("a", "auth", Limit(10, 300))


@pytest.mark.parametrize("limit", [Limit(10, 300), Limit(2, 1), Limit(1, 2), Limit(5, 60)])
def test_no_window_holds_more_calls_than_the_limit(limit: Limit) -> None:
    interval, burst = rate_limit.interval_and_burst(limit)
    assert burst + (limit.window - 1e-9) // interval <= limit.count


def test_a_429_pauses_the_operation_for_all_processes(redis: str) -> None:
    rate_limit.pause("a", "create", 30)
    with pytest.raises(RateLimited) as caught:
        rate_limit.acquire("a", "create", Limit(100, 1))
    assert 28 < (caught.value.retry_after or 0) <= 30


def test_bulk_work_waits_longer_than_an_api_request(redis: str, settings: Any) -> None:
    settings.SHIPCROWD = settings.SHIPCROWD | {"API_LIMITER_WAIT": 0.1}
    started = time.monotonic()
    rate_limit.acquire("a", "x", Limit(1, 1))
    with pytest.raises(RateLimited):
        rate_limit.acquire("a", "x", Limit(1, 1))
    with waits.allow_long_waits():
        rate_limit.acquire("a", "x", Limit(1, 1))
    assert time.monotonic() - started > 0.9


def fail(breaker: CircuitBreaker, times: int) -> None:
    for _ in range(times):
        breaker.before_call()
        breaker.record_failure()


def test_consecutive_failures_open_the_circuit_and_a_successful_probe_closes_it(
    redis: str, settings: Any
) -> None:
    settings.SHIPCROWD = settings.SHIPCROWD | {"BREAKER_COOLDOWN": 1.0}
    breaker, other = CircuitBreaker("c"), CircuitBreaker("c")
    fail(breaker, 4)
    breaker.before_call()
    breaker.record_success()
    fail(breaker, 4)
    assert breaker.state() == "closed"
    fail(breaker, 1)
    assert other.state() == "open"
    with pytest.raises(CircuitOpen):
        other.before_call()
    time.sleep(1.05)
    other.before_call()
    assert other.state() == "half_open"
    with pytest.raises(CircuitOpen):
        breaker.before_call()
    other.record_success()
    assert breaker.state() == "closed"


def test_a_failed_probe_opens_the_circuit_again_and_a_released_one_does_not(
    redis: str, settings: Any
) -> None:
    settings.SHIPCROWD = settings.SHIPCROWD | {"BREAKER_COOLDOWN": 1.0, "BREAKER_FAILURES": 1}
    breaker = CircuitBreaker("c")
    fail(breaker, 1)
    time.sleep(1.05)
    breaker.before_call()
    breaker.release()
    fail(breaker, 1)
    assert breaker.state() == "open"
    breaker.reset()
    breaker.before_call()
    assert breaker.state() == "closed"


def test_a_late_answer_does_not_close_an_open_circuit(redis: str) -> None:
    fail(CircuitBreaker("c"), 1)
    late = CircuitBreaker("c")
    late.before_call()
    fail(CircuitBreaker("c"), 4)
    late.record_success()
    assert late.state() == "open"


def test_only_one_of_many_threads_makes_the_probe(settings: Any) -> None:
    settings.SHIPCROWD = settings.SHIPCROWD | {"BREAKER_COOLDOWN": 1.0, "BREAKER_FAILURES": 1}
    fail(CircuitBreaker("c"), 1)
    time.sleep(1.05)

    def ask() -> bool:
        try:
            CircuitBreaker("c").before_call()
        except CircuitOpen:
            return False
        return True

    assert sum(run_at_once(ask, 12)) == 1


def test_a_second_holder_waits_for_the_lock_or_times_out() -> None:
    with hold_lock("x", life=30, wait=1) as held:
        assert held
        with pytest.raises(LockTimeout), hold_lock("x", life=30, wait=0.2):
            pass
    with hold_lock("x", life=30, wait=0.2):
        pass


def test_a_holder_whose_lock_expired_does_not_release_the_next_holders_lock() -> None:
    with hold_lock("x", life=0.2, wait=1):
        time.sleep(0.3)
        lock = shared.with_redis(lambda redis: redis.lock("shipcrowd:lock:x", timeout=30))
        assert lock.acquire(blocking=False)
    assert lock.owned()


def test_without_redis_work_goes_on_without_a_lock(redis_unavailable: None) -> None:
    with hold_lock("x", life=1, wait=1) as held:
        assert not held


def test_only_certain_failures_are_retried_after_the_named_delay() -> None:
    slept: list[float] = []
    errors = [NotSent("a"), NotDone("b", retry_after=2.5)]

    def work() -> str:
        if errors:
            raise errors.pop()
        return "done"

    with waits.allow_long_waits():
        assert retry_safely(work, sleep=slept.append) == "done"
    assert slept[0] >= 2.5
    for error in (Rejected("no"), NotDone("later", retry_after=60), RateLimited("us")):
        calls: list[int] = []

        def once(error: Exception = error, calls: list[int] = calls) -> None:
            calls.append(1)
            raise error

        with pytest.raises(type(error)):
            retry_safely(once, sleep=slept.append)
        assert len(calls) == 1


def test_the_fallback_state_of_a_process_can_be_forgotten(redis_unavailable: None) -> None:
    rate_limit.acquire("a", "manifest", Limit(1, 60))
    fail(CircuitBreaker("c"), 5)
    rate_limit.forget_local_buckets()
    circuit_breaker.forget_local_circuits()
    rate_limit.acquire("a", "manifest", Limit(1, 60))
    assert CircuitBreaker("c").state() == "closed"


def test_redis_is_not_used_after_a_failure_until_the_outage_is_forgotten() -> None:
    def fail_once(_: Any) -> None:
        raise ConnectionError("down")

    with pytest.raises(shared.RedisUnavailable):
        shared.with_redis(fail_once)
    with pytest.raises(shared.RedisUnavailable):
        shared.with_redis(lambda redis: redis.ping())
    shared.forget_outage()
    assert shared.with_redis(lambda redis: redis.ping())
