"""A year of real orders by rule: each is booked once, with the courier that the rules name.

Every sixteenth order is booked, chosen by a checksum of its number. REAL_ORDERS=all books all of
them, which takes some minutes. The rules are applied here once more, by hand. Callbacks of two
couriers and polls of the third bring each shipment to the status that its courier gave it.
"""

from __future__ import annotations

import csv
import faulthandler
import hashlib
import math
import os
import time
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sandbox.process import SandboxProcess
from shipcrowd.demo_couriers import COURIERS, DemoCourier
from shipcrowd.stack import Stack
from tests.support.courier_rules import store_rules
from tests.support.vendor_document import REQUESTS, validator
from tests.support.worker import own_servers

ROOT = Path(__file__).resolve().parent.parent
ALL = os.environ.get("REAL_ORDERS") == "all"
SHARE = 16
SECRET = "a-secret-of-tests"
MAX_WAIT = 600.0 if ALL else 120.0  # seconds for callbacks and for polls
COUNTS = {
    "orders": 4667, "booked": 4194, "already_booked": 0, "skipped": 470, "rejected": 3,
    "in_doubt": 0, "failed": 0,
} if ALL else {
    "orders": 294, "booked": 269, "already_booked": 0, "skipped": 25, "rejected": 0,
    "in_doubt": 0, "failed": 0,
}  # fmt: skip
LIMITS = {
    "ekart": ("create_shipment", "serviceability", "track"),
    "delhivery": ("create_shipment", "pincodes", "fetch_numbers", "track"),
    "velocity": ("create_shipment", "serviceability", "track"),
}
SOUTH = tuple(str(beginning) for beginning in range(50, 70))  # of pincodes
DEAR = 1000  # rupees
WEIGHTS = {"ekart": 2, "delhivery": 1, "velocity": 1}
RULES: list[dict[str, Any]] = [
    {
        "name": "Cash in the south",
        "conditions": {"payment_modes": ["cod"], "pincodes": list(SOUTH)},
        "strategy": "priority",
        "couriers": [{"courier": "delhivery"}, {"courier": "ekart"}],
    },
    {
        "name": "Dear",
        "conditions": {"min_value": str(DEAR)},
        "strategy": "priority",
        "couriers": [{"courier": "velocity"}, {"courier": "ekart"}],
    },
    {
        "name": "All others",
        "strategy": "weights",
        "couriers": [{"courier": code, "weight": weight} for code, weight in WEIGHTS.items()],
    },
]
Sandboxes = Mapping[str, SandboxProcess]


@pytest.fixture
def orders(tmp_path: Path) -> Path:
    path = Path(
        os.environ.get("SHIPCROWD_ORDERS_CSV", ROOT.parent / "shared" / "data" / "orders.csv")
    )
    if not path.is_file():
        pytest.skip(f"no file of real orders ({path.name}); set SHIPCROWD_ORDERS_CSV")
    if not ALL:
        return _share(path, tmp_path / "share.csv")
    faulthandler.cancel_dump_traceback_later()  # it takes longer than a test may
    return path


def _share(path: Path, share: Path) -> Path:
    with path.open(newline="") as orders, share.open("w", newline="") as chosen:
        reader = csv.DictReader(orders)
        writer = csv.DictWriter(chosen, reader.fieldnames or [])
        writer.writeheader()
        writer.writerows(
            row for row in reader if zlib.crc32(row["order_number"].encode()) % SHARE == 0
        )
    return share


@pytest.fixture
def sandboxes() -> Iterator[Sandboxes]:
    with ExitStack() as opened:
        yield {
            courier.code: opened.enter_context(
                courier.sandbox("--pace", "0", "--brief", "--record")
            )
            for courier in COURIERS
        }


@pytest.fixture
def stack(transactional_db: None, sandboxes: Sandboxes) -> Iterator[Stack]:
    environment: dict[str, str] = {}
    for courier in COURIERS:
        environment |= courier.environment(sandboxes[courier.code].url, SECRET)
    with Stack(own_servers(), environment) as stack:
        stack.start_demo_web()
        stack.wait_until_ready()
        yield stack


def _seed(stack: Stack, sandboxes: Sandboxes, courier: DemoCourier) -> str | None:
    """Set up the company with a courier; return its API key the first time."""
    limits = [f"--limit={operation}=5000/1s" for operation in LIMITS[courier.code]]
    seeded = stack.run_command(
        "seed_courier", courier.code, "--company", "acme", "--create", "--name", "Acme", "--gstin",
        "29AAGCR4375J1ZU", "--address", "1 Example Road", "--state", "KA", "--pincode", "560001",
        "--phone", "9845012345", "--email", "acme@example.com", *limits,
    )  # fmt: skip
    if courier.registers_webhooks:
        stack.run_command("register_webhooks", courier.code, "--company", "acme")
    elif not courier.is_polled:
        callback = {"url": seeded["webhook_url"], "secret": SECRET}
        sandboxes[courier.code].post("/_sandbox/callback", callback)
    key: str | None = seeded["api_key"]
    return key


@pytest.mark.slow
def test_the_real_orders_are_booked_once_by_the_rules_and_reach_the_couriers_statuses(
    orders: Path, stack: Stack, sandboxes: Sandboxes
) -> None:
    key, *_ = [_seed(stack, sandboxes, courier) for courier in COURIERS]
    assert key
    store_rules(RULES)

    flags = ("book_orders", str(orders), "--company", "acme", "--courier", "auto",
             "--workers", "2")  # fmt: skip
    assert stack.run_command(*flags) == COUNTS
    again = stack.run_command(*flags)
    assert (again["booked"], again["already_booked"]) == (0, COUNTS["booked"])
    states = [sandbox.state() for sandbox in sandboxes.values()]
    assert sum(state["booked"] for state in states) == COUNTS["booked"]
    assert sum(state["duplicates"] for state in states) == 0

    booked_with = {
        parcel["order_number"]: code
        for code, sandbox in sandboxes.items()
        for parcel in sandbox.shipments()
    }
    by_hand = _by_hand(orders, booked_with)
    assert Counter(booked_with.values()) == Counter(by_hand.values())
    assert booked_with == by_hand
    assert set(booked_with.values()) == set(sandboxes)

    # All callbacks are in the inbox before a worker processes the first.
    assert all(sandbox.wait_until_finished(MAX_WAIT) for sandbox in sandboxes.values())
    stack.start_worker(concurrency=1)
    stack.start_beat()
    expected = {
        parcel["tracking_id"]: courier.status_of(parcel["status"])
        for courier in COURIERS
        for parcel in sandboxes[courier.code].shipments()
    }
    assert _last_statuses(stack, key, expected) == expected

    for sandbox in sandboxes.values():
        assert list(sandbox.invalid_requests()) == []
    _compare_with_vendors_document(sandboxes["ekart"])


def _by_hand(orders: Path, wanted: Mapping[str, str]) -> dict[str, str]:
    """Return each wanted order's courier: RULES, applied to the file without the platform."""
    from couriers.models import Company

    company = Company.objects.get().pk
    lines: dict[str, list[dict[str, str]]] = defaultdict(list)
    with orders.open(newline="") as file:
        for row in csv.DictReader(file):
            if row["order_number"] in wanted and row["quantity"] != "0":
                lines[row["order_number"]].append(row)
    chosen = {}
    for number, rows in lines.items():
        is_cod = rows[0]["payment_mode"] == "COD"
        if is_cod and rows[0]["pincode"].startswith(SOUTH):
            chosen[number] = "delhivery"
        elif sum(Decimal(row["order_value"]) for row in rows) >= DEAR:
            chosen[number] = "velocity"
        else:
            chosen[number] = min(WEIGHTS, key=lambda code: _draw(code, company, number))
    return chosen


def _draw(code: str, company: Any, number: str) -> float:
    """Return where a courier stands for an order, the lowest first (weighted rendezvous)."""
    digest = hashlib.sha256(f"{company}|forward|{number}|{code}".encode()).digest()
    return -math.log((int.from_bytes(digest[:8], "big") + 1) / (2**64 + 1)) / WEIGHTS[code]


def _compare_with_vendors_document(sandbox: SandboxProcess) -> None:
    """Validate what was sent to Ekart. It skips the test where the document is missing."""
    validators = {operation: validator(name) for operation, name in REQUESTS.items()}
    checked = 0
    for sent in sandbox.requests():
        if sent["operation"] in validators:
            validators[sent["operation"]].validate(sent["body"])
            checked += 1
    assert checked > sandbox.state()["booked"]  # and a warehouse


def _last_statuses(
    stack: Stack, key: str, expected: Mapping[str, str | None]
) -> dict[str, str | None]:
    """Return each shipment's status by its tracking id; poll and wait until they are expected."""
    deadline = time.monotonic() + MAX_WAIT
    while time.monotonic() < deadline:
        stack.run_command("sync_tracking", "--company", "acme", "--minutes", "0")
        found: dict[str, str | None] = {}
        url = "/api/v1/shipments/?page_size=200"
        while url:
            page = stack.request("GET", url, key=key).json()
            found |= {s["tracking_id"]: s["status"] for s in page["results"]}
            url = page["next"]
        if found == expected:
            break
        time.sleep(1)
    return found
