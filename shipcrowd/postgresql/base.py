"""Counts connections and statements under django-prometheus' names, at half of its cost.

The library looks up its metrics for each statement; here a connection looks them up once.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from django.db.backends.postgresql import base
from django_prometheus.db import metrics
from django_prometheus.db.backends.postgresql.base import DatabaseWrapper as LibraryWrapper


class DatabaseWrapper(LibraryWrapper):
    """Django's connection to PostgreSQL with counting cursors."""

    def get_connection_params(self) -> dict[str, Any]:
        """Return psycopg's parameters, with a cursor class that counts."""
        params: dict[str, Any] = base.DatabaseWrapper.get_connection_params(self)
        params["cursor_factory"] = counting(params["cursor_factory"], self.alias, self.vendor)
        return params


def counting(cursor_class: type[Any], alias: str, vendor: str) -> type[Any]:
    """Return a class of cursors that count and time their statements."""
    executed = metrics.execute_total.labels(alias, vendor)
    executed_many = metrics.execute_many_total.labels(alias, vendor)
    duration = metrics.query_duration_seconds.labels(alias, vendor)

    class CountingCursor(cursor_class):
        def execute(self, *args: Any, **options: Any) -> Any:
            started = time.perf_counter()
            try:
                return super().execute(*args, **options)
            except Exception as error:
                metrics.errors_total.labels(alias, vendor, type(error).__name__).inc()
                raise
            finally:
                executed.inc()
                duration.observe(time.perf_counter() - started)

        def executemany(self, query: Any, rows: Iterable[Any], *args: Any, **options: Any) -> Any:
            given = list(rows)
            started = time.perf_counter()
            try:
                return super().executemany(query, given, *args, **options)
            except Exception as error:
                metrics.errors_total.labels(alias, vendor, type(error).__name__).inc()
                raise
            finally:
                executed.inc(len(given))
                executed_many.inc(len(given))
                duration.observe(time.perf_counter() - started)

    return CountingCursor
