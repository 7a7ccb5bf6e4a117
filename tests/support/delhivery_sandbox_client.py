"""A client of Delhivery's sandbox that speaks HTTP and nothing else."""

from __future__ import annotations

import itertools
import json
import time
from typing import Any
from urllib.parse import urlencode

import requests

from sandbox.process import SandboxProcess

KEY, CLIENT = "sandbox", "SANDBOX SURFACE"
WAREHOUSE = {
    "name": "Bengaluru 1",
    "phone": "9876543210",
    "pin": "560001",
    "address": "1, Example Road",
    "return_address": "1, Example Road",
    "return_pin": "560001",
    "email": "stock@shop.example",
}
_numbers = itertools.count(1)


class Delhivery:
    """Calls the sandbox with a key; its warehouse is registered."""

    def __init__(self, sandbox: SandboxProcess, key: str = KEY, *, warehouse: bool = True) -> None:
        self.sandbox = sandbox
        self.url = sandbox.url
        self.headers = {"Authorization": f"Token {key}", "Accept": "application/json"}
        self._listed = len(list(sandbox.invalid_requests()))
        if warehouse:
            self.call("POST", "/api/backend/clientwarehouse/create/", WAREHOUSE)

    def call(self, method: str, path: str, body: Any = None, **query: Any) -> requests.Response:
        return requests.request(
            method, self.url + path, json=body, params=query, headers=self.headers, timeout=10
        )

    def package(self, *without: str, **changes: Any) -> dict[str, Any]:
        """Return a prepaid package with a new order number."""
        whole = {
            "name": "Asha Rao",
            "order": f"D-{next(_numbers)}",
            "phone": "9845012345",
            "add": "12, Second Cross",
            "pin": "110001",
            "city": "Delhi",
            "state": "Delhi",
            "country": "India",
            "payment_mode": "Prepaid",
            "total_amount": 1523.0,
            "products_desc": "T-shirt",
            "weight": 240,
            "shipment_length": 30,
            "shipment_width": 22,
            "shipment_height": 8,
            "shipping_mode": "Surface",
            **changes,
        }
        return {name: value for name, value in whole.items() if name not in without}

    def create(self, *packages: dict[str, Any], warehouse: Any = WAREHOUSE["name"]) -> Any:
        """Send a create call and return its answer, which is HTTP 200."""
        location = {"name": warehouse}
        data = json.dumps({"shipments": list(packages), "pickup_location": location})
        answer = self.send(urlencode({"format": "json", "data": data}))
        assert answer.status_code == 200, answer.text
        return answer.json()

    def send(
        self, form: str, content_type: str = "application/x-www-form-urlencoded"
    ) -> requests.Response:
        """Send a body to the create call as it is."""
        return requests.post(
            f"{self.url}/api/cmu/create.json",
            data=form,
            headers={**self.headers, "Content-Type": content_type},
            timeout=10,
        )

    def book(self, **changes: Any) -> str:
        """Book a package and return its waybill."""
        answer = self.create(self.package(**changes))
        assert answer["success"] is True, answer
        return str(answer["packages"][0]["waybill"])

    def refusal(self, **changes: Any) -> str:
        """Return the remark of a package that is not booked."""
        answer = self.create(self.package(**changes))
        (package,) = answer["packages"]
        assert (answer["success"], package["status"], package["waybill"]) == (False, "Fail", "")
        (remark,) = package["remarks"]
        return str(remark)

    def track(self, verbose: int = 1, **query: str) -> Any:
        return self.call("GET", "/api/v1/packages/json/", verbose=verbose, **query).json()

    def shipment(self, waybill: str, verbose: int = 1) -> Any:
        return self.track(verbose, waybill=waybill)["ShipmentData"][0]["Shipment"]

    def status(self, waybill: str) -> str:
        """Return the present status as TYPE/Status/NSL."""
        now = self.shipment(waybill, 0)["Status"]
        return f"{now['StatusType']}/{now['Status']}/{now['StatusCode']}"

    def scans(self, waybill: str) -> list[str]:
        """Return every status so far, the first one first."""
        scans = [scan["ScanDetail"] for scan in self.shipment(waybill)["Scans"]]
        return [f"{scan['ScanType']}/{scan['Scan']}/{scan['StatusCode']}" for scan in scans]

    def wait_for(self, waybill: str, status: str) -> None:
        deadline = time.monotonic() + 10
        while (now := self.status(waybill)) != status:
            assert time.monotonic() < deadline, f"{now}, not {status}"
            time.sleep(0.05)

    def advance(self, waybill: str, status: str) -> None:
        self.sandbox.post("/_sandbox/advance", {"tracking_id": waybill, "status": status})

    def wait_for_callbacks(self) -> None:
        """Wait until every callback so far is taken or given up."""
        deadline = time.monotonic() + 10
        while self.sandbox.state()["callbacks_pending"]:
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def cancel(self, waybill: str) -> Any:
        body = {"waybill": waybill, "cancellation": "true"}
        return self.call("POST", "/api/p/edit", body).json()

    def switch(self, **values: Any) -> None:
        """Change oddities of the sandbox."""
        answer = requests.put(f"{self.url}/_sandbox/switches", json=values, timeout=10)
        assert answer.status_code == 200, answer.text

    def summary(self, waybill: str) -> dict[str, Any]:
        """Return the shipment's entry in the sandbox's list."""
        return next(s for s in self.sandbox.shipments() if s["tracking_id"] == waybill)

    def problems(self) -> list[str]:
        """Return what was wrong about the requests since this client was made."""
        listed = list(self.sandbox.invalid_requests())
        return [request["error"] for request in listed[self._listed :]]
