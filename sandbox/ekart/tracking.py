"""The calls that tell where a shipment is: in Ekart's statuses, or in the network's own."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from sandbox.ekart import raw_history
from sandbox.ekart.ledger import EkartLedger
from sandbox.ekart.shipments import EkartShipment
from sandbox.operations import Operation


class Tracking:
    """Both kinds of tracking."""

    def __init__(self, ledger: EkartLedger) -> None:
        self._ledger = ledger

    def operations(self) -> list[Operation]:
        return [
            Operation("track", "GET", "/api/v1/track/{id}", self.track, public=True),
            Operation("raw_track", "GET", "/data/v1/elite/track/{wbn}", self.raw_track),
        ]

    async def track(self, request: web.Request) -> web.StreamResponse:
        shipment = self._ledger.get(request.match_info["id"])
        return web.json_response(
            {
                "_id": shipment.tracking_id,
                "order_number": shipment.order_number,
                "track": _track(shipment),
                **({"edd": shipment.expected_ms} if shipment.expected_ms else {}),
            }
        )

    async def raw_track(self, request: web.Request) -> web.StreamResponse:
        """The history under the waybill, also where the tracking id was asked for."""
        shipment = self._ledger.get_by_either(request.match_info["wbn"])
        history = raw_history.large if shipment.is_large else raw_history.non_large
        return web.json_response({shipment.wbn: history(shipment)})


def _track(shipment: EkartShipment) -> dict[str, Any]:
    details = [
        {
            "status": step.status,
            "ctime": step.time_ms,
            "desc": step.description,
            "location": step.location,
            **({"ndrStatus": step.ndr_reason} if step.ndr_reason else {}),
        }
        for step in shipment.steps
    ]
    latest = dict(details[-1])
    if "ndrStatus" in latest:
        latest["ndrActions"] = ["Re-Attempt", "RTO"]
    if shipment.picked_up_ms:
        latest["pickupTime"] = shipment.picked_up_ms
    return {**latest, "attempts": shipment.attempts, "details": details}
