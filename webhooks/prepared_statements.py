"""A database cursor whose statements PostgreSQL prepares once per connection.

The server then parses and plans a statement once, and not for each callback. Behind a pooler that
lends a connection for one transaction it is not prepared: the next transaction is on another one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.utils import CursorWrapper


class _PreparingCursor(psycopg.Cursor[Any]):
    """A psycopg cursor that prepares every statement it executes, where its connection may."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        return super().execute(query, params, prepare=True)


@contextmanager
def prepared_cursor() -> Iterator[CursorWrapper]:
    """Yield Django's cursor wrapper around a preparing cursor, without a health check.

    Django's own check asks the server before the first statement of each request whether a kept
    connection is alive. Here a broken connection raises OperationalError instead.

    DISABLE_SERVER_SIDE_CURSORS says that there is a pooler of transactions. One that can prepare
    (PgBouncer from 1.21 on) is used so where the connection's options have a `prepare_threshold`.
    """
    database = connections[DEFAULT_DB_ALIAS]
    database.ensure_connection()
    driver = cast("psycopg.Connection[Any]", database.connection)
    # Django sets the threshold to None, which forbids preparing. Its own cursors pass no `prepare`.
    if not database.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS"):
        driver.prepare_threshold = driver.prepare_threshold or 0
    raw = _PreparingCursor(driver)
    wrap = database.make_debug_cursor if database.queries_logged else database.make_cursor
    with wrap(cast("Any", raw)) as cursor:
        yield cursor
