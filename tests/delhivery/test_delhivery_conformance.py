"""Delhivery's plug-in passes the conformance kit, with its sandbox behind the kit's fault proxy."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import ClassVar

from couriers.contract.adapter import BaseCourierAdapter, Capability
from couriers.testing.adapter import AdapterConformance
from couriers.testing.receiver import ReceiverConformance
from couriers_delhivery.adapter import DelhiveryAdapter
from couriers_delhivery.mapper.statuses import STATUSES
from couriers_delhivery.receiver import DelhiveryReceiver
from sandbox.process import SandboxProcess

UNDELIVERED = "UD/Pending/EOD-11"
ARRANGED = {
    Capability.REQUEST_REATTEMPT: UNDELIVERED,
    Capability.REQUEST_RTO: UNDELIVERED,
    Capability.OUTCOME_OF: UNDELIVERED,
    Capability.SCHEDULE_REVERSE_PICKUP: "CN/Canceled/EOD-777",
    Capability.GET_PROOF_OF_DELIVERY: "DL/Delivered/EOD-38",
}
KEY = "key-of-the-tests-0123456789"


class DelhiverySandbox(SandboxProcess):
    """The sandbox as the kit counts it."""

    def booked(self, order_number: str) -> list[str]:
        return [s["tracking_id"] for s in self.shipments() if s["order_number"] == order_number]


class TestDelhivery(AdapterConformance):
    adapter_class = DelhiveryAdapter
    published_statuses = tuple(STATUSES)
    login: ClassVar = {"api_token": KEY, "client_name": "ACME SURFACE"}
    # Without the days of delivery a quote still has its price.
    spare_requests = ("GET /api/dc/expected_tat",)

    @classmethod
    @contextmanager
    def start_sandbox(cls) -> Iterator[DelhiverySandbox]:
        flags = ("--key", KEY, "--client-name", "ACME SURFACE", "--hold")
        with DelhiverySandbox("delhivery", *flags) as sandbox:
            yield sandbox

    def arrange(self, sandbox: DelhiverySandbox, capability: Capability, tracking_id: str) -> None:
        status = ARRANGED.get(capability)
        if status:
            sandbox.post("/_sandbox/advance", {"tracking_id": tracking_id, "status": status})

    def handle(self, adapter: BaseCourierAdapter, tracking_id: str) -> str:
        return adapter.request_reattempt(self.reattempt_request(tracking_id)).handle


class TestDelhiveryReceiver(ReceiverConformance):
    receiver = DelhiveryReceiver()
    signs_bodies = False
    samples = (
        json.dumps(
            {
                "Shipment": {
                    "AWB": "84300000000015", "ReferenceNo": "A-1", "NSLCode": "X-UCI",
                    "Sortcode": "PNQ/KTR", "PickUpDate": "2026-11-23 23:57:01.767",
                    "Status": {
                        "Status": "Manifested", "StatusType": "UD", "StatusLocation": "Pune",
                        "StatusDateTime": "2026-11-23T23:56:59.57", "Instructions": "Uploaded",
                    },
                }
            }
        ).encode(),
    )  # fmt: skip

    def sign(self, body: bytes, secret: str) -> Mapping[str, str]:
        return {"x-delhivery-token": secret}
