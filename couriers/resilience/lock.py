"""The lock: one process at a time, through Redis, with a life of its own.

redis-py's lock releases only what it still owns. A holder that outlives its lock is not stopped:
what it guards must be fenced by a version of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from redis.exceptions import LockNotOwnedError, RedisError

from couriers.resilience.shared import RedisAway, with_redis


class LockTimeout(Exception):
    """Somebody else held the lock for as long as we were ready to wait."""


@contextmanager
def exclusive(name: str, *, life: float, wait: float) -> Iterator[bool]:
    """Hold the lock `name` for at most `life` seconds, waiting for it at most `wait` seconds.

    Yields True with the lock held, False when Redis is away and nobody holds anything. Raises
    LockTimeout when it was not to be had.
    """
    try:
        lock = with_redis(lambda redis: redis.lock(f"shipcrowd:lock:{name}", timeout=life))
        got = with_redis(lambda _: lock.acquire(blocking=True, blocking_timeout=wait))
    except RedisAway:
        yield False
        return
    if not got:
        raise LockTimeout(name)
    try:
        yield True
    finally:
        with suppress(LockNotOwnedError, RedisError, OSError):
            lock.release()
