"""What forward orders and returns share: they are made in one step or in two, once or again."""

from __future__ import annotations

import abc
import asyncio
from collections.abc import Mapping
from typing import Any, ClassVar

from aiohttp import web

from sandbox.checks import require
from sandbox.chosen_ends import ChosenEnd, chosen_end
from sandbox.errors import Declined
from sandbox.faults import reset_connection
from sandbox.velocity import answers
from sandbox.velocity.assignment import Assignment
from sandbox.velocity.documents import Labels
from sandbox.velocity.ledger import VelocityLedger
from sandbox.velocity.shipments import VelocityShipment
from sandbox.velocity.switches import VelocitySwitches

PATH = "/custom/api/v1"


class Orders(abc.ABC):
    """Orders of one direction. One whose number asks for a late answer waits `slow_seconds`."""

    reverse: ClassVar[bool]
    has_label: ClassVar[bool]

    def __init__(
        self,
        ledger: VelocityLedger,
        assignment: Assignment,
        labels: Labels,
        switches: VelocitySwitches,
        slow_seconds: float = 0.0,
    ) -> None:
        self._ledger = ledger
        self._assignment = assignment
        self._labels = labels
        self._switches = switches
        self._slow_seconds = slow_seconds

    @abc.abstractmethod
    async def _read(self, request: web.Request) -> dict[str, Any]:
        """Return the body of a request for an order, checked."""

    @abc.abstractmethod
    def _payload(self, order: VelocityShipment) -> Mapping[str, Any]:
        """Return what the calls answer of an order."""

    @abc.abstractmethod
    def _make(self, body: dict[str, Any]) -> VelocityShipment: ...

    async def create(self, request: web.Request) -> web.StreamResponse:
        """Make an order and give it a carrier.

        An order number may choose a refusal, a late answer or a lost one.
        """
        body = await self._read(request)
        chosen = chosen_end(body["order_id"])
        if chosen is ChosenEnd.REFUSED:
            raise Declined(f"order_id: {body['order_id']} is refused, as it asks for")
        if chosen is ChosenEnd.SLOW:
            await asyncio.sleep(self._slow_seconds)
        if (known := self._known(body["order_id"])) is not None:
            return self._answer(known)
        order = self._make(body)
        reason = await self._give_carrier(order, body, request)
        if chosen is ChosenEnd.DOUBT:
            return reset_connection(request)
        return self._answer(order, reason)

    async def create_order(self, request: web.Request) -> web.StreamResponse:
        """Make an order that waits for its carrier."""
        body = await self._read(request)
        return self._answer(self._known(body["order_id"]) or self._make(body))

    async def _assign(
        self, id_name: str, body: dict[str, Any], request: web.Request
    ) -> web.StreamResponse:
        """Give the order with this id of the body its carrier."""
        require(isinstance(body.get("carrier_id", ""), str), "carrier_id must be text")
        order = self._ledger.order_by(id_name, body[id_name])
        if "warehouse_id" in body:
            self._ledger.warehouse(body["warehouse_id"])
        if order.tracking_id:
            raise Declined("AWB is already generated")
        return self._answer(order, await self._give_carrier(order, body, request))

    async def _give_carrier(
        self, order: VelocityShipment, body: dict[str, Any], request: web.Request
    ) -> str:
        """Return why no carrier took it, or ""."""
        reason = await self._assignment.assign(order, body.get("carrier_id", ""))
        if self.has_label and order.tracking_id and order.body["print_label"]:
            order.label_url = self._labels.link(order, request)
        return reason

    def _known(self, number: str) -> VelocityShipment | None:
        """The order that is given instead of a new one. Raises Declined for a duplicate."""
        known = self._ledger.order_of(number, reverse=self.reverse)
        if known is None or self._switches.duplicate_orders == "books":
            return None
        if self._switches.duplicate_orders == "refuses":
            raise Declined("Duplicate order id")
        return known

    def _answer(self, order: VelocityShipment, reason: str = "") -> web.Response:
        return answers.of_order(self._payload(order), reason)
