"""Bookings a second: the sample orders many times over against the sandbox.

One process with eight threads; prints the median of three rounds, and whether any order was
booked twice.
"""

from __future__ import annotations

import csv
import statistics
import tempfile
import time
from pathlib import Path

from couriers.booking.spreadsheet import ReportRow, book_orders, read_file
from couriers.models.job import OrderOutcome
from couriers_ekart.seeding import seed
from sandbox.process import SandboxProcess


def run() -> bool:
    """Run it; False if an order was booked twice."""
    with SandboxProcess("ekart", "--hold") as sandbox, tempfile.TemporaryDirectory() as folder:
        seeded = seed(
            f"bench-{int(time.time())}",
            {
                "name": "Bench", "gstin": "29AAGCR4375J1ZU", "address": "1 Example Road",
                "city": "Bengaluru", "state": "Karnataka", "pincode": "560001",
                "phone": "9845012345",
            },
            {
                "base_url": sandbox.url, "client_id": "sandbox", "username": "sandbox",
                "password": "sandbox",
            },
            {"create_shipment": {"count": 100000, "window": 1}},
        )  # fmt: skip
        company = seeded.account.company
        rates = []
        for round_ in range(3):
            orders = read_file(_many(Path(folder), round_))
            rows: list[ReportRow] = []
            started = time.perf_counter()
            book_orders(company, "ekart", orders, workers=8, done=rows.append)
            took = time.perf_counter() - started
            booked = sum(row.outcome == OrderOutcome.BOOKED for row in rows)
            rates.append(booked / took)
        state = sandbox.state()
    print(f"bookings: {statistics.median(rates):.0f} a second (median of {len(rates)} rounds)")
    print(f"duplicates: {state['duplicates']} of {state['booked']} booked")
    return not state["duplicates"]


def _many(folder: Path, round_: int) -> Path:
    """The sample orders twenty times, each with a number of its own."""
    with Path("fixtures/orders_sample.csv").open() as file:
        rows = list(csv.DictReader(file))
    path = folder / f"{round_}.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        for copy in range(20):
            for row in rows:
                number = f"{row['order_number']}-{round_}-{copy}"
                writer.writerow(row | {"order_number": number})
    return path
