"""Velocity's stand-in: its parts put together."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from sandbox.errors import Refused
from sandbox.operations import Operation
from sandbox.server import Sandbox
from sandbox.velocity import answers
from sandbox.velocity.actions import Actions
from sandbox.velocity.assignment import Assignment
from sandbox.velocity.bookings import Bookings
from sandbox.velocity.callbacks import VelocityCallbacks
from sandbox.velocity.control import VelocityControl
from sandbox.velocity.documents import Labels
from sandbox.velocity.finance import Finance
from sandbox.velocity.keys import Keys
from sandbox.velocity.ledger import VelocityLedger
from sandbox.velocity.lifecycle import VelocityLifeCycles
from sandbox.velocity.options import VelocityOptions
from sandbox.velocity.rates import Rates
from sandbox.velocity.returns import Returns
from sandbox.velocity.search import Search
from sandbox.velocity.switches import VelocitySwitches
from sandbox.velocity.tracking import Tracking
from sandbox.velocity.warehouses import Warehouses


class VelocitySandbox(Sandbox):
    """The operations that are known of Velocity, and what they work on."""

    title = "Velocity"
    options_class = VelocityOptions
    fault_answers = {
        "gateway_timeout_before": answers.gateway_timeout,
        "gateway_timeout_after": answers.gateway_timeout,
        "internal_error_after": answers.internal_error,
        "rate_limited": answers.rate_limited,
        "unauthorized": answers.unauthorized,
    }
    sample_body = b'{"status": 1, "payload": {"awb_code": "34'

    switches: VelocitySwitches

    def __init__(self, options: VelocityOptions) -> None:
        super().__init__(options)
        self._options = options
        self.ledger: VelocityLedger = VelocityLedger(options.wallet)
        self._keys = Keys(options, self.switches)
        self._callbacks = VelocityCallbacks(self.sender, self.switches)
        self.life_cycles: VelocityLifeCycles = VelocityLifeCycles(
            options,
            self.switches,
            on_step=self._callbacks.status_changed,
            on_cancel=self.ledger.refund,
        )
        self._labels = Labels(self.switches)
        if options.webhook:
            self.add_callback(*options.webhook)

    def operations(self) -> list[Operation]:
        ledger, switches = self.ledger, self.switches
        assignment = Assignment(ledger, self.life_cycles, switches, self._options.seed)
        return [
            *self._keys.operations(),
            *Bookings(
                ledger, assignment, self._labels, switches, self._options.slow_seconds
            ).operations(),
            *Returns(ledger, assignment, self._labels, switches).operations(),
            *Finance(ledger).operations(),
            *Search(ledger, switches).operations(),
            *Tracking(ledger, switches).operations(),
            *Actions(ledger, self.life_cycles, switches).operations(),
            *Rates().operations(),
            *Warehouses(ledger).operations(),
        ]

    def authorize(self, request: web.Request) -> None:
        self._keys.check(request)

    def error_answer(self, error: Refused) -> web.Response:
        return answers.error_answer(error, self.switches)

    def add_callback(self, url: str, secret: str) -> None:
        self._callbacks.address = (url, secret)

    def extra_routes(self) -> Sequence[web.RouteDef]:
        return [*VelocityControl(self.ledger, self._keys).routes(), *self._labels.downloads()]
