"""Velocity's plug-in passes the conformance kit, with its sandbox behind the kit's fault proxy."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import ClassVar

from couriers.contract.adapter import Capability
from couriers.testing.adapter import AdapterConformance
from couriers.testing.receiver import ReceiverConformance
from couriers_velocity.adapter import VelocityAdapter
from couriers_velocity.mapper.statuses import WORDS
from couriers_velocity.receiver import VelocityReceiver
from sandbox.process import SandboxProcess

UNDELIVERED = (
    Capability.REQUEST_REATTEMPT,
    Capability.UPDATE_DELIVERY_ADDRESS,
    Capability.REQUEST_RTO,
)
KEY = "velocity-key-of-tests"


class VelocitySandbox(SandboxProcess):
    """The sandbox as the kit counts it."""

    def booked(self, order_number: str) -> list[str]:
        return [
            s["tracking_id"]
            for s in self.shipments()
            if s["order_number"] == order_number and s["tracking_id"]
        ]


class TestVelocity(AdapterConformance):
    adapter_class = VelocityAdapter
    published_statuses = tuple(WORDS)
    login: ClassVar = {"api_key": KEY}

    @classmethod
    @contextmanager
    def start_sandbox(cls) -> Iterator[VelocitySandbox]:
        with VelocitySandbox("velocity", "--hold", "--api-key", KEY) as sandbox:
            yield sandbox

    def arrange(self, sandbox: VelocitySandbox, capability: Capability, tracking_id: str) -> None:
        if capability in UNDELIVERED:
            status = {"tracking_id": tracking_id, "status": "ndr_raised"}
            sandbox.post("/_sandbox/advance", status)


def callback(**data: str | None) -> bytes:
    """Return the body of a callback."""
    told = {
        "shipment_id": "SHI1", "tracking_number": "AWB1", "order_id": "ORD1",
        "order_external_id": "A-1", "order_display_id": "A-1", "status": "in_transit",
        "sub_status": "Left the hub", "carrier_name": "Blue Dart", "shipment_type": "forward",
        "estimated_delivery_date": "2026-12-02", "original_edd": None, "delivered_at": None,
        "tracking_url": "https://track.example/AWB1",
    }  # fmt: skip
    return json.dumps(
        {
            "event": "status_change", "event_id": "4f2c6d1e-52aa-4d3b-9a53-0d7e2b8f3c11",
            "event_timestamp": "2026-11-30T10:15:00.000+05:30", "data": told | data,
        }
    ).encode()  # fmt: skip


class TestVelocityReceiver(ReceiverConformance):
    receiver = VelocityReceiver()
    signs_bodies = False
    samples = (
        callback(),
        callback(status="delivered", delivered_at="2026-11-30T10:14:00+05:30"),
        callback(status="delivered", shipment_type="rto"),
    )

    def sign(self, body: bytes, secret: str) -> Mapping[str, str]:
        return {"X-API-Key": secret}
