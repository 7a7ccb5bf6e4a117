"""The pages under /_sandbox/, by which tests look into a stand-in and steer it. No token needed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from aiohttp import web

from sandbox.callbacks import CallbackSender
from sandbox.errors import Refused
from sandbox.faults import Fault, Faults
from sandbox.ledger import Ledger
from sandbox.lifecycle import LifeCycles
from sandbox.operations import read_json
from sandbox.switches import Switches


class Control:
    """The pages that every courier has. Lists come in slices: ?after=0&limit=1000."""

    def __init__(
        self,
        ledger: Ledger[Any],
        life_cycles: LifeCycles[Any],
        sender: CallbackSender,
        faults: Faults,
        switches: Switches,
        add_callback: Callable[[str, str], None],
    ) -> None:
        self._ledger = ledger
        self._life_cycles = life_cycles
        self._sender = sender
        self._faults = faults
        self._switches = switches
        self._add_callback = add_callback

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/_sandbox/state", self.state),
            web.get("/_sandbox/shipments", self.shipments),
            web.get("/_sandbox/requests", self.requests),
            web.get("/_sandbox/invalid-requests", self.invalid_requests),
            web.get("/_sandbox/faults", self.get_faults),
            web.put("/_sandbox/faults", self.put_faults),
            web.get("/_sandbox/switches", self.get_switches),
            web.put("/_sandbox/switches", self.put_switches),
            web.post("/_sandbox/callback", self.callback),
            web.put("/_sandbox/callback-faults", self.put_callback_faults),
            web.post("/_sandbox/advance", self.advance),
        ]

    async def state(self, _: web.Request) -> web.StreamResponse:
        """The counts of the ledger, the callbacks and the faults."""
        return web.json_response(
            self._ledger.state()
            | {
                "callbacks": dict(self._sender.counts),
                "callbacks_pending": self._sender.pending,
                "faults": dict(self._faults.counts),
                "injected_unknown": self._faults.unknown_outcomes,
            }
        )

    async def shipments(self, request: web.Request) -> web.StreamResponse:
        listed = self._ledger.shipments[slice_of(request)]
        return web.json_response([shipment.summary() for shipment in listed])

    async def requests(self, request: web.Request) -> web.StreamResponse:
        return web.json_response(self._ledger.requests[slice_of(request)])

    async def invalid_requests(self, request: web.Request) -> web.StreamResponse:
        """The requests that broke a rule of the courier, each with its `error`."""
        return web.json_response(self._ledger.invalid_requests[slice_of(request)])

    async def get_faults(self, _: web.Request) -> web.StreamResponse:
        return web.json_response([fault.as_json() for fault in self._faults.active])

    async def put_faults(self, request: web.Request) -> web.StreamResponse:
        """Replace the faults by the given list."""
        try:
            self._faults.replace(Fault(**fault) for fault in json.loads(await request.read()))
        except (ValueError, TypeError) as error:
            raise Refused(str(error)) from None
        return await self.get_faults(request)

    async def get_switches(self, _: web.Request) -> web.StreamResponse:
        return web.json_response(self._switches.as_json())

    async def put_switches(self, request: web.Request) -> web.StreamResponse:
        """Change the given oddities of the courier; the others stay as they are."""
        try:
            self._switches.change(await read_json(request))
        except ValueError as error:
            raise Refused(str(error)) from None
        return await self.get_switches(request)

    async def callback(self, request: web.Request) -> web.StreamResponse:
        """Send callbacks to an address, which a courier's own panel would ask for."""
        body = await read_json(request)
        self._add_callback(body["url"], body["secret"])
        return web.json_response({})

    async def put_callback_faults(self, request: web.Request) -> web.StreamResponse:
        """Set the share of callbacks that are never sent (`loss`) or sent twice (`repeats`)."""
        body = await read_json(request)
        self._sender.loss, self._sender.repeats = body.get("loss", 0), body.get("repeats", 0)
        return web.json_response({})

    async def advance(self, request: web.Request) -> web.StreamResponse:
        """Put a shipment into a status; it stays there."""
        body = await read_json(request)
        shipment = self._ledger.get(body.get("tracking_id", ""))
        self._life_cycles.advance(shipment, body["status"])
        return web.json_response(shipment.summary())


def slice_of(request: web.Request) -> slice:
    """The part of a list that a request asks for."""
    after, limit = int(request.query.get("after", 0)), int(request.query.get("limit", 1000))
    return slice(after, after + limit)
