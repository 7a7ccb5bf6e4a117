"""Access to Redis for the guards. Only this module knows whether Redis is available.

After a failure, Redis is not used for RETRY_AFTER seconds, so that not every call waits for its
time-out.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from django.core.cache import InvalidCacheBackendError
from django_redis import get_redis_connection
from prometheus_client import Counter
from redis import Redis
from redis.exceptions import RedisError

from couriers.conf import tunables
from couriers.contract.logs import get_logger

T = TypeVar("T")
log = get_logger(__name__)

RETRY_AFTER = 1.0  # seconds
FALLBACKS = Counter(
    "shipcrowd_redis_fallbacks", "Guards that went on per process because Redis was unavailable"
)

_unavailable_until = 0.0  # on the monotonic clock


class RedisUnavailable(Exception):
    """Redis does not answer. The caller uses its fallback."""


def with_redis(work: Callable[[Redis], T]) -> T:
    """Return `work(connection)`. Raises RedisUnavailable where Redis does not answer."""
    global _unavailable_until
    if time.monotonic() < _unavailable_until:
        FALLBACKS.inc()
        raise RedisUnavailable
    try:
        return work(get_redis_connection(tunables().CACHE))
    except (RedisError, OSError, NotImplementedError, InvalidCacheBackendError) as error:
        # The last two: the cache is no Redis (couriers.E011).
        _unavailable_until = time.monotonic() + RETRY_AFTER
        FALLBACKS.inc()
        log.warning("redis_unavailable", error=type(error).__name__)
        raise RedisUnavailable from error


def forget_outage() -> None:
    """Let the next call use Redis, even if Redis has just failed."""
    global _unavailable_until
    _unavailable_until = 0.0
