"""The whole suite runs on real servers: those of the environment, or embedded ones of its own."""

import os

from shipcrowd import embedded

EMBEDDED = not (os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL"))
os.environ.setdefault("SHIPCROWD_EMBEDDED_INSTANCE", "test")
os.environ.setdefault("SECRET_KEY", "a key for tests, long enough to be taken for a secret")
os.environ.setdefault("FERNET_KEYS", "the first key of the tests,the second key of the tests")

import contextlib  # noqa: E402

import pytest  # noqa: E402

_servers = contextlib.ExitStack()
if EMBEDDED:
    # Each worker is a user of the servers; the last to leave stops them.
    _servers.enter_context(embedded.session(os.environ["SHIPCROWD_EMBEDDED_INSTANCE"]))


def pytest_unconfigure() -> None:
    _servers.close()


@pytest.fixture(autouse=True)
def _own_redis_keys(request: pytest.FixtureRequest) -> None:
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
