"""A client of Velocity's sandbox that speaks HTTP and nothing else."""

from __future__ import annotations

import copy
import itertools
import time
from collections.abc import Mapping
from typing import Any

import requests

from sandbox.process import SandboxProcess

API = "/custom/api/v1"
WAREHOUSE = {
    "name": "Koramangala", "phone_number": "9876543210", "email": "store@shop.example",
    "contact_person": "Asha Rao",
    "address_attributes": {
        "street_address": "12, 80 Feet Road", "zip": "560034", "city": "Bengaluru",
        "state": "Karnataka", "country": "India",
    },
}  # fmt: skip
ITEM = {"name": "T-shirt 3XL", "sku": "TS-3XL", "units": 2, "selling_price": 500, "tax": 12}
ORDER = {
    "order_date": "2026-11-23 12:23", "billing_customer_name": "Meera", "billing_last_name": "Iyer",
    "billing_address": "7, Gandhi Road, near the lake", "billing_city": "New Delhi",
    "billing_pincode": "110001", "billing_state": "Delhi", "billing_country": "India",
    "billing_phone": "9123456789", "shipping_is_billing": True, "print_label": True,
    "order_items": [ITEM], "payment_method": "COD", "sub_total": 1000, "cod_collectible": 1000,
    "length": 30, "breadth": 22, "height": 8, "weight": 0.24, "pickup_location": "Koramangala",
}  # fmt: skip
RETURN = {
    "order_date": "2026-11-23", "pickup_customer_name": "Meera", "pickup_address": "7, Gandhi Road",
    "pickup_city": "New Delhi", "pickup_pincode": "110001", "pickup_state": "Delhi",
    "pickup_country": "India", "pickup_phone": "9123456789", "shipping_customer_name": "Asha Rao",
    "shipping_address": "12, 80 Feet Road", "shipping_city": "Bengaluru",
    "shipping_pincode": "560034", "shipping_state": "Karnataka", "shipping_country": "India",
    "shipping_phone": "9876543210", "order_items": [ITEM], "payment_method": "PREPAID",
    "sub_total": 1000, "length": 30, "breadth": 22, "height": 8, "weight": 0.24,
    "request_pickup": True,
}  # fmt: skip
_numbers = itertools.count(1)


class Velocity:
    """Calls the sandbox of Velocity with a key, from a warehouse of its own."""

    def __init__(self, sandbox: SandboxProcess, key: str = "sandbox") -> None:
        self.sandbox = sandbox
        self.url = sandbox.url
        self.headers = {"Authorization": key}
        made = self.call("warehouse", WAREHOUSE).json()
        self.warehouse_id = made["payload"]["warehouse_id"]

    def call(
        self,
        path: str,
        body: Any,
        *,
        method: str = "POST",
        headers: Mapping[str, str] | None = None,
        timeout: float = 10,
    ) -> requests.Response:
        return requests.request(
            method,
            f"{self.url}{API}/{path}",
            json=body,
            headers=self.headers if headers is None else headers,
            timeout=timeout,
        )

    def order(self, *without: str, **changes: Any) -> dict[str, Any]:
        """Return a body for the create call with a new order number."""
        given = {"order_id": f"S-{next(_numbers)}", "warehouse_id": self.warehouse_id}
        body = copy.deepcopy(ORDER) | given | changes
        return {name: value for name, value in body.items() if name not in without}

    def return_body(self, *without: str, **changes: Any) -> dict[str, Any]:
        """Return a body for the call that books a return, with a new number."""
        given = {"order_id": f"R-{next(_numbers)}", "warehouse_id": self.warehouse_id}
        body = copy.deepcopy(RETURN) | given | changes
        return {name: value for name, value in body.items() if name not in without}

    def create(self, *without: str, **changes: Any) -> requests.Response:
        return self.call("forward-order-orchestration", self.order(*without, **changes))

    def book(self, *without: str, **changes: Any) -> dict[str, Any]:
        """Book a parcel; return the payload of the answer."""
        return payload_of(self.create(*without, **changes))

    def book_return(self, *without: str, **changes: Any) -> dict[str, Any]:
        body = self.return_body(*without, **changes)
        return payload_of(self.call("reverse-order-orchestration", body))

    def track(self, *awbs: str) -> dict[str, Any]:
        answer = self.call("order-tracking", {"awbs": awbs})
        assert answer.status_code == 200, answer.text
        return dict(answer.json()["result"])

    def status(self, awb: str) -> str:
        return str(self.track(awb)[awb]["tracking_data"]["shipment_status"])

    def wait_for(self, awb: str, status: str) -> None:
        deadline = time.monotonic() + 10
        while self.status(awb) != status:
            assert time.monotonic() < deadline, f"{self.status(awb)}, not {status}"
            time.sleep(0.05)

    def find(self, text: str, among: str = "shipments", **changes: Any) -> list[dict[str, Any]]:
        """Return the attributes of what the search finds."""
        answer = self.call(among, {"search": text, "per_page": 20} | changes)
        assert answer.status_code == 200, answer.text
        return [row["attributes"] for row in answer.json()["data"]]

    def advance(self, awb: str, *statuses: str) -> None:
        for status in statuses:
            self.sandbox.post("/_sandbox/advance", {"tracking_id": awb, "status": status})

    def summary(self, awb: str) -> dict[str, Any]:
        """Return the parcel's entry in the sandbox's list."""
        return next(s for s in self.sandbox.shipments() if s["tracking_id"] == awb)

    def switch(self, **values: Any) -> None:
        """Change oddities of the sandbox."""
        self.sandbox.set_switches(**values)


def payload_of(answer: requests.Response) -> dict[str, Any]:
    """Return the payload of a call that made an order."""
    assert answer.status_code == 200, answer.text
    done = answer.json()
    assert done["status"] == 1
    return dict(done["payload"])


def assert_refused(answer: requests.Response, about: str, status: int = 400) -> None:
    """Check that the answer is an error whose text contains `about`."""
    assert answer.status_code == status, answer.text
    assert about in answer.json()["message"]
