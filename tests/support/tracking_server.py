"""A courier over HTTP that is asked about many shipments by one call, and counts calls too fast.

`python -m tests.support.tracking_server COUNT WINDOW LATENCY` serves at a free port, which it
prints, until its standard input ends. It refuses a call with 429 that is more than COUNT in any
WINDOW seconds, by its own clock. Each call takes LATENCY seconds, a half more or less.

It needs neither Django nor the platform. `GET /counts` answers what it counted.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import threading
import time
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.request import urlopen

ROOT = Path(__file__).parents[2]
HISTORY = ("picked_up", "in_transit", "in_transit", "in_transit")  # of each parcel


class Counts:
    """The calls within the limit by time, the calls beyond it, and the ids asked about."""

    def __init__(self, count: int, window: float) -> None:
        self._count = count
        self._window = window
        self._recent: deque[float] = deque()
        self._lock = threading.Lock()
        self.times: list[float] = []
        self.too_fast = 0
        self.ids: list[int] = []

    def admit(self, ids: int) -> bool:
        """Count a call that asks about so many ids; return whether it is within the limit."""
        with self._lock:
            now = time.monotonic()
            while self._recent and self._recent[0] <= now - self._window:
                self._recent.popleft()
            if len(self._recent) >= self._count:
                self.too_fast += 1
                return False
            self._recent.append(now)
            self.times.append(now)
            self.ids.append(ids)
            return True


class Handler(BaseHTTPRequestHandler):
    """POST /track with a list of ids answers the scans of each."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    counts: Counts
    latency: float

    def do_POST(self) -> None:
        ids = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not self.counts.admit(len(ids)):
            self._answer(429, {"error": "too fast"})
            return
        time.sleep(self.latency * random.uniform(0.5, 1.5))
        self._answer(200, {one: _history(one) for one in ids})

    def do_GET(self) -> None:
        counts = self.counts
        self._answer(200, {"times": counts.times, "too_fast": counts.too_fast, "ids": counts.ids})

    def log_message(self, *args: Any) -> None:
        """Log nothing."""

    def _answer(self, status: int, body: Any) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def _history(tracking_id: str) -> list[dict[str, Any]]:
    """Return the parcel's scans; the times are minutes before now, the last one is new."""
    return [
        {"status": status, "minutes": 10_000 - 1_000 * number, "place": f"HUB {number}"}
        for number, status in enumerate(HISTORY)
    ] + [{"status": "in_transit", "minutes": 0, "place": "PUNE"}]


class TrackingServer:
    """The server as a child process, which runs as long as the `with` block. `url` is set in it."""

    def __init__(self, count: int, window: float, latency: float) -> None:
        arguments = map(str, (count, window, latency))
        self._command = [sys.executable, "-m", "tests.support.tracking_server", *arguments]
        self.url = ""

    def __enter__(self) -> TrackingServer:
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
        )
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.communicate()

    def counts(self) -> dict[str, Any]:
        """Return the times of the calls within the limit, and how many were too fast."""
        with urlopen(f"{self.url}/counts") as answer:
            return dict(json.load(answer))


def main() -> None:
    count, window, latency = sys.argv[1:]
    Handler.counts = Counts(int(count), float(window))
    Handler.latency = float(latency)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    sys.stdout.write(f"http://127.0.0.1:{server.server_address[1]}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()
