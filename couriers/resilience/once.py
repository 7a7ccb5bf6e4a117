"""Sending a task once: a reservation in Redis, which the task releases when it starts.

It keeps tasks from piling up in a queue, and decides nothing else. Where it is lost, a task too
many or a sweeper does the work.
"""

from __future__ import annotations

from contextlib import suppress

from couriers.resilience.shared import RedisUnavailable, with_redis


def reserve(name: str, seconds: int, *, if_unavailable: bool = True) -> bool:
    """Reserve `name` for at most so many seconds; return whether nobody else has reserved it.

    Returns `if_unavailable` where Redis does not answer.
    """
    try:
        return bool(with_redis(lambda redis: redis.set(_key(name), 1, nx=True, ex=seconds)))
    except RedisUnavailable:
        return if_unavailable


def release(name: str) -> None:
    """End a reservation, whoever made it."""
    with suppress(RedisUnavailable):
        with_redis(lambda redis: redis.delete(_key(name)))


def _key(name: str) -> str:
    return f"shipcrowd:queued:{name}"
