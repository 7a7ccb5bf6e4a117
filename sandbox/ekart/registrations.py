"""The calls that register what later calls refer to: pickup addresses and webhooks."""

from __future__ import annotations

from aiohttp import web

from sandbox.ekart.ledger import EkartLedger
from sandbox.ekart.pincodes import look_up
from sandbox.ekart.validation import check_address, check_new_webhook, check_webhook_changes
from sandbox.errors import Declined, NotFound
from sandbox.operations import Operation, read_json


class Registrations:
    """Addresses by their alias, webhooks by their id.

    With `as_errors` a refused address is an error answer.
    """

    def __init__(self, ledger: EkartLedger, *, as_errors: bool) -> None:
        self._ledger = ledger
        self._as_errors = as_errors

    def operations(self) -> list[Operation]:
        return [
            Operation("add_address", "POST", "/api/v2/address", self.add_address),
            Operation("list_addresses", "GET", "/api/v2/addresses", self.list_addresses),
            Operation("list_webhooks", "GET", "/api/v2/webhook", self.list_webhooks),
            Operation("add_webhook", "POST", "/api/v2/webhook", self.add_webhook),
            Operation("edit_webhook", "PUT", "/api/v2/webhook/{webhook_id}", self.edit_webhook),
        ]

    async def add_address(self, request: web.Request) -> web.StreamResponse:
        body = await read_json(request)
        check_address(body)
        alias = body["alias"]
        problem = self._address_problem(alias, str(body["pincode"]))
        if problem and self._as_errors:
            raise Declined(problem)
        if not problem:
            self._ledger.addresses[alias] = body
        remark = problem or "Successfully added address"
        return web.json_response({"status": not problem, "alias": alias, "remark": remark})

    def _address_problem(self, alias: str, pincode: str) -> str:
        """Why an address is not registered, or an empty text."""
        if not look_up(pincode).served:
            return "Pincode is not serviceable"
        return "Alias already exists" if alias in self._ledger.addresses else ""

    async def list_addresses(self, _: web.Request) -> web.StreamResponse:
        return web.json_response(list(self._ledger.addresses.values()))

    async def list_webhooks(self, _: web.Request) -> web.StreamResponse:
        return web.json_response([w.as_json() for w in self._ledger.webhooks.values()])

    async def add_webhook(self, request: web.Request) -> web.StreamResponse:
        body = await read_json(request)
        check_new_webhook(body)
        webhook = self._ledger.add_webhook(body["url"], body["secret"], body["topics"])
        webhook.active = bool(body.get("active", True))
        return web.json_response(webhook.as_json())

    async def edit_webhook(self, request: web.Request) -> web.StreamResponse:
        webhook = self._ledger.webhooks.get(request.match_info["webhook_id"])
        if webhook is None:
            raise NotFound("Webhook does not exist.")
        body = await read_json(request)
        check_webhook_changes(body)
        for name in ("url", "secret", "topics", "active"):
            if name in body:
                setattr(webhook, name, body[name])
        return web.json_response(webhook.as_json())
