"""A pooler between the platform and PostgreSQL, such as PgBouncer: what changes behind it.

One that pools by transaction gives each transaction whichever connection is free. So nothing may
be left in a connection: no prepared statement, no open cursor, no `SET`. Django's own setting for
such a pooler, DISABLE_SERVER_SIDE_CURSORS, tells the platform that there is one.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from shipcrowd.environment import stop


class Pooler(enum.StrEnum):
    """What stands before PostgreSQL; a pooler is named by what it lends a connection for."""

    NONE = "none"
    SESSION = "session"
    TRANSACTION = "transaction"


def direct(database: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """Return the settings that lead past the pooler: those of DATABASE_DIRECT_URL (`given`).

    Another database than that of DATABASE_URL ends the process: one would be migrated and the other
    used.
    """
    if given["NAME"] != database["NAME"]:
        stop(
            f"DATABASE_DIRECT_URL names the database {given['NAME']!r}, but DATABASE_URL "
            f"{database['NAME']!r}: give both the same, as postgres://user@postgres:5432/shipcrowd"
        )
    return {name: given.get(name, "") for name in ("HOST", "PORT", "USER", "PASSWORD")} | {
        "OPTIONS": database["OPTIONS"] | given.get("OPTIONS", {}),
        "DISABLE_SERVER_SIDE_CURSORS": False,
    }


def pools_transactions(connection: BaseDatabaseWrapper) -> bool:
    """Whether the connection is lent by a pooler for one transaction at a time."""
    return bool(connection.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS"))


@contextmanager
def past_the_pooler(alias: str) -> Iterator[None]:
    """Connect to PostgreSQL itself for a `with` block, where DATABASE_DIRECT_URL is set.

    Call it outside transactions. The connection keeps its alias: a migration that reads by the ORM
    would otherwise wait for the lock of its own other connection.
    """
    connection = connections[alias]
    if alias != DEFAULT_DB_ALIAS or not settings.DIRECT_DATABASE:
        yield
        return
    pooled = dict(connection.settings_dict)
    connection.close()
    connection.settings_dict.update(settings.DIRECT_DATABASE)
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict.update(pooled)
