"""Access to Redis for the guards: one place that knows that it is away, and says so.

After a failure Redis is left alone for a moment, so that its time-outs are not paid on each call.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import structlog
from django_redis import get_redis_connection
from prometheus_client import Counter
from redis import Redis
from redis.exceptions import RedisError

T = TypeVar("T")
log = structlog.get_logger(__name__)

REST = 1.0  # seconds
FALLBACKS = Counter(
    "shipcrowd_redis_fallbacks", "Guards that went on per process because Redis was away"
)

_away_until = 0.0


class RedisAway(Exception):
    """Redis does not answer; the caller uses its fallback."""


def with_redis(work: Callable[[Redis], T]) -> T:
    """Run `work` with the shared connection. Raises RedisAway when Redis does not answer."""
    global _away_until
    if time.monotonic() < _away_until:
        FALLBACKS.inc()
        raise RedisAway
    try:
        return work(get_redis_connection("default"))
    except (RedisError, OSError) as error:
        _away_until = time.monotonic() + REST
        FALLBACKS.inc()
        log.warning("redis_away", error=type(error).__name__)
        raise RedisAway from error


def forget_outage() -> None:
    """Ask Redis again at the next call, however short ago it failed."""
    global _away_until
    _away_until = 0.0
