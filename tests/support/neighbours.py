"""A greedy tenant with bulk jobs, and its neighbour with callbacks and a small job, over HTTP."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from couriers.models import BulkJob, BulkOrder, CourierAccount, Shipment
from shipcrowd.stack import Stack
from tests.support.callbacks import SECRET, callback_path, ekart_signature
from tests.support.factories import (
    CourierAccountFactory,
    ShipmentFactory,
    WarehouseFactory,
    make_api_key,
)
from tests.support.orders import ORDER
from webhooks.models import EventState, WebhookEvent

PAUSE = 0.02  # seconds between two looks into the database


@dataclass(frozen=True, slots=True)
class Tenant:
    """A company with an account at the sandbox, and its API key."""

    account: CourierAccount
    key: str

    @classmethod
    def at(cls, url: str) -> Tenant:
        """Create a tenant whose courier is at the address."""
        account = CourierAccountFactory(
            base_url=url,
            webhook_secret=SECRET,
            limits={"create_shipment": {"count": 1000, "window": 1}},
        )
        WarehouseFactory(company=account.company)
        return cls(account, make_api_key(account.company))

    def post_job(self, stack: Stack, prefix: str, orders: int) -> BulkJob:
        """Post a bulk job of so many orders. Raises RuntimeError if it is refused."""
        body = {
            "orders": [
                ORDER | {"courier": "ekart", "order_number": f"{prefix}-{n}"} for n in range(orders)
            ]
        }
        answer = stack.request("POST", "/api/v1/shipments/bulk/", body, key=self.key)
        if answer.status != 202:
            raise RuntimeError(f"the job was refused: {answer.text}")
        return BulkJob.objects.get(pk=answer.json()["id"])

    def send_callback(self, stack: Stack, shipment: Shipment, number: int) -> None:
        """Send a signed callback about a shipment. Raises RuntimeError if it is refused."""
        body = {
            "ctime": 1_793_400_000_000 + number, "status": "In Transit", "location": "PUNE",
            "desc": "On its way", "attempts": "0", "wbn": str(number),
            "id": shipment.tracking_id, "orderNumber": shipment.order_number,
        }  # fmt: skip
        headers = {"X-Ekart-Signature": ekart_signature(json.dumps(body).encode())}
        answer = stack.request("POST", callback_path(self.account), body, headers=headers)
        if answer.status != 200:
            raise RuntimeError(f"the callback was refused: {answer.text}")

    def seconds_to_apply(self, stack: Stack, number: int, longest: float = 30.0) -> float:
        """Send a callback about a new shipment; return the seconds until it is applied."""
        shipment = ShipmentFactory(
            account=self.account, warehouse=self.account.company.warehouses.get()
        )
        self.send_callback(stack, shipment, number)
        events = WebhookEvent.objects.filter(account=self.account)
        _wait(lambda: not events.exclude(state=EventState.PROCESSED).exists(), longest)
        event = events.latest("id")
        assert event.processed_at is not None
        return (event.processed_at - event.received_at).total_seconds()


def seconds_to_begin(job: BulkJob, longest: float = 120.0) -> float:
    """Wait until an order of the job has ended; return the seconds since the job was posted."""
    ended = BulkOrder.objects.filter(job=job).exclude(outcome="pending")
    _wait(ended.exists, longest)
    first = ended.earliest("finished_at").finished_at
    assert first is not None
    return (first - job.created_at).total_seconds()


def _wait(holds: Callable[[], Any], longest: float) -> None:
    deadline = time.monotonic() + longest
    while not holds():
        if time.monotonic() > deadline:
            raise RuntimeError(f"it did not happen within {longest:g} s")
        time.sleep(PAUSE)
