"""Ekart's plug-in passes the conformance kit, with its sandbox behind the kit's fault proxy."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import ClassVar

from couriers.contract.adapter import Capability
from couriers.testing.adapter import AdapterConformance
from couriers.testing.receiver import ReceiverConformance
from couriers_ekart.adapter import EkartAdapter
from couriers_ekart.mapper.statuses import STATUSES
from couriers_ekart.receiver import EkartReceiver
from sandbox.process import SandboxProcess

UNDELIVERED = (
    Capability.REQUEST_REATTEMPT,
    Capability.UPDATE_DELIVERY_ADDRESS,
    Capability.REQUEST_RTO,
)
PICKUPS = (Capability.SCHEDULE_PICKUP, Capability.SCHEDULE_REVERSE_PICKUP)
LOGIN = {"username": "merchant-of-tests", "password": "password-of-tests"}


class EkartSandbox(SandboxProcess):
    """The sandbox as the kit counts it."""

    def booked(self, order_number: str) -> list[str]:
        return [s["tracking_id"] for s in self.shipments() if s["order_number"] == order_number]


class TestEkart(AdapterConformance):
    adapter_class = EkartAdapter
    published_statuses = tuple(STATUSES)
    login: ClassVar = {"client_id": "sandbox", **LOGIN}
    # Without the days of delivery a quote still has its price.
    spare_requests = ("POST /data/v3/serviceability",)
    # Its pickup can be set later.
    options: ClassVar = {"delayed_dispatch": True}

    @classmethod
    @contextmanager
    def start_sandbox(cls) -> Iterator[EkartSandbox]:
        flags = [text for name, value in LOGIN.items() for text in (f"--{name}", value)]
        with EkartSandbox("ekart", "--hold", "--pincodes", "20", *flags) as sandbox:
            yield sandbox

    def arrange(self, sandbox: EkartSandbox, capability: Capability, tracking_id: str) -> None:
        if capability in UNDELIVERED:
            status = {"tracking_id": tracking_id, "status": "Undelivered"}
            sandbox.post("/_sandbox/advance", status)


class TestEkartReceiver(ReceiverConformance):
    receiver = EkartReceiver()
    samples = (
        json.dumps(
            {
                "ctime": 1_790_000_000_000, "status": "Undelivered", "ndrStatus": "Refused",
                "location": "PUNE", "desc": "Not at home", "attempts": "1", "wbn": "W1", "id": "T1",
                "orderNumber": "A-1", "edd": 1_790_000_000_000,
            }
        ).encode(),
        json.dumps({"id": "T1", "wbn": "W1", "vendor": "EKART", "orderNumber": "A-1"}).encode(),
    )  # fmt: skip

    def sign(self, body: bytes, secret: str) -> Mapping[str, str]:
        digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        return {"x-ekart-signature": digest}
