"""A clock that is set back by an hour holds nothing back for an hour."""

from __future__ import annotations

import datetime as dt
import time
from typing import Any

import pytest
import time_machine
from celery import Celery
from celery.beat import ScheduleEntry, Scheduler
from django_redis import get_redis_connection

from couriers.conf import SHIPCROWD_BEAT_SCHEDULE, Every
from couriers.contract.errors import CircuitOpen, RateLimited
from couriers.contract.types import Limit
from couriers.resilience import rate_limit
from couriers.resilience.circuit_breaker import CircuitBreaker

HOUR = 3600.0


def redis_clock_was_ahead(key: str, *fields: str) -> None:
    """Change the stored times to what they were if Redis' clock had been an hour ahead then."""
    redis = get_redis_connection("default")
    for field in fields:
        if (value := redis.hget(key, field)) is not None:
            redis.hset(key, field, f"{float(value) + HOUR:.6f}")
    redis.persist(key)


def test_the_rate_limiter_goes_on_at_its_rate() -> None:
    limit = Limit(5, 1)
    for _ in range(2):
        rate_limit.acquire("a", "track", limit)
    redis_clock_was_ahead("shipcrowd:limit:a:track", "next", "paused_until", "at")
    began = time.monotonic()
    for _ in range(4):
        rate_limit.acquire("a", "track", limit)
    # A turn every fifth of a second, as if nothing had happened.
    assert 0.6 <= time.monotonic() - began < 2


def test_a_pause_of_the_limiter_lasts_as_long_as_the_courier_said() -> None:
    rate_limit.pause("a", "track", 10)
    redis_clock_was_ahead("shipcrowd:limit:a:track", "next", "paused_until", "at")
    for _ in range(2):
        with pytest.raises(RateLimited) as caught:
            rate_limit.acquire("a", "track", Limit(5, 1))
        assert 8 < (caught.value.retry_after or 0) <= 10


def test_an_open_circuit_lets_a_probe_through_after_its_cooldown(settings: Any) -> None:
    settings.SHIPCROWD = settings.SHIPCROWD | {"BREAKER_FAILURES": 1, "BREAKER_COOLDOWN": 0.2}
    breaker = CircuitBreaker("toy:a")
    breaker.before_call()
    breaker.record_failure()
    redis_clock_was_ahead("shipcrowd:circuit:toy:a", "opened_at")
    with pytest.raises(CircuitOpen) as caught:
        breaker.before_call()
    assert (caught.value.retry_after or 0) < 1
    time.sleep(0.25)
    breaker.before_call()
    # The probe's process dies, and the clock is set back.
    redis_clock_was_ahead("shipcrowd:circuit:toy:a", "probe_until")
    other = CircuitBreaker("toy:a")
    other.before_call()
    other.record_success()
    assert other.state() == "closed"


def test_beat_goes_on_sending_after_its_clock_is_set_back() -> None:
    app = Celery("shop", broker="memory://", set_as_current=False)
    entry = ScheduleEntry(name="x", task="x", schedule=Every(2.0), app=app)
    noon = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
    with time_machine.travel(noon, tick=False) as clock:
        entry = entry.__next__()  # sent now
        assert not entry.is_due()[0]
        clock.shift(-HOUR)
        assert entry.is_due() == (True, 2.0)
        entry = entry.__next__()
        assert not entry.is_due()[0]
        clock.shift(2)
        assert entry.is_due()[0]
        clock.shift(HOUR)
        assert entry.is_due()[0]


def test_every_frequent_task_is_scheduled_so(tmp_path: Any) -> None:
    kinds = {name: type(entry["schedule"]) for name, entry in SHIPCROWD_BEAT_SCHEDULE.items()}
    assert {name for name, kind in kinds.items() if kind is not Every} == {"purge-expired"}
    # A scheduler may keep it in a file.
    app = Celery("shop", broker="memory://", set_as_current=False)
    app.conf.beat_schedule = SHIPCROWD_BEAT_SCHEDULE
    scheduler = Scheduler(app)
    assert scheduler.schedule["sweep-jobs"].schedule == Every(30.0)
