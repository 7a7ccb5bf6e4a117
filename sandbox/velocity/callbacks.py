"""Velocity's callbacks: one address, and a key in the header X-API-Key. Nothing is signed."""

from __future__ import annotations

import json
import uuid
from typing import Any

from sandbox.callbacks import CallbackSender
from sandbox.ledger import Step
from sandbox.velocity.answers import zoned
from sandbox.velocity.shipments import VelocityShipment
from sandbox.velocity.switches import VelocitySwitches
from sandbox.velocity.words import DELIVERED, written

DAY_MS = 24 * 3600 * 1000


class VelocityCallbacks:
    """Sends each change of status to the address that the account's panel was told."""

    def __init__(self, sender: CallbackSender, switches: VelocitySwitches) -> None:
        self._sender = sender
        self._switches = switches
        self.address: tuple[str, str] | None = None

    def status_changed(self, shipment: VelocityShipment, step: Step) -> None:
        """Send `status_change`, and the carrier's own words where they are switched on."""
        self._send("status_change", _data(shipment, step, self._switches), step.time_ms)
        if self._switches.tracking_additions:
            data = {
                "tracking_number": shipment.tracking_id,
                "order_external_id": shipment.order_number,
                "remarks": f"{step.description} {zoned(step.time_ms)}",
                "location": step.location,
            }
            self._send("tracking_addition", data, step.time_ms)

    def _send(self, event: str, data: dict[str, Any], time_ms: int) -> None:
        if self.address is None:
            return
        url, key = self.address
        body = {
            "event": event,
            "event_id": str(uuid.uuid4()),
            "event_timestamp": zoned(time_ms),
            "data": data,
        }
        headers = {"X-API-Key": key} if key else {}
        raw = json.dumps(body, separators=(",", ":")).encode()
        self._sender.send(url, raw, headers, again=self._switches.redelivers_callbacks)


def _data(shipment: VelocityShipment, step: Step, switches: VelocitySwitches) -> dict[str, Any]:
    assert shipment.carrier is not None
    expected = zoned(shipment.made_ms + shipment.carrier.days * DAY_MS)
    delivered_ms = shipment.time_of(*DELIVERED)
    kind = "return" if shipment.reverse else "forward"
    return {
        "shipment_id": shipment.shipment_id,
        "tracking_number": shipment.tracking_id,
        "order_id": shipment.order_id,
        "order_external_id": shipment.order_number,
        "order_display_id": shipment.order_number,
        "status": written(step.status, switches),
        "sub_status": step.description if step.status == "ndr_raised" else None,
        "carrier_name": shipment.carrier.name,
        "estimated_delivery_date": expected,
        "original_edd": expected,
        "shipment_type": "rto" if step.status.startswith("rto_") else kind,
        "delivered_at": zoned(delivered_ms) if delivered_ms else None,
        "tracking_url": f"https://track.example/{shipment.tracking_id}",
    }
