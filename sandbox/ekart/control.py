"""Ekart's own pages under /_sandbox/: manifests, recreation, the token and the addresses."""

from __future__ import annotations

from aiohttp import web

from sandbox.control import slice_of
from sandbox.ekart.callbacks import EkartCallbacks
from sandbox.ekart.ledger import EkartLedger
from sandbox.ekart.tokens import Tokens
from sandbox.operations import read_json


class EkartControl:
    """The pages beside those that every courier has."""

    def __init__(self, ledger: EkartLedger, tokens: Tokens, callbacks: EkartCallbacks) -> None:
        self._ledger = ledger
        self._tokens = tokens
        self._callbacks = callbacks

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/_sandbox/manifests", self.manifests),
            web.post("/_sandbox/recreate", self.recreate),
            web.post("/_sandbox/revoke-token", self.revoke_token),
            web.post("/_sandbox/forget-addresses", self.forget_addresses),
        ]

    async def manifests(self, request: web.Request) -> web.StreamResponse:
        listed = list(self._ledger.manifests.values())[slice_of(request)]
        return web.json_response([manifest.as_json() for manifest in listed])

    async def recreate(self, request: web.Request) -> web.StreamResponse:
        """Give a shipment a new tracking id and waybill, and send shipment_recreated.

        It is still one booking. The former tracking id still finds it, but what is answered carries
        the new one.
        """
        body = await read_json(request)
        shipment = self._ledger.get(body.get("tracking_id", ""))
        self._ledger.recreate(shipment)
        self._callbacks.shipment_recreated(shipment)
        return web.json_response(shipment.summary())

    async def revoke_token(self, _: web.Request) -> web.StreamResponse:
        self._tokens.revoke()
        return web.json_response({})

    async def forget_addresses(self, _: web.Request) -> web.StreamResponse:
        self._ledger.addresses.clear()
        return web.json_response({})
