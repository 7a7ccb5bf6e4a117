"""Deleting the oldest month of callbacks, and what the tables take on disk."""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import replace

from django.utils import timezone

from benchmarks.figures import Figure
from benchmarks.inbox import EVENTS_TABLE, vacuum
from benchmarks.partitions.rows import EVENTS, Row, insert_events
from benchmarks.partitions.tables import (
    KEYS_TABLE,
    LAYOUTS,
    MONTHLY,
    MONTHLY_WITH_KEYS,
    NAMES,
    ONE,
    month_begin,
    query,
    size_of,
    use,
)
from couriers.conf import tunables
from couriers.operations import retention


def sizes() -> list[Figure]:
    """Compare the bytes of a callback with its indexes, in tables that have just been filled."""
    figures = []
    for layout in LAYOUTS:
        use(layout)
        size = size_of(EVENTS_TABLE) + (size_of(KEYS_TABLE) if layout.with_keys else 0)
        figures.append(
            Figure(f"disk for a callback, {NAMES[layout]}", f"{size / EVENTS:.0f} bytes")
        )
    return figures


def of_events(row: Row) -> list[Figure]:
    """Compare deleting a month, and the size of the one table before and after."""
    use(ONE)
    before = size_of(EVENTS_TABLE)
    ((indexes,),) = query("SELECT pg_indexes_size(%s::regclass)", [EVENTS_TABLE])
    deleted, seconds = _purge_oldest_month()
    started = time.perf_counter()
    query(f"VACUUM {EVENTS_TABLE}")
    vacuuming = time.perf_counter() - started
    vacuum(EVENTS_TABLE)
    purged = size_of(EVENTS_TABLE)
    insert_events(ONE, row, deleted, "now()", first=EVENTS + 1)
    again = size_of(EVENTS_TABLE)
    use(MONTHLY)
    dropped = _drop_month()
    use(MONTHLY_WITH_KEYS)
    started = time.perf_counter()
    query(
        f"DELETE FROM {KEYS_TABLE} AS known USING {EVENTS_TABLE}_0 AS event"
        " WHERE (known.account_id, known.content_hash) = (event.account_id, event.content_hash)"
    )
    of_keys = time.perf_counter() - started
    return [
        Figure(
            f"delete a month of callbacks, {NAMES[ONE]}",
            f"{seconds:.1f} s for {deleted:,} rows, {deleted / seconds:,.0f} rows/s",
        ),
        Figure(
            "— the vacuum after it",
            f"{vacuuming:.2f} s, which reads {indexes / 1e6:.0f} MB of indexes",
        ),
        Figure(f"— {NAMES[MONTHLY]}", f"{1000 * dropped:.0f} ms"),
        Figure(
            f"— {NAMES[MONTHLY_WITH_KEYS]}",
            f"{of_keys:.1f} s for the keys, {1000 * _drop_month():.0f} ms for the month",
        ),
        Figure(
            f"— size of the {NAMES[ONE]}",
            f"{before / 1e6:.0f} MB, {purged / 1e6:.0f} MB after the purge, "
            f"{again / 1e6:.0f} MB after a new month of as many rows",
        ),
    ]


def _purge_oldest_month() -> tuple[int, float]:
    """Delete as the nightly purge does, without its pauses; return the rows and the seconds."""
    days = (timezone.now() - dt.datetime.fromisoformat(month_begin(1))).days
    (rule,) = (one for one in retention.rules() if one.name == "webhook_events")
    assert isinstance(rule, retention.RetentionRule)
    oldest = replace(rule, days=lambda: days)
    deleted, last, started = 0, None, time.perf_counter()
    while True:
        last, count = oldest.take_batch(last, tunables().RETENTION_BATCH)
        if last is None:
            return deleted, time.perf_counter() - started
        deleted += count


def _drop_month() -> float:
    """Drop the oldest month without blocking who uses the others; return the seconds."""
    started = time.perf_counter()
    query(f"ALTER TABLE {EVENTS_TABLE} DETACH PARTITION {EVENTS_TABLE}_0 CONCURRENTLY")
    query(f"DROP TABLE {EVENTS_TABLE}_0")
    return time.perf_counter() - started
