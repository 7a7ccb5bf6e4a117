"""A year of rows for the tables of a layout, and the inbox's INSERT as each layout needs it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from django.db import connection

from benchmarks.inbox import EVENTS_TABLE, empty_inbox, vacuum
from benchmarks.partitions import tables
from benchmarks.partitions.tables import FIRST_MONTH, KEYS_TABLE, MONTHLY, ONE, Layout, query, use
from couriers.contract.registry import CourierFactory
from couriers.models import CourierAccount
from webhooks import inbox

SHIPMENTS = 40_000
EVENTS, SCANS, CALLS = 480_000, 480_000, 120_000
# The time of row n of `count`: they are spread evenly from the first month until now.
SPREAD = f"{FIRST_MONTH} + (now() - ({FIRST_MONTH})) * n / %(count)s"
Row = dict[str, Any]


def recorded_insert(account: CourierAccount) -> tuple[str, Row]:
    """Store a callback as the inbox does; return its INSERT and its values."""
    seen: list[tuple[str, Row]] = []

    def record(execute: Callable[..., Any], sql: str, params: Any, *rest: Any) -> Any:
        seen.append((sql, params))
        return execute(sql, params, *rest)

    receiver = CourierFactory.receiver(account.courier_id)
    assert receiver is not None
    body = (
        b'{"ctime":1793400000000,"status":"In Transit","location":"PUNE","desc":"On its way",'
        b'"attempts":"0","wbn":"1","id":"T1","orderNumber":"1"}'
    )
    with connection.execute_wrapper(record):
        inbox.store_callback(account.pk, receiver, body)
    empty_inbox()
    ((sql, row),) = seen
    return sql, row


def fill(layout: Layout, account: CourierAccount, shipments: Sequence[str], row: Row) -> None:
    """Create the layout's tables and fill them. Only the events have all layouts."""
    tables.create(layout, EVENTS_TABLE)
    use(layout)
    insert_events(layout, row, EVENTS, SPREAD)
    if layout in (ONE, MONTHLY):
        tables.create(layout, tables.SCANS_TABLE)
        tables.create(layout, tables.CALLS_TABLE)
        values: Row = {"count": SCANS, "shipments": list(shipments), "each": SCANS // SHIPMENTS}
        query(
            f"INSERT INTO {tables.SCANS_TABLE} (shipment_id, tracking_id, at, status,"
            " courier_status, ndr_reason, location, description, ignored, lifted, received_at)"
            f" SELECT id, 'T', {SPREAD} - number * interval '8 hours', 'in_transit', 'In Transit',"
            " '', 'PUNE', 'On its way', false, false, now()"
            " FROM unnest(%(shipments)s::text[]) WITH ORDINALITY AS one (id, place),"
            " generate_series(1, %(each)s) AS number,"
            " LATERAL (SELECT place * %(each)s AS n) AS counted"
            f" WHERE {SPREAD} - number * interval '8 hours' >= {FIRST_MONTH}",
            values,
        )
        values |= {"count": CALLS, "each": CALLS // SHIPMENTS, "account": account.pk}
        query(
            f"INSERT INTO {tables.CALLS_TABLE} (account_id, shipment_id, operation, attempt,"
            " outcome, code, message, started_at, finished_at)"
            f" SELECT %(account)s, id, 'create_shipment', 1, 'ok', '', '', {SPREAD}, now()"
            " FROM unnest(%(shipments)s::text[]) WITH ORDINALITY AS one (id, place),"
            " generate_series(0, %(each)s - 1) AS number,"
            " LATERAL (SELECT (place - 1) * %(each)s + number AS n) AS counted",
            values,
        )
        vacuum(tables.SCANS_TABLE)
        vacuum(tables.CALLS_TABLE)
    vacuum(EVENTS_TABLE)


def insert_events(layout: Layout, row: Row, count: int, at: str, first: int = 1) -> None:
    """Insert processed events numbered from `first`, with the time `at`."""
    values = row | {"count": count}
    query(
        f"INSERT INTO {EVENTS_TABLE} (account_id, topic, content_hash, body, state, attempts,"
        " next_attempt_at, reason, received_at, processed_at, request_id)"
        f" SELECT %(account)s, %(topic)s, sha256(n::text::bytea), %(body)s, 'processed', 0, {at},"
        f" '', {at}, {at}, %(request)s FROM generate_series({first}, {first + count - 1}) AS n",
        values,
    )
    if layout.with_keys:
        query(
            f"INSERT INTO {KEYS_TABLE} SELECT %(account)s, sha256(n::text::bytea)"
            f" FROM generate_series({first}, {first + count - 1}) AS n",
            values,
        )


def insert_for(layout: Layout, sql: str) -> str:
    """Return the inbox's INSERT as the layout needs it."""
    target = "ON CONFLICT (account_id, content_hash)"
    if layout.by != "RANGE":
        return sql
    if not layout.with_keys:
        assert target in sql
        return sql.replace(target, f"{target[:-1]}, received_at)")
    found = re.fullmatch(r"\s*(INSERT .*)VALUES \((.*)\)\s*ON CONFLICT .*", sql, re.DOTALL)
    assert found is not None
    return (
        f"WITH known AS (INSERT INTO {KEYS_TABLE} VALUES (%(account)s, %(hash)s)"
        " ON CONFLICT DO NOTHING RETURNING 1)"
        f" {found[1]} SELECT {found[2]} FROM known"
    )
