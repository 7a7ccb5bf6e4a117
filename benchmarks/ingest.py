"""Ingest of callbacks against the floor: the same server, the same run, round by round.

Both answer under gunicorn with the same processes and threads, each inserts into a table with the
same unique hash, at 1, 10 and 50 connections and with up to five million rows already there.
"""

from __future__ import annotations

import statistics
import uuid
from dataclasses import dataclass, field

from django.db import transaction

from benchmarks import floor
from benchmarks.inbox import EVENTS, SECRET, execute, fill, new_account, servers, settle
from benchmarks.load import Measured, Task, measure
from couriers.models import CourierAccount
from shipcrowd.stack import Stack

ROWS = (0, 1_000_000, 5_000_000)
CONNECTIONS = (1, 10, 50)
ROUNDS = 4
SECONDS = 2.5
WORKERS, THREADS = 2, 8
BUDGET = 0.8
NOISE = 0.1  # of a ratio, between two runs of the same code on a quiet machine
P99_NOISE = 0.3  # the same for a 99th percentile, in which a pause of the machine's is all there is


@dataclass(slots=True)
class _Cell:
    """What was measured with so many rows and connections."""

    floor: list[Measured] = field(default_factory=list)
    ingest: list[Measured] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """The median of the rounds' own ratios: the machine's mood is in both parts of each."""
        pairs = zip(self.ingest, self.floor, strict=True)
        return statistics.median(ours.rate / least.rate for ours, least in pairs)

    @property
    def p99_ratio(self) -> float:
        """The same for the 99th percentile of the latency; less is better."""
        pairs = zip(self.ingest, self.floor, strict=True)
        return statistics.median(ours.p99 / least.p99 for ours, least in pairs)

    def line(self, rows: int, connections: int) -> str:
        def middle(name: str, found: list[Measured]) -> float:
            return statistics.median(getattr(one, name) for one in found)

        return (
            f"ingest: {rows:>9,} rows, {connections:>2} connections: "
            f"{middle('rate', self.ingest):6.0f}/s of {middle('rate', self.floor):6.0f}/s, "
            f"ratio {self.ratio:.2f} (≥ {BUDGET}); "
            f"p99 {middle('p99', self.ingest):.1f} ms of {middle('p99', self.floor):.1f} ms, "
            f"ratio {self.p99_ratio:.2f}"
        )


def run() -> bool:
    """Run it; False where the budget is missed, or gets worse with the rows."""
    account = new_account()
    execute(f"DROP TABLE IF EXISTS {floor.TABLE}")
    execute(floor.CREATE)
    good = True
    cells: dict[tuple[int, int], _Cell] = {}
    environment = {"FLOOR_SECRET": SECRET, "LOG_LEVEL": "ERROR"}
    with Stack(servers(), environment) as ours, Stack(servers(), environment) as least:
        ours.start_web(workers=WORKERS, threads=THREADS)
        least.start_web(workers=WORKERS, threads=THREADS, application="benchmarks.floor")
        ours.until_ready()
        there = 0
        for rows in ROWS:
            _fill_both(account, there, rows)
            there = rows
            for connections in CONNECTIONS:
                cell = cells[rows, connections] = _Cell()
                # One round to warm up, which does not count.
                for number in range(ROUNDS + 1):
                    tasks = (
                        _task(least.port, f"/{account.pk}/", connections),
                        _task(ours.port, account.webhook_path, connections),
                    )
                    found = [measure(task) for task in tasks]
                    if number:
                        cell.floor.append(found[0])
                        cell.ingest.append(found[1])
                    good &= not any(one.wrong for one in found)
                print(cell.line(rows, connections), flush=True)
                good &= cell.ratio >= BUDGET
    for connections in CONNECTIONS:
        few, many = cells[ROWS[0], connections], cells[ROWS[-1], connections]
        print(
            f"ingest: {connections:>2} connections, from {ROWS[0]:,} to {ROWS[-1]:,} rows: "
            f"ratio {few.ratio:.2f} → {many.ratio:.2f}, "
            f"p99 against the floor's {few.p99_ratio:.2f} → {many.p99_ratio:.2f}"
        )
        good &= many.ratio >= few.ratio - NOISE
        good &= many.p99_ratio <= few.p99_ratio + P99_NOISE
    execute(f"DROP TABLE {floor.TABLE}")
    execute(f"TRUNCATE {EVENTS}")
    return good


def _task(port: int, path: str, connections: int) -> Task:
    return Task(port, path, SECRET, connections, SECONDS, uuid.uuid4().hex[:8])


def _fill_both(account: CourierAccount, begin: int, end: int) -> None:
    if begin == end:
        return
    fill(account, begin, end)
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
    settle(floor.TABLE)
