"""Fixtures of the whole suite, which runs on real servers (shipcrowd.embedded.pytest_plugin)."""

import pytest


@pytest.fixture(autouse=True)
def _own_redis_keys() -> None:
    """Each worker has a database of Redis for itself, emptied before each test."""
    from couriers.resilience import circuit_breaker, rate_limit, shared

    shared._away_until = 0.0
    rate_limit._local.clear()
    circuit_breaker._local.clear()
    from django_redis import get_redis_connection

    get_redis_connection("default").flushdb()


@pytest.fixture(autouse=True)
def _fresh_adapters() -> None:
    """Rows of one test must not meet the cached adapters of another."""
    from couriers.factory import CourierFactory

    CourierFactory._cache.clear()
