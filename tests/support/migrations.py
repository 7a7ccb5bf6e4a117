"""The SQL of migrations, and what squawk finds in it: what harms a release that still serves."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Collection, Iterable
from functools import cache
from pathlib import Path
from typing import Any

from django.db import connection
from django.db.migrations import Migration
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.operations.base import Operation

APP = "shipcrowd_couriers"
OURS = (APP, "shipcrowd_webhooks")
# Rules that say nothing of a release that still serves.
EXCLUDED = (
    # The kinds of columns are Django's.
    "prefer-text-field", "prefer-bigint-over-int", "prefer-bigint-over-smallint",
    # The command that migrates has the time-out: PGOPTIONS in docker-compose.yml.
    "require-timeout-settings", "require-lock-timeout", "require-statement-timeout",
    # IF NOT EXISTS would hide an index that was left invalid.
    "prefer-robust-stmts",
)  # fmt: skip
OLDEST_POSTGRESQL = "14"


def write_sql(folder: Path, without: Collection[str]) -> list[str]:
    """Write our migrations as `app.name.sql`, as they are sent to PostgreSQL; return their names.

    Those in `without` are left out.
    """
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes(), clean_start=True)
    state = executor._create_project_state()
    names = []
    for migration, _ in plan:
        name = f"{migration.app_label.removeprefix('shipcrowd_')}.{migration.name}"
        if migration.app_label not in OURS or name in without:
            migration.mutate_state(state, preserve=False)
            continue
        names.append(name)
        (folder / f"{name}.sql").write_text(_sql(migration, state))
    return names


@cache
def _newest_state() -> Any:
    loader = MigrationExecutor(connection).loader
    state = loader.project_state(loader.graph.leaf_nodes())
    assert state.apps  # made once, and copied after that
    return state


def sql_of(*operations: Operation, atomic: bool = True) -> str:
    """Return the SQL of a next migration of couriers with these operations."""
    migration = Migration("next", APP)
    migration.operations, migration.atomic = list(operations), atomic
    return _sql(migration, _newest_state().clone())


def _sql(migration: Migration, state: Any) -> str:
    """Return the migration's SQL, and have the state follow it."""
    with connection.schema_editor(collect_sql=True, atomic=migration.atomic) as editor:
        migration.apply(state, editor, collect_sql=True)
    lines = editor.collected_sql
    return "\n".join(["BEGIN;", *lines, "COMMIT;"] if migration.atomic else lines)


def findings(files: Iterable[Path]) -> set[tuple[str, str]]:
    """Return squawk's findings as pairs of a file's name without `.sql` and a rule."""
    paths = list(files)
    if not paths:
        return set()
    done = subprocess.run(
        [Path(sys.executable).parent / "squawk", "--reporter", "json", "--pg-version",
         OLDEST_POSTGRESQL, "--exclude", ",".join(EXCLUDED), *paths],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stderr  # 1 says that something was found
    return {(Path(one["file"]).stem, one["rule_name"]) for one in json.loads(done.stdout)}
