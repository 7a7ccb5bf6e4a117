"""Which migrations of this process' code the database lacks.

One that the database has besides does no harm.
"""

from __future__ import annotations

from functools import cache

from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

Name = tuple[str, str]  # the app's label, and the migration's name


def unapplied_migrations() -> list[Name]:
    """Return the migrations that the database lacks, by one statement or two."""
    applied = set(MigrationRecorder(connection).applied_migrations())
    return [
        name
        for name, replaced in _migrations().items()
        if name not in applied and not (replaced and replaced <= applied)
    ]


@cache
def _migrations() -> dict[Name, frozenset[Name]]:
    """Return the migrations in the code; for one that replaces others, which ones."""
    migrations = MigrationLoader(None).disk_migrations
    replaced = {name for migration in migrations.values() for name in migration.replaces}
    return {
        name: frozenset(migration.replaces)
        for name, migration in migrations.items()
        if name not in replaced
    }
