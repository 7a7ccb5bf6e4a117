"""Throttling of those who call us: so many requests a minute for a key, a company or an address.

The buckets are those of the rate limiter, for all processes together. All that a request takes a
turn of cost one round trip. Without Redis nobody is throttled. A refusal, such as a wrong key, asks
Redis only from the sixth of an address in a process on, and not at all while the address must wait.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from cachetools import TTLCache
from prometheus_client import Counter

from couriers.resilience.rate_limit import Bucket, Turn, reserve
from couriers.resilience.shared import RedisUnavailable

WINDOW = 60.0  # seconds
FREE_REFUSALS = 5  # of an address in a process, each minute
MAX_ADDRESSES = 10_000  # that a process remembers

THROTTLED = Counter("shipcrowd_throttled", "Requests that were answered 429, by quota", ["quota"])


@dataclass(frozen=True, slots=True)
class Quota:
    """How many requests a minute an owner has: `kind` is what it is, and `owner` who.

    That many may come at once; then it is one every 60 / `count` seconds. With a count of 0, or
    without an owner, there is no limit.
    """

    kind: str
    owner: str
    count: int


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a client stands in the quota of which the least is left.

    `wait` is the seconds until the next request is answered, 0 if this one is. `reset` is the
    seconds until the whole quota is there again.
    """

    quota: Quota
    remaining: int
    reset: float
    wait: float


def take(quotas: Sequence[Quota]) -> Standing | None:
    """Take a turn of all quotas, or of none where one is used up.

    Return the standing in the tightest one; None where nothing limits, or Redis is away.
    """
    limiting = [quota for quota in quotas if quota.count and quota.owner]
    if not limiting:
        return None
    try:
        turns = reserve([_bucket(quota) for quota in limiting], 0.0)
    except RedisUnavailable:
        return None
    standings = [_standing(*pair) for pair in zip(limiting, turns, strict=True)]
    tightest = min(standings, key=lambda one: (-one.wait, one.remaining / one.quota.count))
    if tightest.wait:
        THROTTLED.labels(tightest.quota.kind).inc()
    return tightest


def _bucket(quota: Quota) -> Bucket:
    key = f"shipcrowd:throttle:{quota.kind}:{quota.owner}"
    return Bucket(key, WINDOW / quota.count, quota.count)


def _standing(quota: Quota, turn: Turn) -> Standing:
    left = quota.count - turn.ahead * quota.count / WINDOW
    # `ahead` is rounded up to a microsecond, which may be a hundredth of a turn.
    return Standing(quota, max(0, int(left + 0.02)), max(0.0, turn.ahead), max(0.0, -turn.wait))


class Refusals:
    """Counts refusals of one kind by the client's address."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._lock = threading.Lock()
        self._counts: TTLCache[str, int] = TTLCache(MAX_ADDRESSES, WINDOW)
        # The moments on the monotonic clock until which addresses must wait.
        self._until: TTLCache[str, float] = TTLCache(MAX_ADDRESSES, WINDOW)

    def note(self, address: str, count: int) -> float:
        """Note a refusal; return the seconds to wait where more than `count` came in a minute.

        Returns 0 within the count, for an unknown address, and where Redis is away.
        """
        if not count or not address:
            return 0.0
        with self._lock:
            if (wait := self._until.get(address, 0.0) - time.monotonic()) > 0:
                THROTTLED.labels(self._kind).inc()
                return wait
            so_far = self._counts[address] = self._counts.get(address, 0) + 1
        if so_far <= FREE_REFUSALS:
            return 0.0
        standing = take([Quota(self._kind, address, count)])
        if standing is None or not standing.wait:
            return 0.0
        with self._lock:
            self._until[address] = time.monotonic() + standing.wait
        return standing.wait

    def forget(self) -> None:
        """Forget what this process has counted."""
        with self._lock:
            self._counts.clear()
            self._until.clear()


wrong_keys = Refusals("wrong-keys")
refused_callbacks = Refusals("refused-callbacks")
