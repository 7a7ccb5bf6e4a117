"""The pages under /_sandbox/, by which tests look into a stand-in and steer it. No token needed."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from sandbox.callbacks import CallbackSender
from sandbox.errors import Refused
from sandbox.faults import Fault, Faults
from sandbox.ledger import Ledger
from sandbox.lifecycle import LifeCycles
from sandbox.operations import read_json


class Control:
    """The pages that every courier has. Lists come in slices: ?after=0&limit=1000."""

    def __init__(
        self,
        ledger: Ledger[Any],
        life_cycles: LifeCycles[Any],
        sender: CallbackSender,
        faults: Faults,
    ) -> None:
        self._ledger = ledger
        self._life_cycles = life_cycles
        self._sender = sender
        self._faults = faults

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/_sandbox/state", self.state),
            web.get("/_sandbox/shipments", self.shipments),
            web.get("/_sandbox/requests", self.requests),
            web.get("/_sandbox/invalid-requests", self.invalid_requests),
            web.get("/_sandbox/faults", self.get_faults),
            web.put("/_sandbox/faults", self.put_faults),
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
