"""One statement, prepared once a connection: the server need not parse and plan it each time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import psycopg
from django.db import connection
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
    connection.ensure_connection()
    raw = _Preparing(cast("psycopg.Connection[Any]", connection.connection))
    wrap = connection.make_debug_cursor if connection.queries_logged else connection.make_cursor
    with wrap(raw) as cursor:  # type: ignore[arg-type]  # the stubs want it wrapped already
        yield cursor
