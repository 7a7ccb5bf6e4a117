"""The calls that tell where a shipment is: in Ekart's words, or in the network's own."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from sandbox.ekart.operations import Operation, found
from sandbox.ekart.raw_history import large, non_large
from sandbox.ledger import Booked, Books


class Tracking:
    """Both kinds of tracking."""

    def __init__(self, books: Books) -> None:
        self._books = books

    def operations(self) -> list[Operation]:
        return [
            Operation("track", "GET", "/api/v1/track/{id}", self.track, open_to_all=True),
            Operation("raw_track", "GET", "/data/v1/elite/track/{wbn}", self.raw_track),
        ]

    async def track(self, request: web.Request) -> web.StreamResponse:
        shipment = found(self._books.find(request.match_info["id"]))
        return web.json_response(
            {
                "_id": shipment.tracking_id,
                "order_number": shipment.order_number,
                "track": _track(shipment),
                **({"edd": shipment.expected} if shipment.expected else {}),
            }
        )

    async def raw_track(self, request: web.Request) -> web.StreamResponse:
        """The history under the waybill, by whichever of its two names it was asked for."""
        shipment = found(self._books.find_by_any(request.match_info["wbn"]))
        shape = large if shipment.large else non_large
        return web.json_response({shipment.wbn: shape(shipment)})


def _track(shipment: Booked) -> dict[str, Any]:
    details = [
        {
            "status": step.status,
            "ctime": step.ctime,
            "desc": step.desc,
            "location": step.location,
            **({"ndrStatus": step.ndr_status} if step.ndr_status else {}),
        }
        for step in shipment.steps
    ]
    latest = dict(details[-1])
    if "ndrStatus" in latest:
        latest["ndrActions"] = ["Re-Attempt", "RTO"]
    if shipment.picked_up:
        latest["pickupTime"] = shipment.picked_up
    return {**latest, "attempts": shipment.attempts, "details": details}
