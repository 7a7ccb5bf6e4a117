"""The rate limiter: at most `count` calls in any `window`, for all processes together.

GCRA, a token bucket by other arithmetic, by Redis' own clock. A caller reserves its turn and is
told how long to sleep until it, so that waiting costs one round trip and is first come, first
served. A courier's 429 pauses the bucket for everybody.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from couriers.conf import tunables
from couriers.contract.errors import RateLimited
from couriers.contract.types import Limit
from couriers.resilience import deadline
from couriers.resilience.shared import RedisAway, with_redis

# The longest that bulk work sleeps for one turn; it comes back for another after that.
PATIENCE = 30.0

_max_wait: ContextVar[float | None] = ContextVar("couriers_limiter_max_wait", default=None)

# KEYS[1] bucket; ARGV interval, burst, longest wait (all seconds, burst a count).
# Answers the wait in microseconds, negative where it would be longer than allowed.
_RESERVE = """
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local interval, burst, longest = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local state = redis.call('HMGET', KEYS[1], 'next', 'paused')
local turn = math.max(now, tonumber(state[1] or 0))
local wait = math.max(turn - (burst - 1) * interval, tonumber(state[2] or 0)) - now
if wait <= 0 then wait = 0 end
if wait > longest then return -math.ceil(wait * 1000000) end
local following = math.max(turn, tonumber(state[2] or 0)) + interval
redis.call('HSET', KEYS[1], 'next', string.format('%.6f', following))
redis.call('EXPIRE', KEYS[1], math.ceil(following - now) + 1)
return math.ceil(wait * 1000000)
"""

# KEYS[1] bucket; ARGV seconds.
_PAUSE = """
local time = redis.call('TIME')
local till = tonumber(time[1]) + tonumber(time[2]) / 1000000 + tonumber(ARGV[1])
if till > tonumber(redis.call('HGET', KEYS[1], 'paused') or 0) then
  redis.call('HSET', KEYS[1], 'paused', string.format('%.6f', till))
end
local life = math.max(math.ceil(ARGV[1]) + 1, redis.call('TTL', KEYS[1]))
return redis.call('EXPIRE', KEYS[1], life)
"""

_local: dict[str, tuple[float, float]] = {}
_local_lock = threading.Lock()


@contextmanager
def patience() -> Iterator[None]:
    """Inside, calls wait for their turn as bulk work does, not as an API request does."""
    token = _max_wait.set(PATIENCE)
    try:
        yield
    finally:
        _max_wait.reset(token)


def acquire(account_id: str, operation: str, limit: Limit) -> None:
    """Wait for the account's turn to call the operation.

    Sleeps at most API_LIMITER_WAIT seconds (30 inside `patience()`). Raises RateLimited with the
    delay when the turn would come later; the turn is not used up then. Inside a booking it raises
    TimeIsUp rather than let a call go too late.
    """
    longest = _max_wait.get()
    if longest is None:
        longest = tunables().API_LIMITER_WAIT
    left = deadline.seconds_left()
    if left is not None:
        longest = min(longest, left)
    interval, burst = spacing(limit)
    key = _key(account_id, operation)
    try:
        wait = (
            float(
                with_redis(
                    lambda redis: redis.register_script(_RESERVE)(
                        keys=[key], args=[interval, burst, longest]
                    )
                )
            )
            / 1e6
        )
    except RedisAway:
        wait = _reserve_locally(key, interval, burst, longest)
    if wait < 0:
        raise RateLimited(
            f"the limit of {limit.count} calls in {limit.window:g} s is used up",
            operation=operation,
            retry_after=-wait,
        )
    if wait:
        time.sleep(wait)
        deadline.seconds_left()


def pause(account_id: str, operation: str, seconds: float) -> None:
    """Hold the operation back for everybody, because the courier said 429."""
    key = _key(account_id, operation)
    try:
        with_redis(lambda redis: redis.register_script(_PAUSE)(keys=[key], args=[seconds]))
    except RedisAway:
        with _local_lock:
            turn, paused = _local.get(key, (0.0, 0.0))
            _local[key] = (turn, max(paused, time.monotonic() + seconds))


def forget_local_state() -> None:
    """Forget the turns and pauses that this process kept while Redis was away."""
    with _local_lock:
        _local.clear()


def spacing(limit: Limit) -> tuple[float, int]:
    """Seconds between turns, and how many may come at once, so that no window holds more.

    A burst of b and a turn each w/(n-b+1) seconds make at most n in any window. Limits of one a
    second or more are spaced evenly; the rarer ones, such as logins, may use half at once.
    """
    burst = 1 if limit.count >= limit.window else (limit.count + 1) // 2
    return limit.window / (limit.count - burst + 1), burst


def _key(account_id: str, operation: str) -> str:
    return f"shipcrowd:limit:{account_id}:{operation}"


def _reserve_locally(key: str, interval: float, burst: int, longest: float) -> float:
    """The same arithmetic for this process alone."""
    with _local_lock:
        now = time.monotonic()
        following, paused = _local.get(key, (0.0, 0.0))
        turn = max(now, following)
        wait = max(0.0, max(turn - (burst - 1) * interval, paused) - now)
        if wait > longest:
            return -wait
        _local[key] = (max(turn, paused) + interval, paused)
        return wait
