"""The calls about pincodes, lanes and prices."""

from __future__ import annotations

from aiohttp import web

from sandbox.checks import require
from sandbox.ekart import pincodes, prices
from sandbox.ekart.validation import check_estimate, check_lane, check_pincode
from sandbox.operations import Operation, read_json


class Serviceability:
    """One pincode, the lane between two, the bulk list of `count` pincodes, and prices."""

    def __init__(self, count: int) -> None:
        self._bulk_rows = [pincode.bulk_row() for pincode in pincodes.sample(count)]

    def operations(self) -> list[Operation]:
        return [
            Operation(
                "serviceability", "GET", "/api/v2/serviceability/{pincode}", self.serviceability
            ),
            Operation("lane_serviceability", "POST", "/data/v3/serviceability", self.lane),
            Operation("bulk_serviceability", "GET", "/data/serviceability/bulk/{type}", self.bulk),
            Operation("estimate", "POST", "/data/pricing/estimate", self.estimate),
        ]

    async def serviceability(self, request: web.Request) -> web.StreamResponse:
        text = request.match_info["pincode"]
        check_pincode("pincode", text)
        found = pincodes.look_up(text)
        if not found.served:
            return web.json_response(
                {"status": False, "pincode": int(text), "remark": "Not serviceable"}
            )
        return web.json_response(
            {
                "status": True,
                "pincode": int(text),
                "remark": "Serviceable",
                "details": found.details(),
            }
        )

    async def lane(self, request: web.Request) -> web.StreamResponse:
        """Every courier group that serves the lane; an empty list where none does."""
        body = await read_json(request)
        check_lane(body)
        origin, destination = (
            pincodes.look_up(body[name]) for name in ("pickupPincode", "dropPincode")
        )
        cod = float(body["codAmount"]) if body["paymentType"] == "COD" else 0.0
        if not origin.served or not destination.takes_cod(cod):
            return web.json_response([])
        services = [body["serviceType"]] if "serviceType" in body else list(prices.DAYS)
        return web.json_response([prices.lane(service, body) for service in services])

    async def bulk(self, request: web.Request) -> web.StreamResponse:
        """The bulk list, the same for large goods as for others."""
        require(request.match_info["type"] in ("NON_LARGE", "LARGE"), "type: NON_LARGE or LARGE")
        require(
            request.query.get("format", "JSON") == "JSON",
            "format: the sandbox has no other than JSON",
        )
        return web.json_response({"serviceability": self._bulk_rows})

    async def estimate(self, request: web.Request) -> web.StreamResponse:
        body = await read_json(request)
        check_estimate(body)
        return web.json_response(prices.estimate(body))
