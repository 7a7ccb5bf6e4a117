"""Delhivery's stand-in: its parts put together."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from sandbox.control import slice_of
from sandbox.delhivery import answers
from sandbox.delhivery.accounts import Accounts
from sandbox.delhivery.bookings import Bookings
from sandbox.delhivery.callbacks import RETRIES, DelhiveryCallbacks
from sandbox.delhivery.create_answers import CREATE_FAULTS
from sandbox.delhivery.documents import Documents
from sandbox.delhivery.edits import Edits
from sandbox.delhivery.firewall import Firewall
from sandbox.delhivery.lanes import Lanes
from sandbox.delhivery.ledger import DelhiveryLedger
from sandbox.delhivery.lifecycle import DelhiveryLifeCycles
from sandbox.delhivery.ndr import UndeliveredActions
from sandbox.delhivery.numbering import Numbering
from sandbox.delhivery.options import DelhiveryOptions
from sandbox.delhivery.pickups import Pickups
from sandbox.delhivery.switches import DelhiverySwitches
from sandbox.delhivery.tracking import Tracking
from sandbox.delhivery.warehouses import Warehouses
from sandbox.errors import Refused
from sandbox.operations import Operation, current_call
from sandbox.server import Sandbox


class DelhiverySandbox(Sandbox):
    """The operations of the B2C API, and what they work on."""

    title = "Delhivery"
    options_class = DelhiveryOptions
    fault_answers = {"firewall": answers.firewall, "unauthorized": answers.unauthorized}
    operation_faults = CREATE_FAULTS
    callback_pauses = RETRIES
    sample_body = b'{"packages": [{"status": "Success", "waybill": "'

    switches: DelhiverySwitches

    def __init__(self, options: DelhiveryOptions) -> None:
        super().__init__(options)
        self._options = options
        self.ledger: DelhiveryLedger = DelhiveryLedger(self.switches)
        self._accounts = Accounts(options, self.switches)
        self._firewall = Firewall(self.switches)
        self._callbacks = DelhiveryCallbacks(self.sender, self.switches, options.webhook_header)
        self.life_cycles: DelhiveryLifeCycles = DelhiveryLifeCycles(
            options, self.switches, on_step=self._callbacks.scanned
        )
        self._documents = Documents(self._accounts, self.ledger, self.switches)
        if options.webhook:
            self.add_callback(*options.webhook)

    def operations(self) -> list[Operation]:
        accounts, ledger, switches = self._accounts, self.ledger, self.switches
        return [
            *Numbering(accounts, ledger, switches).operations(),
            *Warehouses(accounts, ledger).operations(),
            *Bookings(
                accounts, ledger, self.life_cycles, switches, self._options.slow_seconds
            ).operations(),
            *Tracking(accounts, ledger, switches).operations(),
            *Edits(accounts, ledger, self.life_cycles, switches).operations(),
            *UndeliveredActions(accounts, ledger, self.life_cycles, switches).operations(),
            *Pickups(accounts, ledger, switches).operations(),
            *self._documents.operations(),
            *Lanes(switches).operations(),
        ]

    def authorize(self, request: web.Request) -> None:
        self._firewall.check(request)
        self._accounts.check(request)

    def error_answer(self, error: Refused) -> web.Response:
        as_text = self.switches.wrong_key == "text"
        return answers.error_answer(error, current_call().operation, as_text=as_text)

    def extra_routes(self) -> Sequence[web.RouteDef]:
        return [*self._documents.downloads(), web.get("/_sandbox/pickups", self._list_pickups)]

    async def _list_pickups(self, request: web.Request) -> web.StreamResponse:
        listed = self.ledger.pickups[slice_of(request)]
        return web.json_response([pickup.as_json() for pickup in listed])

    def add_callback(self, url: str, secret: str) -> None:
        self._callbacks.add(url, secret)
