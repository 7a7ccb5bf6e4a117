"""A pytest plugin: the run's connection goes through a real PgBouncer that pools transactions.

`make test POOLER=1` loads it by `-p`. Tests that start servers of their own go past it.
"""

from __future__ import annotations

import contextlib
import os

import environ
import pytest

from shipcrowd import embedded
from shipcrowd.pooler import direct
from tests.support.pgbouncer import MISSING, PROGRAM, pgbouncer

POOL_SIZE = 40  # tests hold many transactions open at once
DIRECT = "POOLED_RUN_DIRECT_URL"
_servers = contextlib.ExitStack()


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    """Start PgBouncer before the settings are read; parallel workers find its URL and share it."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        return
    if PROGRAM is None:
        raise pytest.UsageError(MISSING)
    servers = _servers.enter_context(
        embedded.session(os.environ.setdefault("SHIPCROWD_EMBEDDED_INSTANCE", "test"))
    )
    pooler = _servers.enter_context(pgbouncer(servers.database_url, pool_size=POOL_SIZE))
    os.environ.update(
        DATABASE_URL=pooler.url, REDIS_URL=servers.redis_url, DATABASE_POOLER="transaction"
    )
    os.environ[DIRECT] = servers.database_url


def pytest_configure() -> None:
    """Migrate past PgBouncer. The tests' own processes would inherit DATABASE_DIRECT_URL."""
    from django.conf import settings

    given = environ.Env().db_url_config(os.environ[DIRECT])
    settings.DIRECT_DATABASE = direct(settings.DATABASES["default"], given)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("own_session"):
            item.add_marker(pytest.mark.skip(reason="needs a session of PostgreSQL of its own"))


def pytest_unconfigure() -> None:
    _servers.close()
