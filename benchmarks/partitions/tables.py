"""Copies of the large tables in scratch schemas: as they are, and partitioned.

Each schema stands before `public` in `search_path`, so that the platform's own code runs on its
tables. Columns, checks, indexes and foreign keys are read from the live tables. PostgreSQL wants
the partition key in every unique index, so that is added where it lacks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connection

from benchmarks.inbox import EVENTS_TABLE
from couriers.models import CourierCall, Scan

SCANS_TABLE, CALLS_TABLE = Scan._meta.db_table, CourierCall._meta.db_table
TIMES = {EVENTS_TABLE: "received_at", SCANS_TABLE: "at", CALLS_TABLE: "started_at"}
MONTHS = 12
HASHES = 16
KEYS_TABLE = "bench_event_keys"
# The first of the months; the last one is the current one. In UTC, as the servers' time zone is.
FIRST_MONTH = f"date_trunc('month', now()) - interval '{MONTHS - 1} months'"


@dataclass(frozen=True, slots=True)
class Layout:
    """One way of storing the tables, in a schema of its own. `by` is None for one table each."""

    schema: str
    by: str | None = None
    with_keys: bool = False  # a table beside the events enforces their unique key


ONE = Layout("bench_one")
MONTHLY = Layout("bench_monthly", "RANGE")
MONTHLY_WITH_KEYS = Layout("bench_monthly_keys", "RANGE", with_keys=True)
HASHED = Layout("bench_hashed", "HASH")
LAYOUTS = (ONE, MONTHLY, MONTHLY_WITH_KEYS, HASHED)
NAMES = {
    ONE: "one table", MONTHLY: "by month", MONTHLY_WITH_KEYS: "by month, keys in a table beside",
    HASHED: "by hash",
}  # fmt: skip


def query(statement: str, params: Any = None) -> list[tuple[Any, ...]]:
    """Execute a statement and return its rows."""
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return list(cursor.fetchall()) if cursor.description else []


@contextmanager
def scratch_schemas() -> Iterator[None]:
    """Have an empty schema for each layout, and drop all of them at the end."""
    names = ", ".join(one.schema for one in LAYOUTS)
    query(f"DROP SCHEMA IF EXISTS {names} CASCADE")
    for one in LAYOUTS:
        query(f"CREATE SCHEMA {one.schema}")
    try:
        yield
    finally:
        query("RESET search_path")
        query(f"DROP SCHEMA {names} CASCADE")


def use(layout: Layout) -> None:
    """Have all following statements of this connection use the layout's tables."""
    query(f"SET search_path = {layout.schema}, public")


def create(layout: Layout, table: str) -> None:
    """Create the table's copy."""
    query(f"SET search_path = {layout.schema}, public")
    if layout.by is None:
        query(f"CREATE TABLE {table} (LIKE public.{table} INCLUDING ALL)")
        copy_foreign_keys(layout, table)
        return
    column = TIMES[table] if layout.by == "RANGE" else "content_hash"
    create_parent(layout, table, column)
    copy_foreign_keys(layout, table)
    if layout.by == "RANGE":
        for month in range(MONTHS + 1):
            add_month(layout, table, month)
    else:
        for rest in range(HASHES):
            query(
                f"CREATE TABLE {table}_{rest} PARTITION OF {table}"
                f" FOR VALUES WITH (MODULUS {HASHES}, REMAINDER {rest})"
            )
    if layout.with_keys:
        query(
            f"CREATE TABLE {KEYS_TABLE} (account_id varchar(40), content_hash bytea,"
            " PRIMARY KEY (account_id, content_hash))"
        )


def create_parent(layout: Layout, table: str, column: str) -> None:
    """Create the partitioned table with its indexes and no partition."""
    query(
        f"CREATE TABLE {layout.schema}.{table} (LIKE public.{table} INCLUDING ALL"
        f" EXCLUDING INDEXES) PARTITION BY {layout.by} ({column})"
    )
    for definition in indexes_with(table, column):
        query(definition.replace("ON public.", f"ON {layout.schema}."))


def indexes_with(table: str, column: str) -> list[str]:
    """Return the definitions of the live table's indexes, with the column in each unique one."""
    rows = query(
        "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename = %s", [table]
    )

    def extended(found: re.Match[str]) -> str:
        names = [name.strip() for name in found[1].split(",")]
        return f"USING btree ({', '.join(dict.fromkeys([*names, column]))})"

    return [
        re.sub(r"USING btree \(([^()]*)\)", extended, text) if " UNIQUE " in text else text
        for (text,) in rows
    ]


def copy_foreign_keys(layout: Layout, table: str) -> None:
    """Give the copy the foreign keys of the live table."""
    rows = query(
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE contype = 'f' AND conrelid = %s::regclass",
        [f"public.{table}"],
    )
    for name, definition in rows:
        query(f"ALTER TABLE {layout.schema}.{table} ADD CONSTRAINT {name} {definition}")


def add_month(layout: Layout, table: str, month: int) -> None:
    """Add the partition of a month, numbered from FIRST_MONTH."""
    query(
        f"CREATE TABLE {layout.schema}.{table}_{month} PARTITION OF {layout.schema}.{table}"
        f" FOR VALUES FROM ('{month_begin(month)}') TO ('{month_begin(month + 1)}')"
    )


def month_begin(month: int) -> str:
    """Return the begin of a month, numbered from FIRST_MONTH, as PostgreSQL writes it."""
    ((begin,),) = query(f"SELECT ({FIRST_MONTH} + {month} * interval '1 month')::text")
    return str(begin)


def size_of(table: str) -> int:
    """Return the bytes of a table with its indexes, partitions and their indexes."""
    ((size,),) = query(
        "SELECT coalesce(sum(pg_total_relation_size(relid)), 0)::bigint"
        " FROM pg_partition_tree(%s::regclass)",
        [table],
    )
    # A table that is not partitioned is no tree.
    return int(size) or int(query("SELECT pg_total_relation_size(%s::regclass)", [table])[0][0])
