"""Partitioning scans, callbacks and calls by month: what it costs and gives, beside one table each.

A year of rows is stored in scratch schemas, as the tables are and partitioned. Then, in turn in one
run: PostgreSQL's CPU for the platform's own INSERTs, repeats that are stored twice, reads
by keys that have no month in them, deleting a month, and partitioning a table that is in use. No
figure has a budget: docs/scaling.md decides by them.
"""

from __future__ import annotations

from benchmarks.figures import Figure
from benchmarks.inbox import account_with_secret, empty_inbox
from benchmarks.partitions import inserts, purges, reads
from benchmarks.partitions.rows import SCANS, SHIPMENTS, fill, recorded_insert
from benchmarks.partitions.swap import swap
from benchmarks.partitions.tables import LAYOUTS, ONE, SCANS_TABLE, scratch_schemas
from tests.support.parcels import make_shipments


def run() -> list[Figure]:
    """Fill the tables and measure."""
    empty_inbox()
    account = account_with_secret()
    shipments = make_shipments(account, SHIPMENTS)
    sql, row = recorded_insert(account)
    with scratch_schemas():
        for layout in LAYOUTS:
            fill(layout, account, shipments, row)
        figures = [
            *purges.sizes(),
            *inserts.costs_of_events(sql, row),
            *inserts.repeats_of_events(sql, row),
            *inserts.costs_of_scans(shipments),
            *inserts.repeats_of_scans(shipments),
            *reads.of_all(shipments),
            *purges.of_events(row),
        ]
        done = swap(ONE, SCANS_TABLE)
        twice = inserts.scans_stored_twice(shipments, partitioned=True)
    return [
        *figures,
        Figure(
            f"partition the table of {SCANS:,} scans while it is used",
            f"locked for {done.locked:.0f} ms, prepared beside it in {done.preparing:.1f} s",
        ),
        Figure("— scans stored twice afterwards", twice),
    ]
