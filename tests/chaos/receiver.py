"""A merchant's server that fails one delivery in five, in three ways, and notes what it took."""

from __future__ import annotations

import random
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

FAILED_SHARE = 0.2
# It takes nothing and says so; it takes the event and says that it failed, or says nothing.
FAILURES = ("refused", "failed late", "hung up")


class ChaosReceiver:
    """Runs the server in a `with` block. `taken` has the id and content of each event it took."""

    def __init__(self, seed: int) -> None:
        self.secret = ""
        self.taken: list[tuple[str, dict[str, Any]]] = []
        self.failures: Counter[str] = Counter()
        self.wrong: list[str] = []
        self._bodies: dict[str, bytes] = {}
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = receiver._receive(dict(self.headers), body)
                if status is not None:
                    self.send_response(status)
                    self.send_header("Content-Length", "0")
                    self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"

    def __enter__(self) -> ChaosReceiver:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _receive(self, headers: dict[str, str], body: bytes) -> int | None:
        """Take a delivery or not; return the status of the answer, None for no answer."""
        named = {name.lower(): value for name, value in headers.items()}
        event_id = named.get("webhook-id", "")
        with self._lock:
            try:
                content = Webhook(self.secret).verify(body, named)
            except WebhookVerificationError as error:
                self.wrong.append(f"{event_id} is not signed: {error}")
                return 400
            if self._bodies.setdefault(event_id, body) != body:
                self.wrong.append(f"{event_id} came with other bytes")
            failure = ""
            if self._random.random() < FAILED_SHARE:
                failure = self._random.choice(FAILURES)
                self.failures[failure] += 1
            if failure == "refused":
                return 500
            self.taken.append((event_id, content))
        if failure:
            return 503 if failure == "failed late" else None
        return 200
