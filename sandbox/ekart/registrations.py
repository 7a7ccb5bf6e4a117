"""The calls that register what later calls refer to: addresses and callbacks."""

from __future__ import annotations

import secrets

from aiohttp import web

from sandbox.ekart.operations import Operation, read_json, refusal
from sandbox.ekart.pincodes import look_up
from sandbox.ekart.validation import Refused, check_address, check_webhook
from sandbox.ledger import Books, Webhook


class Registrations:
    """Addresses by their alias, webhooks by their id.

    With `as_errors` a refused address is an error answer.
    """

    def __init__(self, books: Books, *, as_errors: bool) -> None:
        self._books = books
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
        remark = ""
        if not look_up(str(body["pincode"])).served:
            remark = "Pincode is not serviceable"
        elif body["alias"] in self._books.addresses:
            remark = "Alias already exists"
        if remark:
            answer = {"status": False, "alias": body["alias"], "remark": remark}
            return refusal(answer, remark, as_error=self._as_errors)
        self._books.addresses[body["alias"]] = body
        return web.json_response(
            {"status": True, "alias": body["alias"], "remark": "Successfully added address"}
        )

    async def list_addresses(self, _: web.Request) -> web.StreamResponse:
        return web.json_response(list(self._books.addresses.values()))

    async def list_webhooks(self, _: web.Request) -> web.StreamResponse:
        return web.json_response([w.as_json() for w in self._books.webhooks.values()])

    async def add_webhook(self, request: web.Request) -> web.StreamResponse:
        body = await read_json(request)
        check_webhook(body, whole=True)
        webhook = self.register(body["url"], body["secret"], body["topics"])
        webhook.active = bool(body.get("active", True))
        return web.json_response(webhook.as_json())

    async def edit_webhook(self, request: web.Request) -> web.StreamResponse:
        webhook = self._books.webhooks.get(request.match_info["webhook_id"])
        if webhook is None:
            raise Refused(
                "Webhook does not exist.", status=404, code="SWIFT_RESOURCE_NOT_FOUND_EXCEPTION"
            )
        body = await read_json(request)
        check_webhook(body, whole=False)
        for name in ("url", "secret", "topics", "active"):
            if name in body:
                setattr(webhook, name, body[name])
        return web.json_response(webhook.as_json())

    def register(self, url: str, secret: str, topics: list[str]) -> Webhook:
        """Register a callback."""
        webhook = Webhook(secrets.token_hex(12), url, secret, topics)
        self._books.webhooks[webhook.id] = webhook
        return webhook
