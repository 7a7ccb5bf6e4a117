"""A server on loopback that keeps the callbacks sent to it."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any


class CallbackReceiver:
    """Keeps bodies and headers in `received`, and releases `arrived` once for each callback.

    Answers the given statuses in turn, then 200.
    """

    def __init__(self, statuses: Iterable[int] = ()) -> None:
        self.received: list[tuple[bytes, dict[str, str]]] = []
        self.arrived = threading.Semaphore(0)
        answers = iter(statuses)
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.received.append((raw, headers))
                self.send_response(next(answers, 200))
                self.end_headers()
                receiver.arrived.release()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/"

    def __enter__(self) -> CallbackReceiver:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
