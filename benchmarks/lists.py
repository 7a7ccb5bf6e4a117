"""Lists with up to a million shipments and five million scans: statements and milliseconds.

PostgreSQL generates the rows, in steps. At each step the API's first page of 50 and the operators'
first page are asked for in this process; the milliseconds are the median of some requests, of
which the database's part is what can grow with the rows. With all rows, /metrics is read, too: its
gauges look at every shipment under way. Then the operators' first page is (first_page).
"""

from __future__ import annotations

import statistics
import time

from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from benchmarks import first_page, plots
from benchmarks.figures import Figure, at_most
from benchmarks.inbox import execute, vacuum
from benchmarks.merchants import Merchant
from couriers.models import Scan, Shipment
from tests.support.parcels import make_shipments

SHIPMENTS_TABLE, SCANS_TABLE = Shipment._meta.db_table, Scan._meta.db_table
STEPS = (1_000, 10_000, 100_000, 1_000_000)
SCANS = 5  # of each shipment
REQUESTS = 15
MAX_STATEMENTS = {"API": 3, "operators": 12}
MAX_SCRAPE = 10_000  # milliseconds: `scrape_timeout` of monitoring/prometheus.yml
# How much slower a page may be with the most rows than with the fewest: more than the noise.
FLAT = 2.0


def run() -> list[Figure]:
    """Fill the tables in steps, and measure both pages at each."""
    execute(f"TRUNCATE {SHIPMENTS_TABLE} CASCADE")
    merchant = Merchant.at("http://127.0.0.1:9")
    pages = {
        "API": (_api(merchant), "/api/v1/shipments/?page_size=50"),
        "operators": (_operator(), "/admin/shipcrowd_couriers/shipment/"),
    }
    measured: dict[str, dict[int, tuple[int, float, float]]] = {name: {} for name in pages}
    template = make_shipments(merchant.account, 1, status="in_transit")[0]
    stored = 1
    for rows in STEPS:
        _fill(template, stored, rows)
        stored = rows
        for name, (client, path) in pages.items():
            measured[name][rows] = _measure(client, path)
    scrape = _measure(Client(SERVER_NAME="127.0.0.1"), "/metrics")
    operators = first_page.run(merchant.account.company)
    execute(f"TRUNCATE {SHIPMENTS_TABLE} CASCADE")
    plots.growth(
        "lists",
        "First page of shipments: milliseconds by rows",
        "shipments (and five times as many scans)",
        {
            f"{name}, {part}": {rows: one[place] for rows, one in by_rows.items()}
            for name, by_rows in measured.items()
            for place, part in ((1, "the request"), (2, "its statements"))
        },
    )
    return [
        *(figure for name in pages for figure in _figures(name, measured[name])),
        at_most(f"a scrape of /metrics, {stored:,} shipments under way", scrape[1], MAX_SCRAPE,
                "ms", 0),
        Figure("— milliseconds of its statements", f"{scrape[2]:.0f}"),
        *operators,
    ]  # fmt: skip


def _figures(name: str, by_rows: dict[int, tuple[int, float, float]]) -> list[Figure]:
    few, many = by_rows[STEPS[0]], by_rows[STEPS[-1]]
    page = {"API": "list 50 shipments", "operators": "the operators' first page of shipments"}[name]
    most = max(statements for statements, _, _ in by_rows.values())
    return [
        at_most(f"{page}: statements", most, MAX_STATEMENTS[name], "", 0),
        at_most(
            f"— {STEPS[-1]:,} shipments, {SCANS * STEPS[-1]:,} scans against {STEPS[0]:,}: time",
            many[1] / few[1], FLAT, "times",
        ),
        Figure("— milliseconds, of which statements", f"{few[1]:.0f}, {few[2]:.1f} → "
               f"{many[1]:.0f}, {many[2]:.1f}"),
    ]  # fmt: skip


def _api(merchant: Merchant) -> Client:
    return Client(SERVER_NAME="127.0.0.1", headers={"Authorization": f"Api-Key {merchant.key}"})


def _operator() -> Client:
    client, name = Client(SERVER_NAME="127.0.0.1"), f"bench-{time.time_ns():x}"
    client.force_login(get_user_model().objects.create_superuser(name))
    return client


def _measure(client: Client, path: str) -> tuple[int, float, float]:
    """Return the statements of a request, and the median milliseconds of it and of them."""
    requests, statements = [], []
    for _ in range(REQUESTS):
        with CaptureQueriesContext(connection) as captured:
            started = time.perf_counter()
            answer = client.get(path)
            requests.append(1000 * (time.perf_counter() - started))
        if answer.status_code != 200:
            raise RuntimeError(f"{path} answered {answer.status_code}")
        statements.append(1000 * sum(float(query["time"]) for query in captured))
    return len(captured), statistics.median(requests), statistics.median(statements)


def _fill(template: str, begin: int, end: int) -> None:
    """Insert copies of a shipment with scans, numbered from `begin` up to, not including, `end`."""
    new = {
        "id": "'shp_' || lpad(n::text, 26, '0')",
        "order_number": "'L-' || n",
        "tracking_id": "'L-' || n",
        "booked_at": "now() - n % 60 * interval '12 hours'",
    }
    columns = [field.column for field in Shipment._meta.concrete_fields]
    execute(
        f"INSERT INTO {SHIPMENTS_TABLE} ({', '.join(columns)})"
        f" SELECT {', '.join(new.get(name, f'one.{name}') for name in columns)}"
        f" FROM {SHIPMENTS_TABLE} AS one, generate_series({begin}, {end - 1}) AS n"
        f" WHERE one.id = '{template}'"
    )
    execute(
        f"INSERT INTO {SCANS_TABLE} (shipment_id, tracking_id, at, status, courier_type,"
        " courier_status, courier_code, ndr_reason, location, description, ignored, lifted,"
        " received_at)"
        f" SELECT {new['id']}, {new['tracking_id']}, now() - k * interval '1 hour' - n % 60 *"
        " interval '12 hours', CASE WHEN k = 1 AND n % 10 = 0 THEN 'undelivered'"
        " WHEN k = 1 AND n % 20 = 1 THEN 'rto_in_transit' ELSE 'in_transit' END,"
        " '', 'In Transit', '', '', 'PUNE', '', false, false, now()"
        f" FROM generate_series({begin}, {end - 1}) AS n, generate_series(1, {SCANS}) AS k"
    )
    for table in (SHIPMENTS_TABLE, SCANS_TABLE):
        vacuum(table)
