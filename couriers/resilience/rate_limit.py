"""The rate limiter: at most `count` calls in any `window`, for all processes together.

The algorithm is GCRA, a form of the token bucket, on Redis' own clock. A caller reserves a turn and
gets the time to sleep until then. This costs one round trip, and turns are given in the order of
the requests. When a courier answers 429, its bucket is paused for all processes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from couriers.conf import tunables
from couriers.contract.errors import RateLimited
from couriers.contract.types import Limit
from couriers.resilience import deadline
from couriers.resilience.shared import RedisUnavailable, with_redis

# Seconds that bulk work sleeps for one turn at most. For a later turn it gets RateLimited.
MAX_LONG_WAIT = 30.0

_max_wait: ContextVar[float | None] = ContextVar("couriers_limiter_max_wait", default=None)

# KEYS are buckets. ARGV of each: interval (seconds), burst (a count), longest wait (seconds). A
# turn is reserved in all of the buckets, or in none. Returns for each the wait in microseconds,
# negated where it is longer than allowed, and how far ahead of now its turns are given.
_RESERVE = """
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local waits, following, granted = {}, {}, true
for i, key in ipairs(KEYS) do
  local interval, burst = tonumber(ARGV[3 * i - 2]), tonumber(ARGV[3 * i - 1])
  local state = redis.call('HMGET', key, 'next', 'paused_until')
  local turn = math.max(now, tonumber(state[1] or 0))
  local paused_until = tonumber(state[2] or 0)
  local wait = math.max(turn - (burst - 1) * interval, paused_until) - now
  if wait <= 0 then wait = 0 end
  waits[i] = math.ceil(wait * 1000000)
  following[i] = math.max(turn, paused_until) + interval
  if wait > tonumber(ARGV[3 * i]) then
    granted = false
    waits[i] = -waits[i]
    following[i] = turn
  end
end
local answer = {}
for i, key in ipairs(KEYS) do
  if granted then
    redis.call('HSET', key, 'next', string.format('%.6f', following[i]))
    redis.call('EXPIRE', key, math.ceil(following[i] - now) + 1)
  end
  answer[i] = {waits[i], math.ceil((following[i] - now) * 1000000)}
end
return answer
"""

# KEYS[1] is the bucket. ARGV: seconds. A pause that ends later is kept.
_PAUSE = """
local time = redis.call('TIME')
local paused_until = tonumber(time[1]) + tonumber(time[2]) / 1000000 + tonumber(ARGV[1])
if paused_until > tonumber(redis.call('HGET', KEYS[1], 'paused_until') or 0) then
  redis.call('HSET', KEYS[1], 'paused_until', string.format('%.6f', paused_until))
end
local life = math.max(math.ceil(ARGV[1]) + 1, redis.call('TTL', KEYS[1]))
return redis.call('EXPIRE', KEYS[1], life)
"""

# Used while Redis is unavailable. By bucket: the next turn and the end of the pause, in seconds on
# the monotonic clock.
_local_buckets: dict[str, tuple[float, float]] = {}
_local_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket of turns: one every `interval` seconds, and `burst` of them at once."""

    key: str
    interval: float
    burst: int


@dataclass(frozen=True, slots=True)
class Turn:
    """A turn in a bucket, in seconds.

    `wait` is until the turn. It is negative where that would be too long, and then no turn was
    reserved in any bucket of the call. `ahead` is how far ahead of now turns are given.
    """

    wait: float
    ahead: float


def reserve(buckets: Sequence[Bucket], max_wait: float) -> list[Turn]:
    """Reserve a turn in all of the buckets or in none, in one round trip.

    Raises RedisUnavailable.
    """
    keys = [bucket.key for bucket in buckets]
    arguments = [v for bucket in buckets for v in (bucket.interval, bucket.burst, max_wait)]
    answer = with_redis(lambda redis: redis.register_script(_RESERVE)(keys=keys, args=arguments))
    return [Turn(wait / 1e6, ahead / 1e6) for wait, ahead in answer]


@contextmanager
def allow_long_waits() -> Iterator[None]:
    """Let calls inside the block wait up to MAX_LONG_WAIT seconds for a turn, as bulk work does."""
    token = _max_wait.set(MAX_LONG_WAIT)
    try:
        yield
    finally:
        _max_wait.reset(token)


def acquire(account_id: str, operation: str, limit: Limit) -> None:
    """Sleep until the account may call the operation.

    Sleeps at most API_LIMITER_WAIT seconds, or MAX_LONG_WAIT inside `allow_long_waits()`. For a
    later turn, raises RateLimited with the delay and reserves nothing. Raises TimeIsUp when the
    booking's deadline has passed (couriers.resilience.deadline).
    """
    max_wait = _max_wait.get()
    if max_wait is None:
        max_wait = tunables().API_LIMITER_WAIT
    seconds_left = deadline.seconds_left()
    if seconds_left is not None:
        max_wait = min(max_wait, seconds_left)
    interval, burst = interval_and_burst(limit)
    wait = _reserve(_key(account_id, operation), interval, burst, max_wait)
    if wait < 0:
        raise RateLimited(
            f"the limit of {limit.count} calls in {limit.window:g} s is used up",
            operation=operation,
            retry_after=-wait,
        )
    if wait:
        time.sleep(wait)
        deadline.check()


def pause(account_id: str, operation: str, seconds: float) -> None:
    """Hold back the operation in all processes, because the courier answered 429."""
    key = _key(account_id, operation)
    try:
        with_redis(lambda redis: redis.register_script(_PAUSE)(keys=[key], args=[seconds]))
    except RedisUnavailable:
        with _local_lock:
            turn, paused_until = _local_buckets.get(key, (0.0, 0.0))
            _local_buckets[key] = (turn, max(paused_until, time.monotonic() + seconds))


def interval_and_burst(limit: Limit) -> tuple[float, int]:
    """Return the seconds between turns, and the burst: how many turns may be taken at once.

    With a burst of b and a turn every w/(n-b+1) seconds, no window of w seconds has more than n
    turns. Turns of one call a second or more are spaced evenly. Rarer operations, for example
    logins, may use half of their calls at once.
    """
    burst = 1 if limit.count >= limit.window else (limit.count + 1) // 2
    return limit.window / (limit.count - burst + 1), burst


def forget_local_buckets() -> None:
    """Forget the turns that this process counted while Redis was unavailable."""
    with _local_lock:
        _local_buckets.clear()


def _key(account_id: str, operation: str) -> str:
    return f"shipcrowd:limit:{account_id}:{operation}"


def _reserve(key: str, interval: float, burst: int, max_wait: float) -> float:
    """Reserve a turn. Return the seconds to wait, negated where that is more than `max_wait`."""
    try:
        (turn,) = reserve([Bucket(key, interval, burst)], max_wait)
    except RedisUnavailable:
        return _reserve_locally(key, interval, burst, max_wait)
    return turn.wait


def _reserve_locally(key: str, interval: float, burst: int, max_wait: float) -> float:
    """Do the same as `_reserve`, for this process alone."""
    with _local_lock:
        now = time.monotonic()
        following, paused_until = _local_buckets.get(key, (0.0, 0.0))
        turn = max(now, following)
        wait = max(0.0, max(turn - (burst - 1) * interval, paused_until) - now)
        if wait > max_wait:
            return -wait
        _local_buckets[key] = (max(turn, paused_until) + interval, paused_until)
        return wait
