"""Bookings a second: the sample orders, many times over, against the sandbox of Ekart.

One process books with eight threads. The rate is the median of three rounds.
"""

from __future__ import annotations

import csv
import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.accounts import create_account
from benchmarks.figures import Figure
from couriers.booking.spreadsheet import ReportRow, book_orders, read_file
from couriers.models.job import OrderOutcome
from sandbox.process import SandboxProcess

ROUNDS = 3
COPIES = 10  # of the sample orders in each round
THREADS = 8
LIMITS = {"create_shipment": {"count": 100000, "window": 1}}


def run() -> list[Figure]:
    """Measure the rate, and count what the sandbox booked twice."""
    with SandboxProcess("ekart", "--hold") as sandbox, tempfile.TemporaryDirectory() as folder:
        company = create_account(sandbox.url, LIMITS).company
        rates = []
        for number in range(ROUNDS):
            orders = read_file(_write_orders(Path(folder), number))
            rows: list[ReportRow] = []
            started = time.perf_counter()
            book_orders(company, "ekart", orders, workers=THREADS, done=rows.append)
            seconds = time.perf_counter() - started
            booked = sum(row.outcome == OrderOutcome.BOOKED for row in rows)
            rates.append(booked / seconds)
        state = sandbox.state()
    rate, duplicates = statistics.median(rates), state["duplicates"]
    what = f"`book_orders` of one process with {THREADS} threads"
    return [
        Figure(what, f"{rate:.0f} orders a second"),
        Figure(f"— booked twice of {state['booked']:,}", str(duplicates), "0", not duplicates),
    ]


def _write_orders(folder: Path, round_number: int) -> Path:
    """Write a CSV file with copies of the sample orders, each with its own order number."""
    with Path("fixtures/orders_sample.csv").open() as file:
        rows = list(csv.DictReader(file))
    path = folder / f"{round_number}.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        for copy in range(COPIES):
            for row in rows:
                order_number = f"{row['order_number']}-{round_number}-{copy}"
                writer.writerow(row | {"order_number": order_number})
    return path
