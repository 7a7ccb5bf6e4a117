"""The rate limiter: at most `count` permits in any `window`, for all processes together.

The algorithm is GCRA, a form of the token bucket, on Redis' own clock. A caller reserves a turn and
gets the time to sleep until then. This costs one round trip, and turns are given in the order of
the requests. A turn is as many permits as a call usually costs. A dearer call takes several turns,
and waits for those that go beyond the burst, before it and after it: so no window has more permits
than the limit, whatever the costs are. When a courier answers "too fast", its bucket is paused for all
processes. Where Redis' clock was set back since the last write (`at`), the stored times are moved
back as far, since all calls would be held back otherwise until the clock is where it was.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from couriers.contract.errors import RateLimited
from couriers.contract.types import Limit
from couriers.resilience import deadline, waits
from couriers.resilience.shared import RedisUnavailable, with_redis

# Sets `now`, and reads a bucket: its next turn, and the end of a pause. Where the clock of Redis
# was set back, both come earlier by as much.
_STATE = """
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local function text(seconds) return string.format('%.6f', seconds) end
local function read(key)
  local state = redis.call('HMGET', key, 'next', 'paused_until', 'at')
  local following, paused_until = tonumber(state[1] or 0), tonumber(state[2] or 0)
  local set_back = tonumber(state[3] or 0) - now
  if set_back > 0 then
    following, paused_until = following - set_back, paused_until - set_back
    redis.call('HSET', key, 'next', text(following), 'paused_until', text(paused_until),
      'at', text(now))
  end
  return following, paused_until
end
"""
# KEYS are buckets. ARGV of each: interval (seconds), burst (a count), cost (a count), longest wait
# (seconds). Turns are reserved in all of the buckets, or in none. Returns for each the wait in
# microseconds, negated where it is longer than allowed, and how far ahead of now turns are given.
_RESERVE = f"""
{_STATE}
local waits, following, granted = {{}}, {{}}, true
for i, key in ipairs(KEYS) do
  local interval, burst = tonumber(ARGV[4 * i - 3]), tonumber(ARGV[4 * i - 2])
  local cost = tonumber(ARGV[4 * i - 1])
  local next_turn, paused_until = read(key)
  local turn = math.max(now, next_turn)
  local wait = math.max(turn - (burst - cost) * interval, paused_until) - now
  if wait <= 0 then wait = 0 end
  waits[i] = math.ceil(wait * 1000000)
  following[i] = math.max(turn, paused_until, now + wait) + cost * interval
  if wait > tonumber(ARGV[4 * i]) then
    granted = false
    waits[i] = -waits[i]
    following[i] = turn
  end
end
local answer = {{}}
for i, key in ipairs(KEYS) do
  if granted then
    redis.call('HSET', key, 'next', text(following[i]), 'at', text(now))
    redis.call('EXPIRE', key, math.ceil(following[i] - now) + 1)
  end
  answer[i] = {{waits[i], math.ceil((following[i] - now) * 1000000)}}
end
return answer
"""

# KEYS[1] is the bucket. ARGV: seconds. A pause that ends later is kept.
_PAUSE = f"""
{_STATE}
local _, paused_until = read(KEYS[1])
paused_until = math.max(paused_until, now + tonumber(ARGV[1]))
redis.call('HSET', KEYS[1], 'paused_until', text(paused_until), 'at', text(now))
local life = math.max(math.ceil(ARGV[1]) + 1, redis.call('TTL', KEYS[1]))
return redis.call('EXPIRE', KEYS[1], life)
"""

# Used while Redis is unavailable. By bucket: the next turn and the end of the pause, in seconds on
# the monotonic clock.
_local_buckets: dict[str, tuple[float, float]] = {}
_local_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket of turns: one every `interval` seconds, and `burst` of them at once.

    `cost` is how many turns are taken of it.
    """

    key: str
    interval: float
    burst: int
    cost: int = 1


@dataclass(frozen=True, slots=True)
class Turn:
    """A turn in a bucket, in seconds.

    `wait` is until the turn. It is negative where that would be too long, and then no turn was
    reserved in any bucket of the call. `ahead` is how far ahead of now turns are given.
    """

    wait: float
    ahead: float


def reserve(buckets: Sequence[Bucket], max_wait: float) -> list[Turn]:
    """Reserve the turns in all of the buckets or in none, in one round trip.

    Raises RedisUnavailable.
    """
    keys = [bucket.key for bucket in buckets]
    arguments = [
        value
        for bucket in buckets
        for value in (bucket.interval, bucket.burst, bucket.cost, max_wait)
    ]
    answer = with_redis(lambda redis: redis.register_script(_RESERVE)(keys=keys, args=arguments))
    return [Turn(wait / 1e6, ahead / 1e6) for wait, ahead in answer]


def acquire(owner: str, operation: str, limit: Limit, *, cost: int | None = None) -> None:
    """Sleep until the owner may call the operation, at `cost` permits (None: the limit's own).

    `owner` is who shares the limit: an account's id, or a name for all that call one host. Sleeps
    at most as long as `waits.longest()`. For a later turn, raises RateLimited with the delay and
    reserves nothing. Raises TimeIsUp when the booking's deadline has passed
    (couriers.resilience.deadline).
    """
    max_wait = waits.longest()
    seconds_left = deadline.seconds_left()
    if seconds_left is not None:
        max_wait = min(max_wait, seconds_left)
    wait = _reserve(_bucket(owner, operation, limit, cost), max_wait)
    if wait < 0:
        raise RateLimited(
            f"the limit of {limit.count} calls in {limit.window:g} s is used up",
            operation=operation,
            retry_after=-wait,
        )
    if wait:
        time.sleep(wait)
        waits.spend(wait)
        deadline.check()


def pause(owner: str, operation: str, seconds: float) -> None:
    """Hold back the operation in all processes, because the courier answered "too fast"."""
    key = _key(owner, operation)
    try:
        with_redis(lambda redis: redis.register_script(_PAUSE)(keys=[key], args=[seconds]))
    except RedisUnavailable:
        with _local_lock:
            turn, paused_until = _local_buckets.get(key, (0.0, 0.0))
            _local_buckets[key] = (turn, max(paused_until, time.monotonic() + seconds))


def interval_and_burst(limit: Limit) -> tuple[float, int]:
    """Return the seconds between turns, and the burst: how many turns may be taken at once.

    A turn is `limit.cost` permits.

    With a burst of b and a turn every w/(n-b+1) seconds, no window of w seconds has more than n
    turns. Turns of one call a second or more are spaced evenly. Rarer operations, for example
    logins, may use half of their calls at once.
    """
    turns = _turns(limit)
    burst = 1 if turns >= limit.window else (turns + 1) // 2
    return limit.window / (turns - burst + 1), burst


def _turns(limit: Limit) -> int:
    """Return how many turns a window has."""
    return max(1, limit.count // limit.cost)


def forget_local_buckets() -> None:
    """Forget the turns that this process counted while Redis was unavailable."""
    with _local_lock:
        _local_buckets.clear()


def _key(owner: str, operation: str) -> str:
    return f"shipcrowd:limit:{owner}:{operation}"


def _bucket(owner: str, operation: str, limit: Limit, cost: int | None) -> Bucket:
    """Return the bucket of an operation. Raises RateLimited if no window can hold the call."""
    cost = limit.cost if cost is None else cost
    if cost > limit.count:
        raise RateLimited(
            f"a call that costs {cost} does not fit into {limit.count} in {limit.window:g} s",
            operation=operation,
            retry_after=limit.window,
        )
    interval, burst = interval_and_burst(limit)
    turns = min(math.ceil(cost / limit.cost), _turns(limit))
    return Bucket(_key(owner, operation), interval, burst, turns)


def _reserve(bucket: Bucket, max_wait: float) -> float:
    """Reserve turns. Return the seconds to wait, negated where that is more than `max_wait`."""
    try:
        (turn,) = reserve([bucket], max_wait)
    except RedisUnavailable:
        return _reserve_locally(bucket, max_wait)
    return turn.wait


def _reserve_locally(bucket: Bucket, max_wait: float) -> float:
    """Do the same as `_reserve`, for this process alone."""
    with _local_lock:
        now = time.monotonic()
        following, paused_until = _local_buckets.get(bucket.key, (0.0, 0.0))
        turn = max(now, following)
        beyond = (bucket.burst - bucket.cost) * bucket.interval
        wait = max(0.0, max(turn - beyond, paused_until) - now)
        if wait > max_wait:
            return -wait
        following = max(turn, paused_until, now + wait) + bucket.cost * bucket.interval
        _local_buckets[bucket.key] = (following, paused_until)
        return wait
