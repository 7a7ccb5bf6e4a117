"""The calls that make returns, in one step or in two, and exchanges."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from sandbox.checks import is_text, require
from sandbox.operations import Operation, read_json
from sandbox.velocity import answers
from sandbox.velocity.assignment import Assignment
from sandbox.velocity.documents import Labels
from sandbox.velocity.exchange_validation import check_exchange, forward_of, reverse_of
from sandbox.velocity.ledger import VelocityLedger
from sandbox.velocity.order_validation import check_reverse
from sandbox.velocity.orders import PATH, Orders
from sandbox.velocity.payloads import exchange_payload, return_payload
from sandbox.velocity.shipments import VelocityShipment
from sandbox.velocity.switches import VelocitySwitches
from sandbox.velocity.validation import check_known


class Returns(Orders):
    """Parcels that are fetched from the customer."""

    reverse = True
    has_label = False

    def __init__(
        self,
        ledger: VelocityLedger,
        assignment: Assignment,
        labels: Labels,
        switches: VelocitySwitches,
    ) -> None:
        super().__init__(ledger, assignment, labels, switches)
        # The forward order and the return of each exchange, by the number it was asked for with.
        self._exchanges: dict[str, tuple[VelocityShipment, VelocityShipment]] = {}

    def operations(self) -> list[Operation]:
        return [
            Operation("create_return", "POST", f"{PATH}/reverse-order-orchestration", self.create),
            Operation("create_return_order", "POST", f"{PATH}/reverse-order", self.create_order),
            Operation(
                "assign_return_courier", "POST", f"{PATH}/reverse-order-shipment", self.assign
            ),
            Operation(
                "create_exchange", "POST", f"{PATH}/exchange-order-orchestration", self.exchange
            ),
        ]

    async def assign(self, request: web.Request) -> web.StreamResponse:
        """Give a return its carrier, which may be asked for."""
        body = await read_json(request)
        check_known(body, ("return_id", "warehouse_id", "carrier_id"))
        for name in ("return_id", "warehouse_id"):
            require(is_text(body.get(name)), f"{name} is required")
        return await self._assign("return_id", body, request)

    async def exchange(self, request: web.Request) -> web.StreamResponse:
        """Bring a new item and fetch the old one. A number that is known gives what there is."""
        body = await read_json(request)
        check_exchange(body)
        if body["order_id"] in self._exchanges:
            return answers.of_order(exchange_payload(*self._exchanges[body["order_id"]]))
        sender = self._ledger.warehouse(body["forward_warehouse_id"])
        receiver_id = body.get("return_warehouse_id", body["forward_warehouse_id"])
        receiver = self._ledger.warehouse(receiver_id)
        forward = self._ledger.make_order(
            forward_of(body, sender), sender["address_attributes"]["zip"], reverse=False
        )
        back = self._make(reverse_of(body, receiver_id, receiver))
        self._exchanges[body["order_id"]] = (forward, back)
        reasons = [
            await self._assignment.assign(order, body.get("carrier_id", ""))
            for order in (forward, back)
        ]
        for order in (forward, back):
            if order.tracking_id and body.get("print_label", True):
                order.label_url = self._labels.link(order, request)
        return answers.of_order(exchange_payload(forward, back), "; ".join(filter(None, reasons)))

    async def _read(self, request: web.Request) -> dict[str, Any]:
        body = await read_json(request)
        check_reverse(body)
        self._ledger.warehouse(body["warehouse_id"])
        return body

    def _payload(self, order: VelocityShipment) -> Mapping[str, Any]:
        return return_payload(order)

    def _make(self, body: dict[str, Any]) -> VelocityShipment:
        return self._ledger.make_order(body, str(body["pickup_pincode"]), reverse=True)
