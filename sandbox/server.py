"""A stand-in as an HTTP server: its operations behind counts, records, faults and token check."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, ClassVar

from aiohttp import web

from sandbox.callbacks import PAUSES, CallbackSender
from sandbox.control import Control
from sandbox.errors import Declined, NotFound, Refused, Unauthorized, UnknownPath
from sandbox.faults import FaultAnswer, Faults, OperationFault
from sandbox.ledger import Ledger
from sandbox.lifecycle import LifeCycles
from sandbox.operations import Handler, Operation, begin_call, current_call
from sandbox.options import Options

LARGEST_BODY = 5 * 1024 * 1024  # bytes
BACKLOG = 1024  # connections that wait to be accepted
# Refusals that a correct client meets too: they make no request an invalid one.
BLAMELESS = (Declined, NotFound, Unauthorized)


class Sandbox(ABC):
    """A courier's stand-in.

    A courier's subclass sets the class variables and the ledger and life cycles, and writes the
    three abstract methods; it may add pages to the control. Everything else is done here.
    """

    title: ClassVar[str]
    options_class: ClassVar[type[Options]] = Options
    # The courier's own failing answers, by the kind of fault.
    fault_answers: ClassVar[Mapping[str, FaultAnswer]]
    # Those that only one operation gives, or that are made from the request.
    operation_faults: ClassVar[Mapping[str, OperationFault]] = {}
    # The pauses before a callback is sent again, in seconds; it is given up after the last one.
    callback_pauses: ClassVar[Sequence[float]] = PAUSES
    # The body of a good answer, or its beginning: a broken answer is half of it.
    sample_body: ClassVar[bytes]

    ledger: Ledger[Any]
    life_cycles: LifeCycles[Any]

    def __init__(self, options: Options) -> None:
        self.switches = options.switches_class.of(dict(options.switched))
        self.sender = CallbackSender(
            self.callback_pauses,
            loss=options.callback_loss,
            repeats=options.callback_repeats,
            seed=options.seed,
        )
        self.faults = Faults(
            self.all_fault_answers(),
            sample_body=self.sample_body,
            seed=options.seed,
            slow_seconds=options.slow_seconds,
        )
        self.faults.replace(options.faults)
        self._record_requests = options.record

    @classmethod
    def all_fault_answers(cls) -> Mapping[str, FaultAnswer | OperationFault]:
        """The courier's own failing answers, of all operations and of one."""
        return {**cls.fault_answers, **cls.operation_faults}

    @abstractmethod
    def operations(self) -> list[Operation]:
        """Every operation of the courier's API."""

    @abstractmethod
    def authorize(self, request: web.Request) -> None:
        """Check the token or key of a request. Raises Unauthorized."""

    @abstractmethod
    def error_answer(self, error: Refused) -> web.Response:
        """The courier's answer to a call that is refused."""

    def add_callback(self, url: str, secret: str) -> None:
        """Send callbacks to an address that nobody registered by a call."""
        raise Declined("this courier sends no callbacks")

    def extra_routes(self) -> Sequence[web.RouteDef]:
        """What is not an operation: the courier's own pages under /_sandbox/, and downloads."""
        return ()

    def application(self) -> web.Application:
        app = web.Application(middlewares=[self._answer_errors], client_max_size=LARGEST_BODY)
        app.add_routes([self._route(operation) for operation in self.operations()])
        control = Control(
            self.ledger,
            self.life_cycles,
            self.sender,
            self.faults,
            self.switches,
            self.add_callback,
        )
        app.add_routes(control.routes())
        app.add_routes(self.extra_routes())
        app.cleanup_ctx.append(self._send_callbacks)
        return app

    def _route(self, operation: Operation) -> web.RouteDef:
        async def handle(request: web.Request) -> web.StreamResponse:
            self.ledger.calls[operation.name] += 1
            begin_call(operation)
            if self._record_requests:
                self.ledger.requests.append(await _record(operation, request))
            return await self.faults.apply(operation.name, request, checked)

        async def checked(request: web.Request) -> web.StreamResponse:
            try:
                return await authorized(request)
            except Refused as error:
                if not isinstance(error, BLAMELESS):
                    current_call().problems.append(error.description)
                raise
            finally:
                for problem in current_call().problems:
                    recorded = await _record(operation, request)
                    self.ledger.invalid_requests.append(recorded | {"error": problem})

        async def authorized(request: web.Request) -> web.StreamResponse:
            if not operation.public:
                self.authorize(request)
            return await operation.handler(request)

        return web.route(operation.method, operation.path, handle)

    @web.middleware
    async def _answer_errors(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except Refused as error:
            return self.error_answer(error)
        except (web.HTTPNotFound, web.HTTPMethodNotAllowed):
            return self.error_answer(UnknownPath("This path is not implemented"))
        except ConnectionResetError:
            # The client left in the middle of its request: nothing was done, nobody reads this.
            return web.Response(status=400)

    async def _send_callbacks(self, _: web.Application) -> AsyncIterator[None]:
        await self.sender.start()
        yield
        await self.sender.stop()


async def _record(operation: Operation, request: web.Request) -> dict[str, Any]:
    """A request as /_sandbox/requests lists it; a body that is not JSON is kept as text."""
    raw = await request.read()
    try:
        body = json.loads(raw) if raw and not operation.secret_body else None
    except (ValueError, RecursionError):
        body = raw.decode(errors="replace")
    return {
        "operation": operation.name,
        "method": request.method,
        "path": request.path,
        "query": dict(request.query),
        "body": body,
    }


async def serve(sandbox: Sandbox, host: str, port: int, *, stop_with_stdin: bool) -> None:
    """Serve until SIGINT or SIGTERM, or until standard input is closed if that is asked for.

    Prints the address. Raises OSError where it cannot listen there; port 0 is any free one.
    """
    runner = web.AppRunner(sandbox.application(), access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port, backlog=BACKLOG).start()
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        if stop_with_stdin:
            # However the parent process ends, its end of the pipe is closed then.
            loop.add_reader(sys.stdin.fileno(), _stop_at_end_of_stdin, stop)
        real_port = runner.addresses[0][1]
        print(f"{sandbox.title} sandbox listening on http://{host}:{real_port}", flush=True)
        await stop.wait()
    finally:
        await runner.cleanup()


def _stop_at_end_of_stdin(stop: asyncio.Event) -> None:
    if not os.read(sys.stdin.fileno(), 1024):
        stop.set()
