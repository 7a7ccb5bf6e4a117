"""The call that tells where parcels are, several at a time."""

from __future__ import annotations

import uuid
from typing import Any

from aiohttp import web

from sandbox.errors import Declined
from sandbox.operations import Operation, read_json
from sandbox.velocity.answers import moment
from sandbox.velocity.ledger import VelocityLedger
from sandbox.velocity.shipments import VelocityShipment
from sandbox.velocity.switches import VelocitySwitches
from sandbox.velocity.validation import check_awbs
from sandbox.velocity.words import DELIVERED, PICKED_UP, written


class Tracking:
    """Tracking by AWB."""

    def __init__(self, ledger: VelocityLedger, switches: VelocitySwitches) -> None:
        self._ledger = ledger
        self._switches = switches

    def operations(self) -> list[Operation]:
        return [Operation("track", "POST", "/custom/api/v1/order-tracking", self.track)]

    async def track(self, request: web.Request) -> web.StreamResponse:
        """Each AWB by itself. What becomes of an unknown one is a switch."""
        body = await read_json(request)
        result: dict[str, Any] = {}
        for awb in check_awbs(body, self._switches.tracking_limit):
            shipment = self._ledger.find(awb)
            if shipment is not None:
                result[awb] = {"tracking_data": self._tracking_data(shipment)}
            elif self._switches.unknown_awb == "null":
                result[awb] = None
            elif self._switches.unknown_awb == "error":
                result[awb] = {"error": f"AWB {awb} is not found"}
            elif self._switches.unknown_awb == "refuses":
                raise Declined(f"AWB {awb} is not found")
        return web.json_response({"result": result})

    def _tracking_data(self, shipment: VelocityShipment) -> dict[str, Any]:
        assert shipment.carrier is not None
        body, who = shipment.body, shipment.customer
        status = written(shipment.status, self._switches)
        city = body[f"{who}_city"]
        return {
            "track_status": None,
            "shipment_status": status,
            "shipment_track": [
                {
                    "id": str(uuid.uuid5(uuid.NAMESPACE_OID, shipment.shipment_id)),
                    "awb_code": shipment.tracking_id,
                    "courier_company_id": shipment.carrier.id,
                    "shipment_id": shipment.shipment_id,
                    "order_id": shipment.order_id,
                    "pickup_date": _moment(shipment.time_of(*PICKED_UP)),
                    "delivered_date": _moment(shipment.time_of(*DELIVERED)),
                    "weight": body["weight"],
                    "packages": 1,
                    "current_status": status,
                    "delivered_to": city,
                    "destination": city,
                    "consignee_name": body[f"{who}_customer_name"],
                    "origin": shipment.origin,
                    "courier_agent_details": None,
                }
            ],
            # The first step is Velocity's own, of which a carrier knows nothing.
            "shipment_track_activities": [
                {
                    "date": moment(step.time_ms),
                    "activity": step.description,
                    "location": step.location,
                }
                for step in reversed(shipment.steps[1:])
            ],
            "track_url": f"https://track.example/{shipment.tracking_id}",
        }


def _moment(milliseconds: int | None) -> str | None:
    return moment(milliseconds) if milliseconds else None
