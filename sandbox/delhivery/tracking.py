"""The call that tells where shipments are, by waybill or by order."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from sandbox.checks import require
from sandbox.delhivery import tracked
from sandbox.delhivery.accounts import Accounts
from sandbox.delhivery.ledger import DelhiveryLedger
from sandbox.delhivery.shipments import DelhiveryShipment
from sandbox.delhivery.switches import DelhiverySwitches
from sandbox.operations import Operation

MOST = 50
NOT_FOUND = {
    "data": "Data does not exists for provided Waybill(s)",
    "number": "No such waybill or order Id found",
}


class Tracking:
    """Tracking with or without scans; what is not found is left out."""

    def __init__(
        self, accounts: Accounts, ledger: DelhiveryLedger, switches: DelhiverySwitches
    ) -> None:
        self._accounts = accounts
        self._ledger = ledger
        self._switches = switches

    def operations(self) -> list[Operation]:
        return [Operation("track", "GET", "/api/v1/packages/json/", self.track)]

    async def track(self, request: web.Request) -> web.StreamResponse:
        verbose = request.query.get("verbose", "0")
        require(verbose in ("0", "1", "2"), "verbose must be 0, 1 or 2")
        shipments = self._found(request)
        if not shipments:
            words = NOT_FOUND[self._switches.not_found_words]
            body = {"Success": False, "Error": words, "rmk": words}
            return web.json_response(body, status=int(self._switches.not_found))
        spelling = self._switches.status_words
        found = [tracked.shipment(one, int(verbose), spelling) for one in shipments]
        return web.json_response({"ShipmentData": [{"Shipment": one} for one in found]})

    def _found(self, request: web.Request) -> list[DelhiveryShipment]:
        client = self._accounts.client_of(request)
        names = [name for name in ("waybill", "ref_ids") if request.query.get(name)]
        require(len(names) == 1, "waybill or ref_ids is required, and not both")
        numbers: list[str] = request.query[names[0]].split(",")
        require(len(numbers) <= MOST, f"{names[0]} must be at most {MOST}")
        require(all(map(str.strip, numbers)), f"{names[0]} has an empty number")
        if names[0] == "waybill":
            found: list[Any] = [self._ledger.of_client(client, number) for number in numbers]
            return [shipment for shipment in found if shipment is not None]
        return [s for number in numbers for s in self._ledger.by_order(client, number)]
