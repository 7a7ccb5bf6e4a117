"""A real PostgreSQL that refuses: read-only, without a free connection, with a full disk, gone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from unittest import mock

import psycopg
from django.conf import settings
from django.db import connection, connections
from psycopg.sql import SQL, Identifier, Literal

GUEST = "guest_of_tests"
PASSWORD = "a password of tests"
DROPS = 5  # tries, each after every session was ended

_FULL_DISK = "CREATE OR REPLACE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "


def execute(statement: Any) -> None:
    """Execute a statement in a session of its own, which may write whatever the default is."""
    name = connection.settings_dict["NAME"]
    with psycopg.connect(
        settings.DATABASE_URL, dbname=name, autocommit=True, options="-c transaction_read_only=off"
    ) as session:
        session.execute("SET default_transaction_read_only = off")
        session.execute(statement)


@contextmanager
def read_only() -> Iterator[None]:
    """Every new session is read-only, as on a server that was demoted (25006)."""
    database = Identifier(connection.settings_dict["NAME"])
    execute(SQL("ALTER DATABASE {} SET default_transaction_read_only = on").format(database))
    connections.close_all()
    try:
        yield
    finally:
        execute(SQL("ALTER DATABASE {} RESET default_transaction_read_only").format(database))


@contextmanager
def out_of_connections() -> Iterator[None]:
    """The role may open no connection (53300)."""
    execute(
        SQL("CREATE ROLE {} LOGIN CONNECTION LIMIT 0 PASSWORD {}").format(
            Identifier(GUEST), Literal(PASSWORD)
        )
    )
    connections.close_all()
    try:
        with mock.patch.dict(connection.settings_dict, USER=GUEST, PASSWORD=PASSWORD):
            yield
    finally:
        execute(SQL("DROP ROLE {}").format(Identifier(GUEST)))


@contextmanager
def out_of_disk() -> Iterator[None]:
    """No table takes a new row (53100)."""
    execute(
        _FULL_DISK + "RAISE 'could not extend file: No space left on device'"
        " USING ERRCODE = '53100'; END $$"
    )
    tables = [
        name
        for name in connection.introspection.django_table_names(only_existing=True)
        if not name.startswith("django_")
    ]
    execute(
        SQL("; ").join(
            SQL(
                "CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE ON {} "
                "FOR EACH STATEMENT EXECUTE FUNCTION full_disk()"
            ).format(Identifier(name))
            for name in tables
        )
    )
    try:
        yield
    finally:
        # At once, and without the tables' locks, which a write that is tried again may hold.
        execute(_FULL_DISK + "RETURN NULL; END $$")
        connections.close_all()
        _drop_full_disk()


def _drop_full_disk() -> None:
    """Drop the function with its triggers, which locks each table.

    A write that is tried again may lock tables in another order: its session is ended, and the
    drop is repeated after a deadlock.
    """
    for left in range(DROPS - 1, -1, -1):
        end_sessions()
        try:
            execute("DROP FUNCTION full_disk() CASCADE")
        except psycopg.errors.DeadlockDetected:
            if not left:
                raise
        else:
            return


@contextmanager
def gone() -> Iterator[None]:
    """Nothing listens on the server's port."""
    connections.close_all()
    with mock.patch.dict(connection.settings_dict, PORT="1"):
        yield


OUTAGES: dict[str, tuple[Any, str]] = {
    "read_only": (read_only, "read-only"),
    "out_of_connections": (out_of_connections, "out of connections"),
    "out_of_disk": (out_of_disk, "out of disk"),
    "gone": (gone, "no answer"),
}


def end_sessions() -> None:
    """End every session of the tests' database, as a server does that is demoted."""
    execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )


def outage(name: str) -> AbstractContextManager[None]:
    """Return the outage of this name in OUTAGES."""
    made: AbstractContextManager[None] = OUTAGES[name][0]()
    return made
