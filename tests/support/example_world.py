"""The company of the documentation's examples, with an account at the sandbox of a courier."""

from __future__ import annotations

import copy
import datetime as dt
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from django.contrib.auth import get_user_model
from django.test import Client

from couriers.contract import india
from couriers.models import Company, CourierAccount, Warehouse
from sandbox.process import SandboxProcess
from tests.support.factories import (
    CompanyFactory,
    CourierAccountFactory,
    CourierRowFactory,
    WarehouseFactory,
    make_api_key,
)
from tests.support.recorder import Recorder

ORDER: dict[str, Any] = {
    "courier": "ekart",
    "order_number": "A-1001",
    "order_date": "",
    "payment_mode": "cod",
    "cod_amount": "1523.00",
    "consignee": {
        "name": "Asha Rao",
        "phone": "+91 98450 26173",
        "address": "12, 4th Cross, Indiranagar",
        "city": "Bengaluru",
        "state": "Karnataka",
        "pincode": "560038",
    },
    "items": [
        {
            "name": "T-shirt 3XL",
            "sku": "TS-3XL",
            "category": "T-shirt",
            "hsn_code": "61091000",
            "quantity": 1,
            "value": "1523.00",
            "gst_rate": "5",
        }
    ],
    "parcel": {"weight_g": 240, "length_cm": 30, "width_cm": 22, "height_cm": 8},
}


@dataclass
class World:
    """Who asks, and what is asked. `second` is the courier of tests, which offers nearly all."""

    recorder: Recorder
    sandbox: SandboxProcess
    account: CourierAccount
    second: CourierAccount
    store: Client
    staff: Client
    _orders: Any = field(default_factory=lambda: count(1001))

    @property
    def company(self) -> Company:
        return self.account.company

    @property
    def warehouse(self) -> Warehouse:
        return self.company.warehouses.get(is_default=True)

    def send(self, title: str, method: str, path: str, body: Any = None, **more: Any) -> Any:
        """Send a request with the company's key, and record it."""
        return self.recorder.send(title, self.store, method, path, body, **more)

    def order(self, **changes: Any) -> dict[str, Any]:
        """A new order to book."""
        order = copy.deepcopy(ORDER) | {
            "order_number": f"A-{next(self._orders)}",
            "order_date": india.today().isoformat(),
        }
        return order | changes

    def prepaid(self, **changes: Any) -> dict[str, Any]:
        order = self.order(payment_mode="prepaid", **changes)
        del order["cod_amount"]
        return order

    def book(self, order: dict[str, Any] | None = None) -> dict[str, Any]:
        """Book an order without recording it."""
        answer = self.store.post("/api/v1/shipments/", order or self.order(), "application/json")
        assert answer.status_code in (201, 202), answer.content
        booked: dict[str, Any] = answer.json()
        return booked

    def bring_to(self, shipment: dict[str, Any], status: str) -> None:
        """Have the courier bring the parcel to one of its statuses, and track it."""
        at = {"tracking_id": shipment["tracking_id"], "status": status}
        self.sandbox.post("/_sandbox/advance", at)
        answer = self.store.post(f"/api/v1/shipments/{shipment['id']}/track/")
        assert answer.status_code == 200, answer.content

    def day(self, days: int) -> str:
        """The day in so many days, in India."""
        return (india.today() + dt.timedelta(days=days)).isoformat()


def make_world(sandbox: SandboxProcess) -> World:
    """A company that ships with the sandbox and with the courier of tests."""
    company = CompanyFactory(slug="asha-store", name="Asha Store")
    WarehouseFactory(company=company, name="Main warehouse")
    account = CourierAccountFactory(
        company=company, client_id="sandbox", base_url=sandbox.url, courier__code="ekart"
    )
    second = CourierAccountFactory(
        company=company, courier=CourierRowFactory(code="toy", name="Toy")
    )
    staff = Client()
    staff.force_login(get_user_model().objects.create_superuser("meera"))
    key = {"Authorization": f"Bearer {make_api_key(company)}"}
    return World(Recorder(sandbox.url), sandbox, account, second, Client(headers=key), staff)
