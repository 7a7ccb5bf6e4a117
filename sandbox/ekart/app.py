"""Ekart's stand-in: its parts put together."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from sandbox.ekart import answers
from sandbox.ekart.bookings import Bookings
from sandbox.ekart.callbacks import EkartCallbacks
from sandbox.ekart.control import EkartControl
from sandbox.ekart.documents import Documents
from sandbox.ekart.ledger import EkartLedger
from sandbox.ekart.lifecycle import EkartLifeCycles
from sandbox.ekart.options import EkartOptions
from sandbox.ekart.registrations import Registrations
from sandbox.ekart.serviceability import Serviceability
from sandbox.ekart.tokens import Tokens
from sandbox.ekart.topics import TOPICS
from sandbox.ekart.tracking import Tracking
from sandbox.errors import Refused
from sandbox.operations import Operation
from sandbox.server import Sandbox


class EkartSandbox(Sandbox):
    """The operations of the vendor's document, and what they work on."""

    title = "Ekart"
    options_class = EkartOptions
    fault_answers = {"rate_limited": answers.rate_limited, "unauthorized": answers.unauthorized}
    sample_body = b'{"status": true, "tracking_id": "'

    def __init__(self, options: EkartOptions) -> None:
        super().__init__(options)
        self._options = options
        self.ledger: EkartLedger = EkartLedger()
        self._tokens = Tokens(options)
        self._callbacks = EkartCallbacks(self.ledger, self.sender)
        self.life_cycles: EkartLifeCycles = EkartLifeCycles(
            options, on_step=self._callbacks.track_updated
        )
        self._documents = Documents(self.ledger)
        if options.webhook:
            self.add_callback(*options.webhook)

    def operations(self) -> list[Operation]:
        as_errors = self._options.as_errors
        return [
            *self._tokens.operations(),
            *Bookings(
                self.ledger,
                self.life_cycles,
                self._callbacks,
                as_errors=as_errors,
                slow_seconds=self._options.slow_seconds,
            ).operations(),
            *Tracking(self.ledger).operations(),
            *self._documents.operations(),
            *Serviceability(self._options.pincodes).operations(),
            *Registrations(self.ledger, as_errors=as_errors).operations(),
        ]

    def authorize(self, request: web.Request) -> None:
        self._tokens.check(request)

    def error_answer(self, error: Refused) -> web.Response:
        return answers.error_answer(error)

    def add_callback(self, url: str, secret: str) -> None:
        self.ledger.add_webhook(url, secret, list(TOPICS))

    def extra_routes(self) -> Sequence[web.RouteDef]:
        control = EkartControl(self.ledger, self._tokens, self._callbacks)
        return [*control.routes(), *self._documents.downloads()]
