"""The call that makes a warehouse. There is no list of them and no edit."""

from __future__ import annotations

from aiohttp import web

from sandbox.operations import Operation, read_json
from sandbox.velocity import answers
from sandbox.velocity.ledger import VelocityLedger
from sandbox.velocity.validation import check_warehouse


class Warehouses:
    """Warehouses by their ids."""

    def __init__(self, ledger: VelocityLedger) -> None:
        self._ledger = ledger

    def operations(self) -> list[Operation]:
        path = "/custom/api/v1/warehouse"
        return [Operation("add_warehouse", "POST", path, self.create)]

    async def create(self, request: web.Request) -> web.StreamResponse:
        """Make another warehouse, also where there is one like it."""
        body = await read_json(request)
        check_warehouse(body)
        return answers.with_payload({"warehouse_id": self._ledger.add_warehouse(body)})
