"""The calls that make forward orders, in one step or in two, and change them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from sandbox.checks import is_text, require
from sandbox.errors import Declined
from sandbox.operations import Operation, read_json
from sandbox.velocity.order_validation import check_forward
from sandbox.velocity.orders import PATH, Orders
from sandbox.velocity.payloads import forward_payload
from sandbox.velocity.shipments import VelocityShipment
from sandbox.velocity.validation import check_known


class Bookings(Orders):
    """Forward orders."""

    reverse = False
    has_label = True

    def operations(self) -> list[Operation]:
        return [
            Operation(
                "create_shipment", "POST", f"{PATH}/forward-order-orchestration", self.create
            ),
            Operation("create_order", "POST", f"{PATH}/forward-order", self.create_order),
            Operation("assign_courier", "POST", f"{PATH}/forward-order-shipment", self.assign),
            Operation("update_order", "PUT", f"{PATH}/order", self.update),
        ]

    async def assign(self, request: web.Request) -> web.StreamResponse:
        """Give an order its carrier, which may be asked for."""
        body = await read_json(request)
        check_known(body, ("shipment_id", "carrier_id"))
        require(is_text(body.get("shipment_id")), "shipment_id is required")
        return await self._assign("shipment_id", body, request)

    async def update(self, request: web.Request) -> web.StreamResponse:
        """Replace an order that has no AWB by the whole order that is sent."""
        body = await self._read(request)
        order = self._to_update(body["order_id"])
        if order.tracking_id:
            raise Declined("Order cannot be updated after the AWB is generated")
        order.body = {**body, "order_id": order.order_number}
        order.index_words()
        return self._answer(order)

    async def _read(self, request: web.Request) -> dict[str, Any]:
        body = await read_json(request)
        check_forward(body)
        warehouse = self._ledger.warehouse(body["warehouse_id"])
        require(
            warehouse["name"] == body["pickup_location"],
            "pickup_location must be the warehouse's name",
        )
        return body

    def _payload(self, order: VelocityShipment) -> Mapping[str, Any]:
        return forward_payload(order)

    def _make(self, body: dict[str, Any]) -> VelocityShipment:
        origin = self._ledger.warehouse(body["warehouse_id"])["address_attributes"]["zip"]
        return self._ledger.make_order(body, origin, reverse=False)

    def _to_update(self, number: str) -> VelocityShipment:
        wanted = self._switches.order_update_id
        found = self._ledger.order_of(number, reverse=False) if wanted != "velocity" else None
        if found is not None:
            return found
        if wanted == "ours":
            raise Declined(f"order_id {number} is not found")
        return self._ledger.order_by("order_id", number)
