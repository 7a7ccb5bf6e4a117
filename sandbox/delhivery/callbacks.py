"""Delhivery's callbacks: one scan each, a static header, one immediate retry, then lost."""

from __future__ import annotations

import base64
import json
from typing import Any

from sandbox.callbacks import CallbackSender
from sandbox.delhivery.pincodes import Pincode
from sandbox.delhivery.shipments import DelhiveryShipment
from sandbox.delhivery.statuses import Status
from sandbox.delhivery.switches import DelhiverySwitches
from sandbox.delhivery.times import stamp
from sandbox.ledger import Step

RETRIES = (0.0,)  # seconds
IMAGE = b"\xff\xd8\xff\xe0 a signature \xff\xd9"


class DelhiveryCallbacks:
    """Sends each scan to every address; `header` is the header that carries an address's secret."""

    def __init__(self, sender: CallbackSender, switches: DelhiverySwitches, header: str) -> None:
        self._sender = sender
        self._switches = switches
        self._header = header
        self._addresses: dict[str, str] = {}

    def add(self, url: str, secret: str) -> None:
        """Send to an address, as Delhivery does after an e-mail that asks for it."""
        self._addresses[url] = secret

    def scanned(self, shipment: DelhiveryShipment, step: Step) -> None:
        """Send a scan. The code of a status is called NSLCode here."""
        now = Status.parse(step.status)
        planned = stamp(shipment.steps[0].time_ms)
        self._send(
            {
                "Shipment": {
                    "AWB": shipment.tracking_id,
                    "ReferenceNo": shipment.order_number,
                    "NSLCode": now.code,
                    "Sortcode": Pincode(str(shipment.body["pin"])).sort_code,
                    "PickUpDate": planned.replace("T", " ")
                    if self._switches.space_in_date
                    else planned,
                    "Status": {
                        "Status": now.spelt(self._switches.status_words),
                        "StatusType": now.type,
                        "StatusDateTime": stamp(step.time_ms),
                        "StatusLocation": step.location,
                        "Instructions": step.description,
                    },
                }
            }
        )
        if now.word == "Delivered" and self._switches.proof_callbacks:
            self._send(
                {
                    "waybill": shipment.tracking_id,
                    "EPOD": base64.b64encode(IMAGE).decode(),
                    "orderID": shipment.order_number,
                }
            )

    def _send(self, body: dict[str, Any]) -> None:
        raw = json.dumps(body).encode()
        for url, secret in self._addresses.items():
            self._sender.send(url, raw, {self._header: secret})
