"""A pytest plugin that starts servers and sets secrets before Django's settings are imported.

It is loaded by `-p`, because pytest-django imports the settings before any conftest.
"""

from __future__ import annotations

import contextlib
import hashlib
import os

import pytest

from shipcrowd import embedded

_servers = contextlib.ExitStack()


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    """Join the test servers' session; the last of the parallel workers to end stops them."""
    os.environ.setdefault("SHIPCROWD_EMBEDDED_INSTANCE", "test")
    os.environ.setdefault("DEVELOPMENT", "1")
    os.environ.setdefault("SECRET_KEY", "a key for tests, long enough to be taken for a secret")
    os.environ.setdefault("FERNET_KEYS", f"{_key('first')},{_key('second')}")
    if not (os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL")):
        _servers.enter_context(embedded.session(os.environ["SHIPCROWD_EMBEDDED_INSTANCE"]))


def _key(name: str) -> str:
    """Return a key that is the same in each run, and passes for a random one."""
    return hashlib.sha256(f"the {name} key of the tests".encode()).hexdigest()


def pytest_unconfigure() -> None:
    _servers.close()
