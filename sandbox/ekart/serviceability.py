"""The calls that tell where Ekart goes and what it costs."""

from __future__ import annotations

from aiohttp import web

from sandbox.ekart import pincodes, prices
from sandbox.ekart.operations import Operation, read_json
from sandbox.ekart.validation import (
    check_estimate,
    check_lane,
    check_pincode,
    demand,
)


class Serviceability:
    """One pincode, two, or all of them; and prices. `count` is how many "all" are."""

    def __init__(self, count: int) -> None:
        self._rows = [pincode.row() for pincode in pincodes.some(count)]

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
        """Every courier group that would carry it; none is an empty list."""
        body = await read_json(request)
        check_lane(body)
        start, end = (pincodes.look_up(body[name]) for name in ("pickupPincode", "dropPincode"))
        cash = float(body["codAmount"]) if body["paymentType"] == "COD" else 0.0
        if not start.served or not end.takes(cash):
            return web.json_response([])
        services = [body["serviceType"]] if "serviceType" in body else list(prices.DAYS)
        return web.json_response([prices.lane(service, body) for service in services])

    async def bulk(self, request: web.Request) -> web.StreamResponse:
        """The whole list; large goods go wherever others go."""
        demand(request.match_info["type"] in ("NON_LARGE", "LARGE"), "type: NON_LARGE or LARGE")
        demand(
            request.query.get("format", "JSON") == "JSON",
            "format: the sandbox has no other than JSON",
        )
        return web.json_response({"serviceability": self._rows})

    async def estimate(self, request: web.Request) -> web.StreamResponse:
        body = await read_json(request)
        check_estimate(body)
        return web.json_response(prices.estimate(body))
