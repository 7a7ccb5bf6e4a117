"""The calls that reserve waybills. Their answers are JSON strings."""

from __future__ import annotations

import re

from aiohttp import web

from sandbox.delhivery.accounts import Accounts
from sandbox.delhivery.ledger import DelhiveryLedger
from sandbox.delhivery.switches import DelhiverySwitches
from sandbox.operations import Operation, current_call

MOST = 10_000  # five calls in a window cannot exceed its 50,000 numbers
NO_CLIENT = "Bad Request! Unable to fetch client name for the token"


class Numbering:
    """One waybill, or up to ten thousand."""

    def __init__(
        self, accounts: Accounts, ledger: DelhiveryLedger, switches: DelhiverySwitches
    ) -> None:
        self._accounts = accounts
        self._ledger = ledger
        self._switches = switches

    def operations(self) -> list[Operation]:
        return [
            Operation("bulk_waybills", "GET", "/waybill/api/bulk/json/", self.bulk),
            Operation("fetch_waybill", "GET", "/waybill/api/fetch/json/", self.fetch),
        ]

    async def bulk(self, request: web.Request) -> web.StreamResponse:
        client = self._accounts.client_of(request)
        text = request.query.get("count", "")
        if not re.fullmatch("0*[1-9][0-9]{0,9}", text):
            return self._bad(f"Bad Request! Invalid count for client {client}")
        count = int(text)
        if count > MOST:
            return self._bad(f"Bad Request! Count value should be less than {MOST}")
        return self._give(request, client, count)

    async def fetch(self, request: web.Request) -> web.StreamResponse:
        return self._give(request, self._accounts.client_of(request), 1)

    def _give(self, request: web.Request, client: str, count: int) -> web.Response:
        name = request.query.get("cl")
        if name != client and (name is not None or self._switches.client_name_needed):
            # The name is what the account's owner gave, so that this is no invalid request.
            return web.json_response(NO_CLIENT, status=400)
        if self._switches.no_numbers:
            return web.json_response("4")
        return web.json_response(",".join(self._ledger.waybills.reserve(client, count)))

    def _bad(self, words: str) -> web.Response:
        current_call().problems.append(words)
        return web.json_response(words, status=400)
