"""The calls that make forward orders, in one step or in two, and change them."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web

from sandbox.checks import is_text, require
from sandbox.chosen_ends import ChosenEnd, chosen_end
from sandbox.errors import Declined
from sandbox.faults import reset_connection
from sandbox.operations import Operation, read_json
from sandbox.velocity import answers
from sandbox.velocity.assignment import Assignment
from sandbox.velocity.documents import Labels
from sandbox.velocity.ledger import VelocityLedger
from sandbox.velocity.order_validation import check_forward
from sandbox.velocity.payloads import forward_payload
from sandbox.velocity.shipments import VelocityShipment
from sandbox.velocity.switches import VelocitySwitches
from sandbox.velocity.validation import check_known

PATH = "/custom/api/v1"


class Bookings:
    """Forward orders."""

    def __init__(
        self,
        ledger: VelocityLedger,
        assignment: Assignment,
        labels: Labels,
        switches: VelocitySwitches,
        slow_seconds: float,
    ) -> None:
        self._ledger = ledger
        self._assignment = assignment
        self._labels = labels
        self._switches = switches
        self._slow_seconds = slow_seconds

    def operations(self) -> list[Operation]:
        return [
            Operation(
                "create_shipment", "POST", f"{PATH}/forward-order-orchestration", self.create
            ),
            Operation("create_order", "POST", f"{PATH}/forward-order", self.create_order),
            Operation("assign_courier", "POST", f"{PATH}/forward-order-shipment", self.assign),
            Operation("update_order", "PUT", f"{PATH}/order", self.update),
        ]

    async def create(self, request: web.Request) -> web.StreamResponse:
        """Make an order and give it a carrier.

        An order number may choose a refusal, a late answer or a lost one.
        """
        body = await self._forward_body(request)
        chosen = chosen_end(body["order_id"])
        if chosen is ChosenEnd.REFUSED:
            raise Declined(f"order_id: {body['order_id']} is refused, as it asks for")
        if chosen is ChosenEnd.SLOW:
            await asyncio.sleep(self._slow_seconds)
        known = self._known(body["order_id"])
        if known is not None:
            return answers.of_order(forward_payload(known))
        order = self._make(body)
        reason = await self._assignment.assign(order, body.get("carrier_id", ""))
        self._add_label(order, request)
        if chosen is ChosenEnd.DOUBT:
            return reset_connection(request)
        return answers.of_order(forward_payload(order), reason)

    async def create_order(self, request: web.Request) -> web.StreamResponse:
        """Make an order that waits for its carrier."""
        body = await self._forward_body(request)
        order = self._known(body["order_id"]) or self._make(body)
        return answers.of_order(forward_payload(order))

    async def assign(self, request: web.Request) -> web.StreamResponse:
        """Give an order its carrier, which may be asked for."""
        body = await read_json(request)
        check_known(body, ("shipment_id", "carrier_id"))
        require(is_text(body.get("shipment_id")), "shipment_id is required")
        require(isinstance(body.get("carrier_id", ""), str), "carrier_id must be text")
        order = self._ledger.order_by("shipment_id", body["shipment_id"])
        if order.tracking_id:
            raise Declined("AWB is already generated")
        reason = await self._assignment.assign(order, body.get("carrier_id", ""))
        self._add_label(order, request)
        return answers.of_order(forward_payload(order), reason)

    async def update(self, request: web.Request) -> web.StreamResponse:
        """Replace an order that has no AWB by the whole order that is sent."""
        body = await self._forward_body(request)
        order = self._to_update(body["order_id"])
        if order.tracking_id:
            raise Declined("Order cannot be updated after the AWB is generated")
        order.body = {**body, "order_id": order.order_number}
        order.index_words()
        return answers.of_order(forward_payload(order))

    async def _forward_body(self, request: web.Request) -> dict[str, Any]:
        body = await read_json(request)
        check_forward(body)
        warehouse = self._ledger.warehouse(body["warehouse_id"])
        require(
            warehouse["name"] == body["pickup_location"],
            "pickup_location must be the warehouse's name",
        )
        return body

    def _known(self, number: str) -> VelocityShipment | None:
        """The order that is given instead of a new one. Raises Declined for a duplicate."""
        known = self._ledger.order_of(number, reverse=False)
        if known is None or self._switches.duplicate_orders == "books":
            return None
        if self._switches.duplicate_orders == "refuses":
            raise Declined("Duplicate order id")
        return known

    def _make(self, body: dict[str, Any]) -> VelocityShipment:
        origin = self._ledger.warehouse(body["warehouse_id"])["address_attributes"]["zip"]
        return self._ledger.make_order(body, origin, reverse=False)

    def _add_label(self, order: VelocityShipment, request: web.Request) -> None:
        if order.tracking_id and order.body["print_label"]:
            order.label_url = self._labels.link(order, request)

    def _to_update(self, number: str) -> VelocityShipment:
        wanted = self._switches.order_update_id
        found = self._ledger.order_of(number, reverse=False) if wanted != "velocity" else None
        if found is not None:
            return found
        if wanted == "ours":
            raise Declined(f"order_id {number} is not found")
        return self._ledger.order_by("order_id", number)
