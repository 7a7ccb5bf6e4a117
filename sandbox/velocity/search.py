"""The full-text search among forward orders and among returns, with the oddities of its pages."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from sandbox.operations import Operation, read_json
from sandbox.velocity import answers
from sandbox.velocity.ledger import VelocityLedger
from sandbox.velocity.shipments import VelocityShipment
from sandbox.velocity.switches import VelocitySwitches
from sandbox.velocity.validation import check_search
from sandbox.velocity.words import CANCELLED, DELIVERED, PICKED_UP, written

MOST_PER_PAGE = 100


class Search:
    """Finds the text anywhere in an order: in its numbers, names, addresses and items."""

    def __init__(self, ledger: VelocityLedger, switches: VelocitySwitches) -> None:
        self._ledger = ledger
        self._switches = switches

    def operations(self) -> list[Operation]:
        return [
            Operation("find_shipment", "POST", "/custom/api/v1/shipments", self.forward),
            Operation("find_return", "POST", "/custom/api/v1/returns", self.returns),
        ]

    async def forward(self, request: web.Request) -> web.StreamResponse:
        return await self._search(request, reverse=False)

    async def returns(self, request: web.Request) -> web.StreamResponse:
        return await self._search(request, reverse=True)

    async def _search(self, request: web.Request, *, reverse: bool) -> web.StreamResponse:
        """A page of orders. A page that is a number is a 500, and a cursor gives page 1 again."""
        body = await read_json(request)
        check_search(body)
        page = body.get("page", {"number": 1})
        if not isinstance(page, dict):
            return answers.internal_error()
        number = 1 if "next_search_after" in body else page["number"]
        per_page = min(MOST_PER_PAGE, body.get("per_page", 20))
        found = self._ledger.search(
            body.get("search", ""), reverse=reverse, lag=self._switches.search_lag
        )
        shown = found[(number - 1) * per_page : number * per_page]
        return web.json_response(
            {
                "data": [self._row(order) for order in shown],
                "meta": {
                    "total_count": len(found),
                    "page": {"number": number, "size": per_page},
                    "next_search_after": [shown[-1].made_ms] if shown else None,
                },
            }
        )

    def _row(self, order: VelocityShipment) -> dict[str, Any]:
        who, body = order.customer, order.body
        return {
            "id": order.return_id or order.shipment_id,
            "type": "return" if order.reverse else "shipment",
            "attributes": {
                "tracking_number": order.tracking_id or None,
                "status": written(order.status, self._switches),
                "created_at": answers.zoned(order.made_ms),
                "shipment_id": order.shipment_id,
                "payment_method": body["payment_method"],
                "weight": body["weight"],
                "order": {
                    "id": order.order_id,
                    "external_id": order.order_number,
                    "display_id": order.order_number,
                },
                "carrier": (
                    {"id": order.carrier.id, "name": order.carrier.name} if order.carrier else None
                ),
                "customer": {
                    "name": body[f"{who}_customer_name"],
                    "city": body[f"{who}_city"],
                    "pincode": str(body[f"{who}_pincode"]),
                },
                "shipment_milestones": _milestones(order),
            },
        }


def _milestones(order: VelocityShipment) -> dict[str, str | None]:
    reached = {
        "picked_up_at": order.time_of(*PICKED_UP),
        "out_for_delivery_at": order.time_of("out_for_delivery"),
        "delivered_at": order.time_of(*DELIVERED),
        "rto_initiated_at": order.time_of("rto_initiated"),
        "rto_delivered_at": order.time_of("rto_delivered"),
        "cancelled_at": order.time_of(*CANCELLED),
    }
    return {name: answers.zoned(ms) if ms else None for name, ms in reached.items()}
