"""Velocity's own pages under /_sandbox/: orders without AWB, the login, the wallet, refusals."""

from __future__ import annotations

from aiohttp import web

from sandbox.checks import is_number, require
from sandbox.control import slice_of
from sandbox.operations import read_json
from sandbox.velocity.keys import Keys
from sandbox.velocity.ledger import VelocityLedger


class VelocityControl:
    """The pages beside those that every courier has."""

    def __init__(self, ledger: VelocityLedger, keys: Keys) -> None:
        self._ledger = ledger
        self._keys = keys

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/_sandbox/orders", self.orders),
            web.post("/_sandbox/revoke-token", self.revoke_token),
            web.post("/_sandbox/unlock", self.unlock),
            web.post("/_sandbox/forget-warehouses", self.forget_warehouses),
            web.post("/_sandbox/verify-refusal", self.verify_refusal),
            web.post("/_sandbox/remit", self.remit),
            web.put("/_sandbox/wallet", self.set_wallet),
        ]

    async def orders(self, request: web.Request) -> web.StreamResponse:
        """Every order that was made, also those without an AWB, which are not booked."""
        listed = self._ledger.orders[slice_of(request)]
        return web.json_response([order.summary() for order in listed])

    async def revoke_token(self, _: web.Request) -> web.StreamResponse:
        """Make the token of the older login void, as a login elsewhere does."""
        self._keys.revoke()
        return web.json_response({})

    async def unlock(self, _: web.Request) -> web.StreamResponse:
        """Take logins again after too many wrong ones."""
        self._keys.wrong_logins = 0
        return web.json_response({})

    async def forget_warehouses(self, _: web.Request) -> web.StreamResponse:
        self._ledger.warehouses.clear()
        return web.json_response({})

    async def verify_refusal(self, request: web.Request) -> web.StreamResponse:
        """Note that the consignee refused a parcel with a one-time password."""
        body = await read_json(request)
        shipment = self._ledger.get(body.get("tracking_id", ""))
        shipment.refusal_verified = True
        return web.json_response(shipment.summary())

    async def remit(self, request: web.Request) -> web.StreamResponse:
        """Pay a parcel's COD to the seller; `utr_no` is the number of the bank transfer."""
        body = await read_json(request)
        shipment = self._ledger.get(body.get("tracking_id", ""))
        shipment.utr_no = str(body["utr_no"])
        return web.json_response(shipment.summary())

    async def set_wallet(self, request: web.Request) -> web.StreamResponse:
        """Set what the account has to spend, in rupees."""
        rupees = (await read_json(request)).get("rupees")
        require(is_number(rupees), "rupees must be a number")
        self._ledger.wallet = float(rupees or 0)
        return web.json_response({})
