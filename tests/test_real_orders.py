"""A year of real orders: each is booked once and reaches the status that the courier gave it.

Every sixteenth order is booked, chosen by a checksum of its number. REAL_ORDERS=all books all of
them, which takes about three minutes.
"""

from __future__ import annotations

import csv
import os
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.process import SandboxProcess
from shipcrowd.stack import SANDBOX_LOGIN, Stack
from tests.support.sandboxes import sandbox_fixture
from tests.support.vendor_document import REQUESTS, validator
from tests.support.worker import own_servers

ROOT = Path(__file__).resolve().parent.parent
ALL = os.environ.get("REAL_ORDERS") == "all"
SHARE = 16
COUNTS = {
    "orders": 4667, "booked": 4194, "already_booked": 0, "skipped": 470, "rejected": 3,
    "in_doubt": 0, "failed": 0,
} if ALL else {
    "orders": 294, "booked": 269, "already_booked": 0, "skipped": 25, "rejected": 0,
    "in_doubt": 0, "failed": 0,
}  # fmt: skip


@pytest.fixture
def orders(tmp_path: Path) -> Path:
    path = Path(
        os.environ.get("SHIPCROWD_ORDERS_CSV", ROOT.parent / "shared" / "data" / "orders.csv")
    )
    if not path.is_file():
        pytest.skip(f"no file of real orders ({path.name}); set SHIPCROWD_ORDERS_CSV")
    return path if ALL else _share(path, tmp_path / "share.csv")


def _share(path: Path, share: Path) -> Path:
    with path.open(newline="") as orders, share.open("w", newline="") as chosen:
        reader = csv.DictReader(orders)
        writer = csv.DictWriter(chosen, reader.fieldnames or [])
        writer.writeheader()
        writer.writerows(
            row for row in reader if zlib.crc32(row["order_number"].encode()) % SHARE == 0
        )
    return share


sandbox = sandbox_fixture("--pace", "0", "--brief", "--record")


@pytest.fixture
def stack(transactional_db: None, sandbox: SandboxProcess) -> Iterator[Stack]:
    secret = {"EKART_BASE_URL": sandbox.url, "EKART_WEBHOOK_SECRET": "a-secret-of-tests"}
    with Stack(own_servers(), secret | SANDBOX_LOGIN) as stack:
        stack.start_demo_web()
        stack.wait_until_ready()
        yield stack


@pytest.mark.slow
def test_the_real_orders_are_booked_once_and_reach_the_couriers_statuses(
    orders: Path, stack: Stack, sandbox: SandboxProcess
) -> None:
    seeded = stack.run_command(
        "seed_courier", "ekart", "--company", "acme", "--create", "--name", "Acme", "--gstin",
        "29AAGCR4375J1ZU", "--address", "1 Example Road", "--state", "KA", "--pincode", "560001",
        "--phone", "9845012345", "--limit", "create_shipment=5000/1s",
    )  # fmt: skip
    stack.run_command("register_webhooks", "ekart", "--company", "acme")

    flags = ("book_orders", str(orders), "--company", "acme", "--courier", "ekart",
             "--workers", "2")  # fmt: skip
    assert stack.run_command(*flags) == COUNTS
    again = stack.run_command(*flags)
    assert (again["booked"], again["already_booked"]) == (0, COUNTS["booked"])
    state = sandbox.state()
    assert (state["booked"], state["duplicates"]) == (COUNTS["booked"], 0)

    # All callbacks are in the inbox before a worker processes the first.
    assert sandbox.wait_until_finished(120)
    stack.start_worker(concurrency=1)
    stack.start_beat()
    expected = {
        s["tracking_id"]: s["status"].lower().replace(" ", "_") for s in sandbox.shipments()
    }
    assert _last_statuses(stack, seeded["api_key"], expected) == expected

    # At the end, because this skips the test where the vendor's document is missing.
    validators = {operation: validator(name) for operation, name in REQUESTS.items()}
    checked = 0
    for sent in sandbox.requests():
        if sent["operation"] in validators:
            validators[sent["operation"]].validate(sent["body"])
            checked += 1
    assert checked > COUNTS["booked"]  # and a warehouse


def _last_statuses(stack: Stack, key: str, expected: dict[str, str]) -> dict[str, str]:
    """Return each shipment's status by its tracking id; wait until they are as expected."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        found: dict[str, str] = {}
        url = "/api/v1/shipments/?page_size=200"
        while url:
            page = stack.request("GET", url, key=key).json()
            found |= {s["tracking_id"]: s["status"] for s in page["results"]}
            url = page["next"]
        if found == expected:
            break
        time.sleep(1)
    return found
