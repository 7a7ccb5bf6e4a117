"""Ingest of callbacks compared with the floor: same server, same run, alternating rounds.

Both run under nginx and gunicorn with the same settings and insert into a table with a unique
hash. They are measured at 1, 10 and 50 connections, with up to five million rows in both tables.
"""

from __future__ import annotations

import statistics
import uuid
from dataclasses import dataclass, field

from django.db import transaction

from benchmarks import floor
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

ROWS = (0, 1_000_000, 5_000_000)
CONNECTIONS = (1, 10, 50)
ROUNDS = 4
SECONDS = 2.5  # of one round
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

    def line(self, rows: int, connections: int) -> str:
        def median(name: str, results: list[LoadResult]) -> float:
            return statistics.median(getattr(one, name) for one in results)

        return (
            f"ingest: {rows:>9,} rows, {connections:>2} connections: "
            f"{median('rate', self.ingest):6.0f}/s of {median('rate', self.floor):6.0f}/s, "
            f"ratio {self.ratio:.2f} (≥ {BUDGET}); "
            f"p99 {median('p99', self.ingest):.1f} ms of {median('p99', self.floor):.1f} ms, "
            f"ratio {self.p99_ratio:.2f}"
        )


def run() -> bool:
    """Run the benchmark; False if a ratio misses the budget or gets worse with the rows."""
    empty_inbox()
    account = account_with_secret()
    execute(f"DROP TABLE IF EXISTS {floor.TABLE}")
    execute(floor.CREATE)
    comparisons: dict[tuple[int, int], _Comparison] = {}
    environment = {"FLOOR_SECRET": SECRET, "LOG_LEVEL": "ERROR"}
    servers = current_servers()
    with Stack(servers, environment) as platform, Stack(servers, environment) as floor_stack:
        platform.start_web()
        floor_stack.start_web("benchmarks.floor")
        platform.wait_until_ready()
        stored = 0
        for rows in ROWS:
            _fill_both_tables(account, stored, rows)
            stored = rows
            for connections in CONNECTIONS:
                comparison = _compare(account, platform.port, floor_stack.port, connections)
                comparisons[rows, connections] = comparison
                print(comparison.line(rows, connections), flush=True)
    passed = all(one.ratio >= BUDGET and not one.errors for one in comparisons.values())
    passed &= _is_flat(comparisons)
    execute(f"DROP TABLE {floor.TABLE}")
    empty_inbox()
    return passed


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


def _is_flat(comparisons: dict[tuple[int, int], _Comparison]) -> bool:
    """Print how the ratios change with the rows; return whether that is within the noise."""
    flat = True
    for connections in CONNECTIONS:
        few, many = comparisons[ROWS[0], connections], comparisons[ROWS[-1], connections]
        print(
            f"ingest: {connections:>2} connections, from {ROWS[0]:,} to {ROWS[-1]:,} rows: "
            f"ratio {few.ratio:.2f} → {many.ratio:.2f}, "
            f"p99 against the floor's {few.p99_ratio:.2f} → {many.p99_ratio:.2f}"
        )
        flat &= many.ratio >= few.ratio - NOISE
        flat &= many.p99_ratio <= few.p99_ratio + P99_NOISE
    return flat


def _fill_both_tables(account: CourierAccount, begin: int, end: int) -> None:
    """Insert the rows numbered from `begin` up to, not including, `end` into both tables."""
    if begin == end:
        return
    insert_processed_events(account, begin, end)
    with transaction.atomic():
        execute(f"ALTER TABLE {floor.TABLE} DROP CONSTRAINT bench_floor_once")
        execute(
            f"""
            INSERT INTO {floor.TABLE} (account_id, content_hash, body, received_at)
            SELECT '{account.pk}', sha256(n::text::bytea), n::text::bytea, now()
            FROM generate_series({begin}, {end - 1}) AS n
            """
        )
        execute(
            f"ALTER TABLE {floor.TABLE} ADD CONSTRAINT bench_floor_once"
            " UNIQUE (account_id, content_hash)"
        )
    vacuum(floor.TABLE)


def _task(port: int, path: str, connections: int) -> LoadTask:
    return LoadTask(port, path, SECRET, connections, SECONDS, uuid.uuid4().hex[:8])
