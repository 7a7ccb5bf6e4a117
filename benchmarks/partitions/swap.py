"""Making a table partitioned while it is used: what is done beside it, and what under its lock.

The table becomes the first partition as it is, and no row is copied. It works where the time is in
the table's unique keys already, but for that of the primary key.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from django.db import transaction

from benchmarks.partitions.tables import (
    MONTHS,
    TIMES,
    Layout,
    add_month,
    copy_foreign_keys,
    create_parent,
    month_begin,
    query,
    use,
)


@dataclass(frozen=True, slots=True)
class Swap:
    """The seconds of the preparation, and the milliseconds for which the table was locked."""

    preparing: float
    locked: float


def swap(layout: Layout, table: str) -> Swap:
    """Make the layout's table, which is not partitioned, the first partition of a new one."""
    column, old, end = TIMES[table], f"{table}_old", month_begin(MONTHS)
    use(layout)
    started = time.perf_counter()
    query(f"CREATE UNIQUE INDEX CONCURRENTLY bench_once ON {table} (id, {column})")
    query(f"ALTER TABLE {table} ADD CONSTRAINT bench_range CHECK ({column} < '{end}') NOT VALID")
    query(f"ALTER TABLE {table} VALIDATE CONSTRAINT bench_range")
    prepared = time.perf_counter()
    with transaction.atomic():
        query("SET LOCAL lock_timeout = '5s'")
        query(f"LOCK TABLE {table}")
        locked = time.perf_counter()
        query(f"ALTER TABLE {table} RENAME TO {old}")
        indexes = "SELECT indexname FROM pg_indexes WHERE schemaname = %s AND tablename = %s"
        for (name,) in query(indexes, [layout.schema, old]):
            query(f"ALTER INDEX {layout.schema}.{name} RENAME TO {name[:58]}_old")
        create_parent(replace(layout, by="RANGE"), table, column)
        copy_foreign_keys(layout, table)
        query(
            f"SELECT setval(pg_get_serial_sequence('{layout.schema}.{table}', 'id'), max(id))"
            f" FROM {old}"
        )
        query(f"ALTER TABLE {old} ALTER id DROP IDENTITY")
        query(f"ALTER TABLE {table} ATTACH PARTITION {old} FOR VALUES FROM (MINVALUE) TO ('{end}')")
        add_month(layout, table, MONTHS)
    return Swap(prepared - started, 1000 * (time.perf_counter() - locked))
