"""Queries that are written with the ORM, compiled once, and run with new values.

To build and compile a query costs more CPU than PostgreSQL takes to answer it. So a query on the
way of every booking keeps its SQL. It reads the rows as they are now, as any query does.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Generic, TypeVar

from django.db import connections, router
from django.db.models import Expression, Field, Model, QuerySet
from django.db.models.query import ModelIterable

Row = TypeVar("Row", bound=Model)


class Slot(Expression):
    """The place of a value in a CompiledQuery, by a name.

    The value is sent as it is given, so it must be one that the column holds: an id, a text, a
    time. It is never None, which needs another statement.
    """

    def __init__(self, name: str, output_field: Field[Any, Any] | None = None) -> None:
        super().__init__(output_field)
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        return "%s", (self,)


class CompiledQuery(Generic[Row]):
    """A query whose SQL is made at its first use.

    `build` returns the queryset of the model, with a Slot for each value that differs from run to
    run. Nothing else in it may differ: a time or a setting would stay as it was.
    """

    def __init__(self, model: type[Row], build: Callable[[], QuerySet[Row]]) -> None:
        self._model = model
        self._build = build
        self._lock = threading.Lock()
        self._compiled: dict[str, tuple[Any, str, tuple[Any, ...]]] = {}  # by database

    def rows(self, **values: Any) -> list[Row]:
        """Run the query with these values of its slots, and return its rows.

        Raises KeyError for a slot without a value, and TypeError for a value of None.
        """
        if None in values.values():
            raise TypeError("a slot takes no None")
        compiler, sql, params = self._bound_to(router.db_for_read(self._model))
        given = [values[one.name] if isinstance(one, Slot) else one for one in params]
        compiler.as_sql = lambda *_, **__: (sql, given)
        # What ModelIterable uses of a queryset.
        source: Any = SimpleNamespace(
            db=compiler.using,
            query=SimpleNamespace(get_compiler=lambda using: compiler),
            _known_related_objects={},
        )
        return list(ModelIterable(source))

    def first(self, **values: Any) -> Row | None:
        """Run the query, and return its first row, or None where it has none."""
        return next(iter(self.rows(**values)), None)

    def _bound_to(self, database: str) -> tuple[Any, str, tuple[Any, ...]]:
        """Return a compiler on this thread's connection, which has compiled the query before."""
        with self._lock:
            if database not in self._compiled:
                compiler = self._build().query.get_compiler(using=database)
                sql, params = compiler.as_sql()
                self._compiled[database] = compiler, sql, tuple(params)
        compiled, sql, params = self._compiled[database]
        compiler = copy.copy(compiled)
        compiler.connection = connections[database]
        return compiler, sql, params
