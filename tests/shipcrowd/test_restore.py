"""A backup restored into an empty server goes on: nothing is booked or counted twice."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from sandbox.process import SandboxProcess
from shipcrowd import embedded
from shipcrowd.embedded import Servers
from shipcrowd.embedded.processes import wait_until
from shipcrowd.stack import Response, Stack
from tests.chaos.couriers import COURIERS, EKART
from tests.chaos.storefront import booking_request
from tests.support.restoring import run_documented
from tests.support.worker import own_servers

SECRET = "a-secret-of-restores"
RESERVING = COURIERS["toy_reservation"]
SELLER = (
    "--company", "acme", "--create", "--name", "Acme", "--gstin", "29AAGCR4375J1ZU", "--address",
    "1 Example Road", "--state", "KA", "--pincode", "560001", "--phone", "9845012345",
)  # fmt: skip


class Merchant:
    """Books orders and sends the courier's callbacks, on one platform after the other."""

    def __init__(self, seeded: dict[str, Any]) -> None:
        self._key = seeded["api_key"]
        self._callbacks = urlsplit(seeded["webhook_url"]).path

    def book(self, stack: Stack, number: str, courier: str = "ekart") -> Response:
        body = booking_request(courier, number)
        key = {"Idempotency-Key": f"key-of-{number}"}
        return stack.request("POST", "/api/v1/shipments/", body, key=self._key, headers=key)

    def listed(self, stack: Stack) -> dict[str, str]:
        """Return the status of each order."""
        page = stack.request("GET", "/api/v1/shipments/?page_size=100", key=self._key).json()
        return {one["order_number"]: one["status"] for one in page["results"]}

    def call_back(self, stack: Stack, order_number: str, tracking_id: str) -> int:
        """Send Ekart's callback that the parcel was picked up."""
        body = {
            "ctime": 1_790_000_000_000, "status": "Picked Up", "location": "PUNE", "desc": "",
            "attempts": "0", "wbn": "1", "id": tracking_id, "orderNumber": order_number,
        }  # fmt: skip
        signed = hmac.new(SECRET.encode(), json.dumps(body).encode(), hashlib.sha256).hexdigest()
        headers = {"x-ekart-signature": signed}
        return stack.request("POST", self._callbacks, body, headers=headers).status


@contextmanager
def platform(servers: Servers, environment: dict[str, str]) -> Iterator[Stack]:
    with Stack(servers, environment) as stack:
        stack.start_demo_web()
        yield stack


def events(servers: Servers) -> list[tuple[str, str]]:
    with psycopg.connect(servers.database_url) as connection:
        return connection.execute(
            "SELECT state, reason FROM shipcrowd_webhooks_webhookevent ORDER BY id"
        ).fetchall()


def as_operator(servers: Servers, statement: str) -> None:
    with psycopg.connect(servers.database_url) as connection:
        connection.execute(statement)


@contextmanager
def couriers() -> Iterator[tuple[SandboxProcess, dict[str, str]]]:
    """Run both couriers; yields Ekart's stand-in and the environment of a platform."""
    with EKART.sandbox(1) as ekart, RESERVING.sandbox(1) as reserving:
        yield (
            ekart,
            {
                "DJANGO_SETTINGS_MODULE": "tests.chaos.settings",
                "LOG_LEVEL": "CRITICAL",
                "EKART_BASE_URL": ekart.url,
                "EKART_WEBHOOK_SECRET": SECRET,
                "TOY_RESERVATION_BASE_URL": reserving.url,
                **EKART.login,
                **RESERVING.login,
            },
        )


@pytest.mark.slow
def test_a_restored_platform_goes_on_and_nothing_is_double(
    transactional_db: None, tmp_path: Path
) -> None:
    (tmp_path / "media").mkdir()
    (tmp_path / "media" / "label.pdf").write_bytes(b"sealed")
    with couriers() as (ekart, environment):
        before = own_servers()
        with platform(before, environment) as stack:
            merchant = Merchant(stack.run_command("seed_courier", "ekart", *SELLER))
            stack.run_command("seed_courier", "toy_reservation", "--company", "acme")
            stack.wait_until_ready(90)
            first = merchant.book(stack, "A-1")
            ekart.set_faults(("create_shipment", "reset_after", 1.0))
            assert merchant.book(stack, "A-2").status == 202
            ekart.set_faults()
            reserved = merchant.book(stack, "T-1", "toy_reservation").json()["tracking_id"]
            assert merchant.call_back(stack, "A-1", first.json()["tracking_id"]) == 200
            assert run_documented("Back up", tmp_path, before) == ["pg_dump", "tar"]
            # What the backup does not have.
            lost = merchant.book(stack, "A-3").json()["tracking_id"]
            lost_number = merchant.book(stack, "T-2", "toy_reservation").json()["tracking_id"]
        (tmp_path / "media" / "label.pdf").unlink()

        with embedded.temporary("restore") as after:
            assert run_documented("Restore", tmp_path, after) == [
                "pg_restore", "tar", "psql", "psql",
            ]  # fmt: skip
            assert (tmp_path / "media" / "label.pdf").read_bytes() == b"sealed"
            with platform(after, environment) as stack:
                stack.wait_until_ready(90)
                # An order that was booked stays one, and a doubt stays a doubt.
                again = merchant.book(stack, "A-1")
                assert (again.status, again.body) == (201, first.body)
                assert again.headers["Idempotent-Replayed"] == "true"
                assert merchant.book(stack, "A-2").status == 202
                assert set(merchant.listed(stack)) == {"A-1", "A-2", "T-1"}
                # A callback that comes again is a repeat.
                assert merchant.call_back(stack, "A-1", first.json()["tracking_id"]) == 200
                assert [state for state, _ in events(after)] == ["pending"]
                # Nothing new is booked until somebody has looked for what was lost.
                assert merchant.book(stack, "A-3").status == 503
                as_operator(after, "UPDATE shipcrowd_couriers_courier SET is_enabled = true")
                # A number that was used after the backup is not used again.
                booked = merchant.book(stack, "T-3", "toy_reservation").json()["tracking_id"]
                assert booked not in (reserved, lost_number)
                # What was lost is named by its callbacks.
                assert merchant.call_back(stack, "A-3", lost) == 200
                stack.start_worker()
                stack.start_beat()
                assert wait_until(lambda: merchant.listed(stack)["A-1"] == "picked_up", 60)
        at_courier = [one["order_number"] for one in ekart.shipments()]
    assert sorted(at_courier) == ["A-1", "A-2", "A-3"]
