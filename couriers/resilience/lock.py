"""A lock in Redis that one process at a time can hold, and that expires.

redis-py releases a lock only while its holder still owns it. A holder that takes longer than the
lock's life is not stopped, so the guarded data needs a version number as well.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from redis.exceptions import LockError
from redis.lock import Lock

from couriers.resilience import waits
from couriers.resilience.shared import RedisUnavailable, with_redis


class LockTimeout(Exception):
    """Another process held the lock during the whole wait."""


@contextmanager
def hold_lock(name: str, *, life: float, wait: float) -> Iterator[bool]:
    """Hold the lock `name` for at most `life` seconds, after waiting at most `wait` seconds.

    The wait counts among those of the work at hand (couriers.resilience.waits), and may be shorter.
    Yields True while the lock is held, and False where Redis is unavailable and there is no lock.
    Raises LockTimeout if another process does not release it in time.
    """
    try:
        lock = with_redis(lambda redis: redis.lock(f"shipcrowd:lock:{name}", timeout=life))
        started = time.monotonic()
        longest = waits.shorten(wait)
        acquired = with_redis(lambda _: lock.acquire(blocking=True, blocking_timeout=longest))
        waits.spend(time.monotonic() - started)
    except RedisUnavailable:
        yield False
        return
    if not acquired:
        raise LockTimeout(name)
    try:
        yield True
    finally:
        with suppress(RedisUnavailable):
            with_redis(lambda _: _release(lock))


def _release(lock: Lock) -> None:
    """Release the lock, unless its life is over and another holder may have it."""
    with suppress(LockError):
        lock.release()
