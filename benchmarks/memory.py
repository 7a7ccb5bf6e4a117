"""Memory of a web process and of a worker after many requests, and of `book_orders`.

Both parts have a time limit; the figures say how far they came.
"""

from __future__ import annotations

import csv
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

import psutil

from benchmarks import cpu, plots
from benchmarks.figures import Figure, at_most
from benchmarks.inbox import SECRET, current_servers, empty_inbox
from benchmarks.load import LoadTask, measure
from benchmarks.merchants import Merchant, order
from benchmarks.recorded_booking import SHIPMENTS
from couriers.models import Shipment
from sandbox.process import SandboxProcess
from shipcrowd.stack import INBOX_QUEUES, Stack
from tests.support.callbacks import callback_path

REQUESTS = 50_000
API_REQUESTS = 30  # of each kind, for each burst of callbacks
SECONDS = 300.0  # the longest that the requests may take
BURST = 5.0  # seconds of callbacks
MAX_PROCESS, MAX_COMMAND = 200.0, 300.0  # megabytes
LINES = 100_000
COMMAND_SECONDS = 60.0  # then `book_orders` is stopped


def run() -> list[Figure]:
    """Measure the processes, then the command."""
    with SandboxProcess("ekart", "--hold") as sandbox:
        merchant = Merchant.at(sandbox.url)
        merchant.account.webhook_secret = SECRET
        merchant.account.save()
        return [*_processes(merchant), _command(merchant)]


def _processes(merchant: Merchant) -> list[Figure]:
    """Send callbacks and API requests to one web process, and let one worker apply them."""
    empty_inbox()
    settings = {"DJANGO_SETTINGS_MODULE": "benchmarks.unthrottled"}
    own = {"LOG_LEVEL": "CRITICAL", "WEB_WORKERS": "1", **settings}
    with Stack(current_servers(), own) as stack:
        gunicorn = stack.start_web()
        worker = stack.start_worker(queues=INBOX_QUEUES)
        stack.wait_until_ready()
        web, sizes, requests = cpu.children_of(gunicorn.pid)[0], {}, 0
        end = time.monotonic() + SECONDS
        while requests < REQUESTS and time.monotonic() < end:
            requests += _burst(stack, merchant)
            sizes[float(requests)] = cpu.megabytes_of(web), cpu.megabytes_of(worker.pid)
    empty_inbox()
    plots.over_time(
        "memory",
        "Memory of a web process and a worker",
        "requests to the web process",
        {
            name: {count: size[place] for count, size in sizes.items()}
            for place, name in enumerate(("web", "worker"))
        },
    )
    first, last = next(iter(sizes.values())), list(sizes.values())[-1]
    return [
        at_most(f"memory of a web process after {requests:,} requests", last[0], MAX_PROCESS,
                "MB", 0),
        Figure("— after the first few thousand", f"{first[0]:.0f} MB"),
        at_most("memory of a worker after as many callbacks", last[1], MAX_PROCESS, "MB", 0),
    ]  # fmt: skip


def _burst(stack: Stack, merchant: Merchant) -> int:
    """Send callbacks for a few seconds, and some API requests; return how many requests."""
    path, mark = callback_path(merchant.account), uuid.uuid4().hex[:8]
    result = measure(LoadTask(stack.port, path, SECRET, 10, BURST, mark))
    for number in range(API_REQUESTS):
        stack.request("POST", SHIPMENTS, order("ekart", f"{mark}-{number}"), key=merchant.key)
        stack.request("GET", SHIPMENTS, key=merchant.key)
    return result.requests + 2 * API_REQUESTS


def _command(merchant: Merchant) -> Figure:
    """Run `book_orders` with all lines until its time is over; return its largest memory."""
    with tempfile.TemporaryDirectory() as folder:
        command = subprocess.Popen(
            [
                sys.executable, "manage.py", "book_orders", _write_orders(Path(folder)),
                "--company", merchant.account.company.slug, "--courier", "ekart", "--json",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        before, most = _booked(merchant), 0.0
        end = time.monotonic() + COMMAND_SECONDS
        while command.poll() is None and time.monotonic() < end:
            most = max(most, _memory_of(command.pid))
            time.sleep(0.2)
        command.kill()
        command.wait()
        booked = _booked(merchant) - before
    what = f"memory of `book_orders` with {LINES:,} lines, while it booked {booked:,} of them"
    return at_most(what, most, MAX_COMMAND, "MB", 0)


def _memory_of(pid: int) -> float:
    try:
        return cpu.megabytes_of(pid)
    except psutil.NoSuchProcess:
        return 0.0


def _booked(merchant: Merchant) -> int:
    return Shipment.objects.filter(account=merchant.account).count()


def _write_orders(folder: Path) -> str:
    """Write the sample orders, each many times over with a number of its own."""
    with Path("fixtures/orders_sample.csv").open() as file:
        rows = list(csv.DictReader(file))
    path, mark = folder / "orders.csv", uuid.uuid4().hex[:8]
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        for number in range(LINES):
            row = rows[number % len(rows)]
            writer.writerow(row | {"order_number": f"{mark}-{number}"})
    return str(path)
