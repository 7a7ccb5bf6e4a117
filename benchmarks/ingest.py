"""Ingest of callbacks compared with the floor: same server, same run, alternating rounds.

Both run under nginx and gunicorn with the same settings and insert into a table with a unique
hash. They are measured at 1, 10 and 50 connections, with up to a million rows in both tables.
"""

from __future__ import annotations

import statistics
import uuid
from dataclasses import dataclass, field, replace

from django.db import transaction

from benchmarks import ingest_floor, plots
from benchmarks.figures import Figure, at_least
from benchmarks.inbox import (
    SECRET,
    account_with_secret,
    current_servers,
    empty_inbox,
    execute,
    insert_processed_events,
    vacuum,
)
from benchmarks.load import LoadResult, LoadTask, measure
from couriers.models import CourierAccount
from shipcrowd.stack import Stack
from tests.support.callbacks import callback_path

ROWS = (0, 1_000_000)
CONNECTIONS = (1, 10, 50)
ROUNDS = 4
SECONDS = 2.0  # of one round
BUDGET = 0.8  # the least ratio of ingest's rate to the floor's
# How much two ratios of the same code differ on a quiet machine; a 99th percentile differs more,
# since one pause of the machine decides it.
NOISE = 0.1
P99_NOISE = 0.3


@dataclass(slots=True)
class _Comparison:
    """The rounds with one number of rows and connections; `errors` of the warm-up count too."""

    floor: list[LoadResult] = field(default_factory=list)
    ingest: list[LoadResult] = field(default_factory=list)
    errors: int = 0

    @property
    def ratio(self) -> float:
        """The median of the rounds' ratios of rates. Both parts of a round ran close together."""
        pairs = zip(self.ingest, self.floor, strict=True)
        return statistics.median(ingest.rate / floor.rate for ingest, floor in pairs)

    @property
    def p99_ratio(self) -> float:
        """The median of the rounds' ratios of 99th percentiles; lower is better."""
        pairs = zip(self.ingest, self.floor, strict=True)
        return statistics.median(ingest.p99 / floor.p99 for ingest, floor in pairs)

    def median(self, which: str, name: str) -> float:
        """Return the median of a result of the rounds, of `ingest` or of `floor`."""
        return statistics.median(getattr(one, name) for one in getattr(self, which))

    def figure(self, rows: int, connections: int) -> Figure:
        """Return the ratio with so many rows and connections, and the rates that it is made of."""
        held = at_least(
            f"webhook throughput against the floor, {rows:,} rows, {connections} connections",
            self.ratio,
            BUDGET,
        )
        rates = f"{self.median('ingest', 'rate'):.0f}/s of {self.median('floor', 'rate'):.0f}/s"
        errors = f", {self.errors} refused" if self.errors else ""
        return replace(
            held, figure=f"{held.figure} ({rates}{errors})", met=held.met and not self.errors
        )


def run() -> list[Figure]:
    """Measure the ratios, at few and at many rows."""
    empty_inbox()
    account = account_with_secret()
    execute(f"DROP TABLE IF EXISTS {ingest_floor.TABLE}")
    execute(ingest_floor.CREATE)
    comparisons: dict[tuple[int, int], _Comparison] = {}
    environment = {"FLOOR_SECRET": SECRET, "LOG_LEVEL": "ERROR"}
    servers = current_servers()
    with Stack(servers, environment) as platform, Stack(servers, environment) as floor_stack:
        platform.start_web()
        floor_stack.start_web("benchmarks.ingest_floor")
        platform.wait_until_ready()
        stored = 0
        for rows in ROWS:
            _fill_both_tables(account, stored, rows)
            stored = rows
            for connections in CONNECTIONS:
                comparison = _compare(account, platform.port, floor_stack.port, connections)
                comparisons[rows, connections] = comparison
    execute(f"DROP TABLE {ingest_floor.TABLE}")
    empty_inbox()
    plots.latencies(
        "ingest",
        "A callback's 99th percentile, by rows and connections",
        {
            name: {
                f"{rows:,} rows\n{connections} connections": one.median(name, "p99")
                for (rows, connections), one in comparisons.items()
            }
            for name in ("ingest", "floor")
        },
    )
    return [
        *(one.figure(*where) for where, one in comparisons.items()),
        *(_growth(comparisons, connections) for connections in CONNECTIONS),
    ]


def _compare(account: CourierAccount, port: int, floor_port: int, connections: int) -> _Comparison:
    """Measure both in turn, once to warm up and ROUNDS times."""
    comparison = _Comparison()
    for number in range(ROUNDS + 1):
        floor_result = measure(_task(floor_port, f"/{account.pk}/", connections))
        result = measure(_task(port, callback_path(account), connections))
        comparison.errors += floor_result.errors + result.errors
        if number:
            comparison.floor.append(floor_result)
            comparison.ingest.append(result)
    return comparison


def _growth(comparisons: dict[tuple[int, int], _Comparison], connections: int) -> Figure:
    """Compare the ratios with few and with many rows, within the noise."""
    few, many = comparisons[ROWS[0], connections], comparisons[ROWS[-1], connections]
    is_flat = many.ratio >= few.ratio - NOISE and many.p99_ratio <= few.p99_ratio + P99_NOISE
    return Figure(
        f"— from {ROWS[0]:,} to {ROWS[-1]:,} rows, {connections} connections",
        f"ratio {few.ratio:.2f} → {many.ratio:.2f}, p99's {few.p99_ratio:.2f} → "
        f"{many.p99_ratio:.2f}",
        "flat",
        is_flat,
    )


def _fill_both_tables(account: CourierAccount, begin: int, end: int) -> None:
    """Insert the rows numbered from `begin` up to, not including, `end` into both tables."""
    if begin == end:
        return
    insert_processed_events(account, begin, end)
    with transaction.atomic():
        execute(f"ALTER TABLE {ingest_floor.TABLE} DROP CONSTRAINT bench_floor_once")
        execute(
            f"""
            INSERT INTO {ingest_floor.TABLE} (account_id, content_hash, body, received_at)
            SELECT '{account.pk}', sha256(n::text::bytea), n::text::bytea, now()
            FROM generate_series({begin}, {end - 1}) AS n
            """
        )
        execute(
            f"ALTER TABLE {ingest_floor.TABLE} ADD CONSTRAINT bench_floor_once"
            " UNIQUE (account_id, content_hash)"
        )
    vacuum(ingest_floor.TABLE)


def _task(port: int, path: str, connections: int) -> LoadTask:
    return LoadTask(port, path, SECRET, connections, SECONDS, uuid.uuid4().hex[:8])
