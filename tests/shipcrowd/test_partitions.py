"""What the decision about partitions rests on holds for the tables and statements as they are."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from benchmarks.inbox import account_with_secret
from benchmarks.partitions import inserts, reads, rows
from benchmarks.partitions.swap import swap
from benchmarks.partitions.tables import LAYOUTS, ONE, SCANS_TABLE, query, scratch_schemas
from tests.support.parcels import make_shipments

pytestmark = [pytest.mark.own_session, pytest.mark.django_db(transaction=True)]
SHIPMENTS, REPEATS, SCANS = 120, 60, 100


@pytest.fixture
def filled(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[list[str], str, rows.Row]]:
    """A year of few rows in all layouts: the shipments, the inbox's INSERT and its values."""
    for name, value in {"EVENTS": 2400, "SCANS": 1440, "CALLS": 360}.items():
        monkeypatch.setattr(rows, name, value)
    monkeypatch.setattr(rows, "SHIPMENTS", SHIPMENTS)
    monkeypatch.setattr(inserts, "REPEATS", REPEATS)
    monkeypatch.setattr(inserts, "SCANS_A_ROUND", SCANS)
    account = account_with_secret()
    shipments = make_shipments(account, SHIPMENTS)
    sql, row = rows.recorded_insert(account)
    with scratch_schemas():
        for layout in LAYOUTS:
            rows.fill(layout, account, shipments, row)
        yield shipments, sql, row


def test_a_month_in_its_key_stores_a_repeated_callback_twice_and_a_scan_once(
    filled: tuple[list[str], str, rows.Row],
) -> None:
    shipments, sql, row = filled
    of_callbacks = [one.figure for one in inserts.repeats_of_events(sql, row)]
    assert of_callbacks == ["0 of 60", "60 of 60", "0 of 60", "0 of 60"]
    of_scans = [one.figure for one in inserts.repeats_of_scans(shipments)]
    assert of_scans == ["0 of 100", "0 of 100"]
    by_id = {one.what: one.figure for one in reads.of_all(shipments)}
    assert by_id["read a call by its id, one table"].endswith(" 1 tables")
    assert by_id["read a call by its id, by month"].endswith(" 13 tables")


def test_a_table_in_use_becomes_a_partition_and_its_scans_are_still_stored_once(
    filled: tuple[list[str], str, rows.Row],
) -> None:
    shipments, _, _ = filled
    before = query(f"SELECT count(*), max(id) FROM {ONE.schema}.{SCANS_TABLE}")
    swap(ONE, SCANS_TABLE)
    assert query(f"SELECT count(*), max(id) FROM {SCANS_TABLE}") == before
    assert inserts.scans_stored_twice(shipments, partitioned=True) == "0 of 100"
    ((rows_after, last),) = query(f"SELECT count(*), max(id) FROM {SCANS_TABLE}")
    assert (rows_after - before[0][0], last > before[0][1]) == (SCANS, True)
