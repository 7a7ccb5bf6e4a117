"""Access to Redis for the guards. Only this module knows whether Redis is available.

After a failure, Redis is not used for RETRY_AFTER seconds. Then one call asks whether it answers
again, and the others go on without it: a Redis that hangs costs one caller its time-out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from django.core.cache import InvalidCacheBackendError
from django_redis import get_redis_connection
from prometheus_client import Counter
from redis import Redis
from redis.exceptions import RedisError

from couriers.conf import tunables
from couriers.contract.logs import get_logger
from couriers.resilience.outage_memory import OutageMemory

T = TypeVar("T")
log = get_logger(__name__)

RETRY_AFTER = 2.0  # seconds
FALLBACKS = Counter(
    "shipcrowd_redis_fallbacks", "Guards that went on per process because Redis was unavailable"
)

_memory = OutageMemory(RETRY_AFTER)


class RedisUnavailable(Exception):
    """Redis does not answer. The caller uses its fallback."""


def with_redis(work: Callable[[Redis], T]) -> T:
    """Return `work(connection)`. Raises RedisUnavailable where Redis does not answer."""
    if not _memory.may_try():
        FALLBACKS.inc()
        raise RedisUnavailable
    try:
        redis = get_redis_connection(tunables().CACHE)
        if _memory.is_away:
            # The work itself may wait long, as for a lock, with a Redis that answers.
            redis.ping()
            _memory.succeeded()
        return work(redis)
    except (RedisError, OSError, NotImplementedError, InvalidCacheBackendError) as error:
        # The last two: the cache is no Redis (couriers.E011).
        _memory.failed()
        FALLBACKS.inc()
        log.warning("redis_unavailable", error=type(error).__name__)
        raise RedisUnavailable from error


def forget_outage() -> None:
    """Let the next call use Redis, even if Redis has just failed."""
    _memory.forget()
