"""The operators' first page with all rows of `lists`: statements, milliseconds and plans.

The rows are given statuses, days and flags first. No statement may read the whole table of
shipments or of scans; the plans are printed.
"""

from __future__ import annotations

import re
import statistics
import time
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from benchmarks.figures import Figure, at_most
from benchmarks.inbox import execute, vacuum
from couriers.models import Company, Scan, Shipment, ShipmentFlag, StaffScope
from couriers.operations.day_figures import count_days, count_due_days, last_days

SHIPMENTS, SCANS = Shipment._meta.db_table, Scan._meta.db_table
REQUESTS = 20
MAX_STATEMENTS, MAX_MILLISECONDS = 12, 300
WINDOW = "/admin/?days=30"
WHOLE_TABLE = re.compile(rf"Seq Scan on ({SHIPMENTS}|{SCANS})\b")
# Of a thousand shipments, the statuses of those that are not in transit.
MIX = (
    ("delivered", 150), ("undelivered", 15), ("not_picked", 5), ("failed", 5),
    ("rto_in_transit", 20), ("rto_delivered", 40), ("lost", 1), ("in_doubt", 1),
)  # fmt: skip


def run(company: Company) -> list[Figure]:
    """Measure the page for a user who sees all, and for one who is held to the company of all."""
    _mix()
    started = time.perf_counter()
    count_days(last_days())
    all_days = time.perf_counter() - started
    with CaptureQueriesContext(connection) as counting:
        started = time.perf_counter()
        count_due_days()
        one_run = time.perf_counter() - started
    figures, statements = [], [query["sql"] for query in counting]
    for whose, client in (("sees all", _boss()), ("is held to a company", _held(company))):
        page = f"the operators' first page, for whom {whose}"
        made, times, busy, waited = _measure(client)
        statements += made
        figures += [
            at_most(f"{page}: statements", len(made), MAX_STATEMENTS, "", 0),
            at_most("— milliseconds, 95 % of requests", times[-2], MAX_MILLISECONDS, "ms", 0),
            Figure(
                "— milliseconds, half of requests: in all, of which this process and statements",
                f"{statistics.median(times):.0f}, {statistics.median(busy):.0f},"
                f" {statistics.median(waited):.0f}",
            ),
        ]
    whole = sum(_reads_whole_table(one) for one in statements)
    return [
        *figures,
        at_most("— statements that read all shipments or scans", whole, 0, "", 0),
        Figure("count the figures of 30 days, of 5 days as each minute",
               f"{1000 * all_days:.0f}, {1000 * one_run:.0f} ms"),
    ]  # fmt: skip


def _mix() -> None:
    """Give the shipments statuses and days, and a thousand of them a flag."""
    number = "right(id, 26)::bigint"
    last, cases = 0, []
    for status, share in MIX:
        cases.append(f"WHEN {number} % 1000 < {last + share} THEN '{status}'")
        last += share
    execute(
        f"UPDATE {SHIPMENTS} SET status = CASE {' '.join(cases)} END,"
        f" status_at = now() - {number} % 90 * interval '8 hours'"
        f" WHERE id ~ '^shp_[0-9]{{26}}$' AND {number} % 1000 < {last}"
    )
    execute(
        f"INSERT INTO {ShipmentFlag._meta.db_table} (shipment_id, kind, tracking_id, order_number,"
        " raised_at, clear_reason) SELECT id, 'late_answer', '', '', now(), ''"
        f" FROM {SHIPMENTS} WHERE status = 'lost'"
    )
    for table in (SHIPMENTS, SCANS):
        vacuum(table)


def _boss() -> Client:
    return _logged_in(is_superuser=True)


def _held(company: Company) -> Client:
    """A client of a user with every permission to view, who is held to the company."""
    client = _logged_in(is_superuser=False)
    user = get_user_model().objects.latest("pk")
    user.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    StaffScope.objects.create(user=user).companies.add(company)
    return client


def _logged_in(**fields: Any) -> Client:
    client = Client(SERVER_NAME="127.0.0.1")
    name = f"first-page-{time.time_ns():x}"
    client.force_login(get_user_model().objects.create(username=name, is_staff=True, **fields))
    return client


def _measure(client: Client) -> tuple[list[str], list[float], list[float], list[float]]:
    """Return the statements of a request, and the milliseconds of each request, sorted.

    Those are in all, those that this process was busy, and those of the statements.
    """
    times, busy, waited = [], [], []
    for _ in range(REQUESTS):
        with CaptureQueriesContext(connection) as captured:
            started, used = time.perf_counter(), time.process_time()
            answer = client.get(WINDOW)
            times.append(1000 * (time.perf_counter() - started))
            busy.append(1000 * (time.process_time() - used))
        waited.append(1000 * sum(float(query["time"]) for query in captured))
        if answer.status_code != 200 or b'data-tile="ndr"' not in answer.content:
            raise RuntimeError(f"{WINDOW} answered {answer.status_code}")
    return [query["sql"] for query in captured], sorted(times), sorted(busy), sorted(waited)


def _reads_whole_table(statement: str) -> bool:
    """Print the plan of the statement; return whether it reads all shipments or scans."""
    if not statement.lstrip("(").startswith("SELECT"):
        return False
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN " + statement.replace("%", "%%"), [])
        plan = [line for (line,) in cursor.fetchall()]
    print("\n".join(("", statement[:200], *plan)))
    return any(WHOLE_TABLE.search(line) for line in plan)
