"""Migrating the tests' database back and forth, for tests of upgrades."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from tests.support.audit_trail import emptied_audit_trail

APP = "shipcrowd_couriers"


@contextmanager
def migrating() -> Iterator[Callable[..., Any]]:
    """Yield a function that migrates the database and returns the models as they then are.

    It takes the name of a migration of couriers, or a list of apps and names. The database is empty
    and at the newest state again afterwards.
    """

    def to(target: str | list[tuple[str, str]]) -> Any:
        nodes = [(APP, target)] if isinstance(target, str) else target
        executor = MigrationExecutor(connection)
        executor.migrate(nodes)
        return executor.loader.project_state(nodes).apps

    newest = MigrationExecutor(connection).loader.graph.leaf_nodes()
    try:
        yield to
    finally:
        with emptied_audit_trail(), connection.cursor() as cursor:
            cursor.execute("SELECT tablename FROM pg_tables WHERE tablename LIKE 'shipcrowd_%'")
            tables = ", ".join(name for (name,) in cursor.fetchall())
            cursor.execute(f"TRUNCATE {tables} CASCADE")
        MigrationExecutor(connection).migrate(newest)
