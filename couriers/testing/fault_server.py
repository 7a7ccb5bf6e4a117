"""An HTTP server on loopback whose answers can be lost or spoiled. Standard library only.

A stand-in for a courier derives from FaultServer and says what it answers. Its faults and counts
are read and set at /_sandbox/, without a login.
"""

from __future__ import annotations

import abc
import contextlib
import json
import os
import select
import socket
import struct
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from couriers.testing.faults import Fault, FaultKind, FaultPlan

CONTROL = "/_sandbox/"
LONGEST_TIMEOUT = 120.0  # seconds that a time-out lasts, unless its client leaves first
STATUSES = (500, 502, 503, 504)  # what the faults `error_…` answer, in turn
PROXY_PAGE = b"<html><body>upstream error</body></html>"
DRIP_PAUSE = 0.05  # seconds between two bytes
HUGE_PART = b" " * 65536
HUGE_SIZE = 256 * 1024 * 1024  # bytes


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it was received. `path` has no query; header names are in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    target: str

    def json(self) -> Any:
        """Return the body's JSON. Raises ValueError."""
        return json.loads(self.body or b"null")


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer to a request."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})

    @classmethod
    def of(cls, value: Any, status: int = 200) -> Answer:
        """Return an answer of JSON."""
        return cls(status, json.dumps(value).encode())


class FaultServer(abc.ABC):
    """A server that runs in threads of this process as long as the `with` block.

    A subclass writes `answer`, and `operation` where its faults have names of operations. `url` is
    set from the beginning; port 0 is any free one.
    """

    def __init__(self, port: int = 0, seed: int = 0) -> None:
        self.faults = FaultPlan(seed)
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.owner = self
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    @abc.abstractmethod
    def answer(self, request: Request) -> Answer:
        """Do the work of a request and return its answer. Several threads call it at once."""

    def operation(self, request: Request) -> str:
        """Return the name by which faults know the request's operation."""
        return f"{request.method} {request.path}"

    def fault_of(self, request: Request) -> FaultKind | None:
        """Return how this request fails, None if it does not."""
        return self.faults.draw(self.operation(request))

    def state(self) -> dict[str, Any]:
        """Return the counts that tests compare with."""
        return {"faults": dict(self.faults.counts)}

    def control(self, request: Request) -> Answer:
        """Answer a page under /_sandbox/. A subclass adds its own pages."""
        page = request.path.removeprefix(CONTROL)
        if page == "faults" and request.method == "PUT":
            try:
                self.faults.replace(Fault(**fault) for fault in request.json())
            except (TypeError, ValueError) as error:
                return Answer.of({"error": str(error)}, 400)
        if page == "faults":
            return Answer.of([fault.as_json() for fault in self.faults.active])
        return Answer.of(self.state()) if page == "state" else Answer.of({"error": "?"}, 404)

    def serve(self) -> None:
        """Serve in this thread until the process ends."""
        self._server.serve_forever(poll_interval=0.1)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.stopped.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 1024
    owner: FaultServer

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.stopped = threading.Event()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that left."""


class _Handler(BaseHTTPRequestHandler):
    """Reads requests, and answers them or lets them fail."""

    protocol_version = "HTTP/1.1"
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            super().handle()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
        """Log nothing."""

    def _serve(self) -> None:
        request = self._read()
        owner = self.server.owner
        if request.path.startswith(CONTROL):
            self._send(owner.control(request))
            return
        kind = owner.fault_of(request)
        if kind is None:
            self._send(owner.answer(request))
        elif kind.endswith("_after"):
            self._fail(kind, request, owner.answer(request))
        else:
            self._fail(kind, request, Answer(200))

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815 - the base's names

    def _read(self) -> Request:
        parts = urlsplit(self.path)
        return Request(
            method=self.command,
            path=parts.path,
            query=dict(parse_qsl(parts.query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(int(self.headers.get("Content-Length") or 0)),
            target=self.path,
        )

    def _send(self, answer: Answer) -> None:
        self._send_head(answer, len(answer.body))
        self.wfile.write(answer.body)

    def _send_head(self, answer: Answer, length: int) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def _fail(self, kind: FaultKind, request: Request, true_answer: Answer) -> None:
        loss = kind.removesuffix("_before").removesuffix("_after")
        page = {"Content-Type": "text/html"}
        if loss == "timeout":
            self._wait_for_the_client_to_leave()
            self._reset()
        elif loss == "reset":
            self._reset()
        elif loss == "error":
            status = STATUSES[sum(self.server.owner.faults.counts.values()) % len(STATUSES)]
            self._send(Answer(status, PROXY_PAGE, page))
        elif loss == "broken":
            self._send(Answer(200, PROXY_PAGE, page))
        elif kind is FaultKind.RATE_LIMITED:
            self._send(Answer(429, b'{"error": "too many requests"}', {"Retry-After": "1"}))
        elif kind is FaultKind.ECHO:
            self._send(_echo(request))
        else:
            self._send_badly(kind, true_answer)

    def _send_badly(self, kind: FaultKind, true_answer: Answer) -> None:
        """Send half of the answer, or a byte at a time, or one that does not end."""
        body = true_answer.body or b"{}"
        if kind is FaultKind.HUGE_AFTER:
            self._send_head(true_answer, HUGE_SIZE)
            for _ in range(HUGE_SIZE // len(HUGE_PART)):
                self.wfile.write(HUGE_PART)
            return
        self._send_head(true_answer, len(body))
        if kind is FaultKind.HALF_AFTER:
            self.wfile.write(body[: len(body) // 2])
            self._reset()
            return
        for number in range(len(body)):
            self.wfile.write(body[number : number + 1])
            if self.server.stopped.wait(DRIP_PAUSE):
                return

    def _wait_for_the_client_to_leave(self) -> None:
        end = time.monotonic() + LONGEST_TIMEOUT
        while time.monotonic() < end and not self.server.stopped.is_set():
            readable, _, _ = select.select([self.connection], [], [], 0.1)
            if readable and not self.connection.recv(1, socket.MSG_PEEK):
                return

    def _reset(self) -> None:
        """Break the connection off with an RST."""
        self.close_connection = True
        option = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, option)
        os.close(self.connection.detach())


def _echo(request: Request) -> Answer:
    """A refusal that repeats all that was sent."""
    sent = {
        "message": f"refused: {request.body.decode(errors='replace')}",
        "error": f"{request.target} {dict(request.headers)}",
    }
    return Answer.of(sent, 400)
