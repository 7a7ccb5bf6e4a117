"""/_sandbox/: what those who test with the sandbox may see and bring about. Asks for no token."""

from __future__ import annotations

import json

from aiohttp import web

from sandbox.callbacks import Callbacks
from sandbox.ekart.operations import found, read_json
from sandbox.ekart.validation import Refused
from sandbox.faults import Fault, Faults
from sandbox.ledger import Books
from sandbox.lifecycle import LifeCycles


class Control:
    """The pages under /_sandbox/. Lists come in parts: ?after=0&limit=1000."""

    def __init__(
        self, books: Books, lives: LifeCycles, callbacks: Callbacks, faults: Faults
    ) -> None:
        self._books = books
        self._lives = lives
        self._callbacks = callbacks
        self._faults = faults

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/_sandbox/state", self.state),
            web.get("/_sandbox/shipments", self.shipments),
            web.get("/_sandbox/manifests", self.manifests),
            web.get("/_sandbox/requests", self.requests),
            web.get("/_sandbox/faults", self.get_faults),
            web.put("/_sandbox/faults", self.put_faults),
            web.post("/_sandbox/advance", self.advance),
            web.post("/_sandbox/recreate", self.recreate),
            web.post("/_sandbox/revoke-token", self.revoke_token),
            web.post("/_sandbox/forget-addresses", self.forget_addresses),
        ]

    async def state(self, _: web.Request) -> web.StreamResponse:
        return web.json_response(
            self._books.state()
            | {
                "callbacks": dict(self._callbacks.counts),
                "callbacks_pending": self._callbacks.pending,
                "faults": dict(self._faults.counts),
                "injected_unknown": self._faults.unknown,
            }
        )

    async def shipments(self, request: web.Request) -> web.StreamResponse:
        part = self._books.shipments[_part(request)]
        return web.json_response([shipment.summary() for shipment in part])

    async def manifests(self, request: web.Request) -> web.StreamResponse:
        part = list(self._books.manifests.values())[_part(request)]
        return web.json_response([manifest.as_json() for manifest in part])

    async def requests(self, request: web.Request) -> web.StreamResponse:
        return web.json_response(self._books.recorded[_part(request)])

    async def get_faults(self, _: web.Request) -> web.StreamResponse:
        return web.json_response([fault.as_json() for fault in self._faults.faults])

    async def put_faults(self, request: web.Request) -> web.StreamResponse:
        try:
            self._faults.faults = [Fault(**fault) for fault in json.loads(await request.read())]
        except (ValueError, TypeError) as error:
            raise Refused(str(error)) from None
        return await self.get_faults(request)

    async def advance(self, request: web.Request) -> web.StreamResponse:
        """Put a shipment into a status; it stays there."""
        body = await read_json(request)
        shipment = found(self._books.find(body.get("tracking_id", "")))
        self._lives.advance(shipment, body["status"])
        return web.json_response(shipment.summary())

    async def recreate(self, request: web.Request) -> web.StreamResponse:
        """Ship a parcel anew: its life goes on under another tracking id and waybill.

        It is still one booking. The old tracking id still finds it, but what is answered carries
        the new one.
        """
        body = await read_json(request)
        shipment = found(self._books.find(body.get("tracking_id", "")))
        self._books.recreate(shipment)
        self._callbacks.created(shipment, topic="shipment_recreated")
        return web.json_response(shipment.summary())

    async def revoke_token(self, _: web.Request) -> web.StreamResponse:
        self._books.revoke_token()
        return web.json_response({})

    async def forget_addresses(self, _: web.Request) -> web.StreamResponse:
        self._books.addresses.clear()
        return web.json_response({})


def _part(request: web.Request) -> slice:
    after, limit = int(request.query.get("after", 0)), int(request.query.get("limit", 1000))
    return slice(after, after + limit)
