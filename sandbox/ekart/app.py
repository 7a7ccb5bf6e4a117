"""The sandbox as one application: Ekart's operations with tokens and faults, and its controls."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from aiohttp import web

from sandbox.callbacks import Callbacks
from sandbox.control import Control
from sandbox.ekart.bookings import Bookings
from sandbox.ekart.documents import Documents
from sandbox.ekart.operations import Handler, Operation, error, read_json
from sandbox.ekart.registrations import Registrations
from sandbox.ekart.serviceability import Serviceability
from sandbox.ekart.tracking import Tracking
from sandbox.ekart.validation import Refused
from sandbox.faults import Fault, Faults
from sandbox.ledger import Books
from sandbox.lifecycle import LifeCycles, Shares


@dataclass(frozen=True, slots=True)
class Options:
    """How the sandbox behaves. `pace` is seconds a step, `pincodes` the length of their list.

    `token_life` is in seconds, too. With `as_errors` cancellations and addresses are refused by
    error answers, in the place of HTTP 200 with `status` false.
    """

    client_id: str = "sandbox"
    username: str = "sandbox"
    password: str = "sandbox"  # noqa: S105 - the stand-in's, known to all
    pace: float = 0.2
    hold: bool = False
    brief: bool = False
    record: bool = False
    faults: tuple[Fault, ...] = ()
    seed: int = 0
    slow_seconds: float = 1.0
    pincodes: int = 2000
    token_life: float = 24 * 3600
    as_errors: bool = False
    shares: Shares = field(default_factory=Shares)


class Sandbox:
    """The application and what it holds."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.books = Books(options.token_life)
        self.callbacks = Callbacks(self.books)
        self.faults = Faults(options.faults, options.seed, options.slow_seconds)
        self.lives = LifeCycles(
            self.callbacks.tracked, options.shares, options.pace, brief=options.brief
        )
        self.registrations = Registrations(self.books, as_errors=options.as_errors)
        self.documents = Documents(self.books)

    def operations(self) -> list[Operation]:
        """All that Ekart's document knows."""
        return [
            Operation(
                "auth",
                "POST",
                "/integrations/v2/auth/token/{client_id}",
                self.auth,
                open_to_all=True,
            ),
            *Bookings(
                self.books,
                self.lives,
                self.callbacks,
                hold=self.options.hold,
                as_errors=self.options.as_errors,
            ).operations(),
            *Tracking(self.books).operations(),
            *self.documents.operations(),
            *Serviceability(self.options.pincodes).operations(),
            *self.registrations.operations(),
        ]

    def application(self) -> web.Application:
        app = web.Application(middlewares=[self._as_errors], client_max_size=5 * 1024 * 1024)
        app.add_routes([self._route(operation) for operation in self.operations()])
        app.add_routes(self.documents.downloads())
        app.add_routes(Control(self.books, self.lives, self.callbacks, self.faults).routes())
        app.cleanup_ctx.append(self._background)
        return app

    async def _background(self, _: web.Application) -> AsyncIterator[None]:
        await self.callbacks.start()
        yield
        await self.callbacks.stop()

    def _route(self, operation: Operation) -> web.RouteDef:
        async def handle(request: web.Request) -> web.StreamResponse:
            self.books.calls[operation.name] += 1
            if self.options.record:
                await self._record(operation.name, request)
            return await self.faults.apply(operation.name, request, checked)

        async def checked(request: web.Request) -> web.StreamResponse:
            if not operation.open_to_all:
                self._check_token(request)
            return await operation.handler(request)

        return web.route(operation.method, operation.path, handle)

    @web.middleware
    async def _as_errors(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except Refused as refusal:
            return error(refusal.status, refusal.code, refusal.description)
        except (web.HTTPNotFound, web.HTTPMethodNotAllowed):
            return error(404, "PATH_NOT_IMPLEMENTED", "This path is not implemented")
        except ConnectionResetError:
            # The client died in the middle of its request: nothing is done, nobody listens.
            return web.Response(status=400)

    async def _record(self, operation: str, request: web.Request) -> None:
        raw = await request.read()
        try:
            body = json.loads(raw) if raw and operation != "auth" else None
        except ValueError:
            body = raw.decode(errors="replace")
        self.books.recorded.append(
            {
                "operation": operation,
                "method": request.method,
                "path": request.path,
                "query": dict(request.query),
                "body": body,
            }
        )

    async def auth(self, request: web.Request) -> web.StreamResponse:
        body = await read_json(request)
        options = self.options
        given = (request.match_info["client_id"], body.get("username"), body.get("password"))
        if given != (options.client_id, options.username, options.password):
            raise Refused("Invalid credentials", status=401, code="SWIFT_UNAUTHORIZED")
        token, seconds = self.books.hand_out_token()
        return web.json_response(
            {
                "access_token": token,
                "scope": "core:all",
                "expires_in": seconds,
                "token_type": "Bearer",
            }
        )

    def _check_token(self, request: web.Request) -> None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or not self.books.knows_token(token):
            raise Refused("Invalid or expired token", status=401, code="SWIFT_UNAUTHORIZED")
