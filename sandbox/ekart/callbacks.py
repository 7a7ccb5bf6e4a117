"""Ekart's callbacks: their bodies, their signature, and which webhooks want them."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

from sandbox.callbacks import CallbackSender
from sandbox.ekart.ledger import EkartLedger
from sandbox.ekart.shipments import EkartShipment
from sandbox.ekart.topics import SHIPMENT_CREATED, SHIPMENT_RECREATED, TRACK_UPDATED
from sandbox.ledger import Step


class EkartCallbacks:
    """Sends each event to every active webhook that has its topic."""

    def __init__(self, ledger: EkartLedger, sender: CallbackSender) -> None:
        self._ledger = ledger
        self._sender = sender

    def track_updated(self, shipment: EkartShipment, step: Step) -> None:
        """Send a tracking update. It has the times of pick-up and delivery only after pick-up."""
        body: dict[str, Any] = {
            "ctime": step.time_ms,
            "status": step.status,
            "location": step.location,
            "desc": step.description,
            "attempts": str(shipment.attempts),
            "wbn": shipment.wbn,
            "id": shipment.tracking_id,
            "orderNumber": shipment.order_number,
        }
        if shipment.picked_up_ms:
            body["pickupTime"] = shipment.picked_up_ms
            body["edd"] = shipment.expected_ms
        if step.ndr_reason:
            body["ndrStatus"] = step.ndr_reason
        self._send(TRACK_UPDATED, body)

    def shipment_created(self, shipment: EkartShipment) -> None:
        """Send the callback for a new shipment."""
        self._send(SHIPMENT_CREATED, _creation(shipment))

    def shipment_recreated(self, shipment: EkartShipment) -> None:
        """Send the callback for a new tracking id. The body does not name its topic."""
        self._send(SHIPMENT_RECREATED, _creation(shipment))

    def _send(self, topic: str, body: dict[str, Any]) -> None:
        raw = json.dumps(body, separators=(",", ":")).encode()
        for webhook in self._ledger.webhooks.values():
            if webhook.active and topic in webhook.topics:
                self._sender.send(webhook.url, raw, _signature(webhook.secret, raw))


def _creation(shipment: EkartShipment) -> dict[str, Any]:
    return {
        "id": shipment.tracking_id,
        "wbn": shipment.wbn,
        "vendor": "EKART",
        "orderNumber": shipment.order_number,
        "channelId": hashlib.sha256(shipment.order_number.encode()).hexdigest()[:24],
    }


def _signature(secret: str, raw: bytes) -> dict[str, str]:
    """The header that signs a body."""
    return {"x-ekart-signature": hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()}
