"""PostgreSQL's CPU for the platform's own INSERTs, and which repeats are stored twice."""

from __future__ import annotations

import datetime as dt
import hashlib
import itertools
import statistics
import uuid
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from typing import Any

from django.db import connection
from django.utils import timezone

from benchmarks import cpu
from benchmarks.figures import Figure
from benchmarks.partitions.rows import Row, insert_for
from benchmarks.partitions.tables import LAYOUTS, MONTHLY, NAMES, ONE, Layout, query, use
from couriers.models import Scan
from couriers.tracking import scans
from couriers.tracking.scans import NewScan
from webhooks.prepared_statements import prepared_cursor

ROUNDS = 5
EVENTS_A_ROUND, SCANS_A_ROUND, SCANS_A_BATCH = 3_000, 4_000, 200
REPEATS = 1_000


def costs_of_events(sql: str, row: Row) -> list[Figure]:
    """Compare the INSERTs of new callbacks."""
    costs = _in_turn(
        LAYOUTS,
        lambda layout: _store(
            insert_for(layout, sql),
            row,
            (uuid.uuid4().bytes * 2 for _ in range(EVENTS_A_ROUND)),
        ),
        EVENTS_A_ROUND,
    )
    return _compared("CPU of PostgreSQL to store a callback", costs)


def repeats_of_events(sql: str, row: Row) -> list[Figure]:
    """Send the callbacks of the oldest rows again; count those that are stored again."""
    figures = []
    for layout in LAYOUTS:
        use(layout)
        of_old_rows = (hashlib.sha256(str(n + 1).encode()).digest() for n in range(REPEATS))
        twice = _store(insert_for(layout, sql), row, of_old_rows)
        figures.append(
            Figure(f"— callbacks stored twice, {NAMES[layout]}", f"{twice:,} of {REPEATS:,}")
        )
    return figures


def _store(sql: str, row: Row, hashes: Iterable[bytes]) -> int:
    """Store callbacks with these hashes, each in a commit of its own; return how many were new."""
    new = 0
    for one in hashes:
        with prepared_cursor() as cursor:
            cursor.execute(sql, row | {"hash": one})
            new += cursor.rowcount
    return new


def costs_of_scans(shipments: Sequence[str]) -> list[Figure]:
    """Compare the storing of scans by the platform's function."""
    minutes = itertools.count()

    def store(layout: Layout) -> None:
        _store_scans(_new_scans(shipments, minutes=next(minutes)), layout is not ONE)

    costs = _in_turn((ONE, MONTHLY), store, SCANS_A_ROUND)
    return _compared("CPU of PostgreSQL to store a scan", costs)


def repeats_of_scans(shipments: Sequence[str]) -> list[Figure]:
    """Store scans twice. Their key has the courier's time in it, so a repeat has the same month."""
    figures = []
    for layout in (ONE, MONTHLY):
        use(layout)
        twice = scans_stored_twice(shipments, layout is not ONE)
        figures.append(Figure(f"— scans stored twice, {NAMES[layout]}", twice))
    return figures


def scans_stored_twice(shipments: Sequence[str], partitioned: bool) -> str:
    """Store the same scans twice; tell how many the second time has added."""
    rows = _new_scans(shipments, minutes=-1)
    _store_scans(rows, partitioned)
    before = Scan.objects.count()
    _store_scans(rows, partitioned)
    return f"{Scan.objects.count() - before:,} of {len(rows):,}"


def _new_scans(shipments: Sequence[str], minutes: int) -> list[NewScan]:
    """Return a scan of each of the youngest shipments, so many minutes ago."""
    at = timezone.now() - dt.timedelta(minutes=minutes)
    return [
        NewScan(one, "T", at, "in_transit", "In Transit", location="PUNE")
        for one in shipments[-SCANS_A_ROUND:]
    ]


def _store_scans(rows: Sequence[NewScan], partitioned: bool) -> None:
    """Store the scans in batches.

    Of a partitioned table PostgreSQL returns no system column, by which the platform tells new rows
    from repeats. It would have to be told otherwise.
    """

    def without_xmax(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        assert "xmax = 0" in sql
        return execute(sql.replace("xmax = 0", "true"), *rest)

    with connection.execute_wrapper(without_xmax) if partitioned else nullcontext():
        for begin in range(0, len(rows), SCANS_A_BATCH):
            scans.store(rows[begin : begin + SCANS_A_BATCH])


def _in_turn(
    layouts: Sequence[Layout], work: Callable[[Layout], Any], count: int
) -> dict[Layout, float]:
    """Do the work with each layout in turn; return the microseconds of CPU for one of `count`.

    It is that of PostgreSQL's process for this connection: other processes do not disturb it. The
    commits are not flushed, which would cost all layouts the same.
    """
    query("SET synchronous_commit = off")
    ((backend,),) = query("SELECT pg_backend_pid()")
    rounds: dict[Layout, list[float]] = {layout: [] for layout in layouts}
    for number in range(ROUNDS + 1):
        for layout in layouts if number % 2 else layouts[::-1]:
            use(layout)
            before = cpu.seconds_of([backend])
            work(layout)
            if number:
                used = cpu.seconds_of([backend]) - before
                rounds[layout].append(1_000_000 * used / count)
    query("RESET synchronous_commit")
    return {layout: statistics.median(values) for layout, values in rounds.items()}


def _compared(what: str, costs: dict[Layout, float]) -> list[Figure]:
    return [
        Figure(
            f"{what}, {NAMES[layout]}",
            f"{cost:.0f} µs" + ("" if layout is ONE else f", {cost / costs[ONE]:.2f} times"),
        )
        for layout, cost in costs.items()
    ]
