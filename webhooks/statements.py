"""One statement, prepared once a connection: the server need not parse and plan it each time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.utils import CursorWrapper


class _Preparing(psycopg.Cursor[Any]):
    """A cursor that has the server keep what it executes."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        return super().execute(query, params, prepare=True)


@contextmanager
def prepared_cursor() -> Iterator[CursorWrapper]:
    """Django's cursor, but for prepared statements and without the check of its health.

    Django would ask the server whether a kept connection is alive before each request's first
    statement; a broken one shows itself by an OperationalError here instead.
    """
    database = connections[DEFAULT_DB_ALIAS]
    database.ensure_connection()
    driver = cast("psycopg.Connection[Any]", database.connection)
    # Django forbids the driver to prepare anything. Its own cursors never ask for it.
    driver.prepare_threshold = driver.prepare_threshold or 0
    raw = _Preparing(driver)
    wrap = database.make_debug_cursor if database.queries_logged else database.make_cursor
    with wrap(cast("Any", raw)) as cursor:
        yield cursor
