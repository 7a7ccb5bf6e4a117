"""A client of the sandbox that speaks HTTP and nothing else."""

from __future__ import annotations

import copy
import datetime as dt
import itertools
import json
import time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import requests

from sandbox.process import SandboxProcess

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
INDIA = ZoneInfo("Asia/Kolkata")
# A valid lane request.
LANE = {
    "direction": "FORWARD", "pickupPincode": "560001", "dropPincode": "110001", "length": "10",
    "width": "10.5", "height": "10", "weight": "500", "paymentType": "Prepaid",
    "invoiceAmount": "1500.50",
}  # fmt: skip
_numbers = itertools.count(1)


def day(ahead: int) -> dt.date:
    """Return the date `ahead` days from today, India time."""
    return dt.datetime.now(INDIA).date() + dt.timedelta(days=ahead)


def noon(ahead: int) -> int:
    """Return noon of the day `ahead` days from today, India time, in ms since the epoch."""
    moment = dt.datetime.combine(day(ahead), dt.time(12), INDIA)
    return int(moment.timestamp() * 1000)


class Ekart:
    """Calls the sandbox of Ekart with a token."""

    def __init__(self, sandbox: SandboxProcess) -> None:
        self.sandbox = sandbox
        self.url = sandbox.url
        token = self.auth().json()["access_token"]
        self.headers = {"Authorization": f"Bearer {token}"}
        self.body = json.loads((FIXTURES / "ekart" / "create_shipment.json").read_text())

    def auth(self) -> requests.Response:
        return requests.post(
            f"{self.url}/integrations/v2/auth/token/sandbox",
            json={"username": "sandbox", "password": "sandbox"},
            timeout=5,
        )

    def call(
        self, method: str, path: str, body: Any = None, *, timeout: float = 5, **query: str
    ) -> requests.Response:
        return requests.request(
            method, self.url + path, json=body, params=query, headers=self.headers, timeout=timeout
        )

    def shipment(self, *without: str, **changes: Any) -> dict[str, Any]:
        """Return a body for the create call with a new order number."""
        body = copy.deepcopy(self.body) | {"order_number": f"S-{next(_numbers)}"} | changes
        return {name: value for name, value in body.items() if name not in without}

    def create(self, *without: str, timeout: float = 5, **changes: Any) -> requests.Response:
        body = self.shipment(*without, **changes)
        return self.call("PUT", "/api/v1/package/create", body, timeout=timeout)

    def book(self, *without: str, **changes: Any) -> dict[str, str]:
        """Book a shipment; return its tracking id, waybill and order number."""
        answer = self.create(*without, **changes)
        assert answer.status_code == 200, answer.text
        done = answer.json()
        barcodes = done["barcodes"]
        return {"id": done["tracking_id"], "wbn": barcodes["wbn"], "order": barcodes["order"]}

    def status(self, tracking_id: str) -> str:
        return str(self.call("GET", f"/api/v1/track/{tracking_id}").json()["track"]["status"])

    def statuses(self, tracking_id: str) -> list[str]:
        """Return all statuses so far, the first one first."""
        track = self.call("GET", f"/api/v1/track/{tracking_id}").json()["track"]
        return [detail["status"] for detail in track["details"]]

    def wait_for(self, tracking_id: str, status: str) -> None:
        deadline = time.monotonic() + 10
        while self.status(tracking_id) != status:
            assert time.monotonic() < deadline, f"{self.status(tracking_id)}, not {status}"
            time.sleep(0.05)

    def advance(self, tracking_id: str, status: str) -> None:
        self.sandbox.post("/_sandbox/advance", {"tracking_id": tracking_id, "status": status})

    def summary(self, tracking_id: str) -> dict[str, Any]:
        """Return the shipment's entry in the sandbox's list."""
        return next(s for s in self.sandbox.shipments() if s["tracking_id"] == tracking_id)


def assert_refused(answer: requests.Response, about: str, status: int = 400) -> None:
    """Check that the answer is an error in Ekart's format, whose description contains `about`."""
    assert answer.status_code == status, answer.text
    error = answer.json()
    code = {400: "SWIFT_VALIDATION_EXCEPTION", 404: "SWIFT_RESOURCE_NOT_FOUND_EXCEPTION"}[status]
    assert (error["statusCode"], error["message"]) == (status, code)
    assert about in error["description"]
