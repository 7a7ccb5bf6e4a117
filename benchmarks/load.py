"""A load generator in its own process, which sends signed callbacks over kept connections.

Run as a module, it reads a LoadTask as JSON from standard input and prints a LoadResult. All
requests are made and signed before the clock starts, so that the generator is not the bottleneck.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass

# A tracking callback of Ekart. The numbers and the prefix make each body different.
BODY = (
    '{{"ctime":{ctime},"status":"In Transit","location":"PUNE","desc":"On its way",'
    '"attempts":"0","wbn":"{n}","id":"{prefix}{n}","orderNumber":"{n}"}}'
)
MAX_REQUESTS = 30_000  # of one run; they are made beforehand


@dataclass(frozen=True, slots=True)
class LoadTask:
    """Where to send, with how many connections, for how many seconds.

    Bodies of tasks with different prefixes differ.
    """

    port: int
    path: str
    secret: str
    connections: int
    seconds: float
    prefix: str


@dataclass(frozen=True, slots=True)
class LoadResult:
    """Responses a second, latencies in milliseconds, and the responses other than 200."""

    requests: int
    rate: float
    p50: float
    p99: float
    errors: int


def measure(task: LoadTask) -> LoadResult:
    """Run the generator in its own process. Raises RuntimeError if that fails."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.load"],
        input=json.dumps(asdict(task)).encode(),
        stdout=subprocess.PIPE,
    )
    if done.returncode:
        raise RuntimeError("the load generator failed")
    return LoadResult(**json.loads(done.stdout))


def signed_requests(task: LoadTask) -> Iterator[bytes]:
    """Yield whole HTTP requests, each with a different body."""
    for number in range(MAX_REQUESTS):
        body = BODY.format(ctime=1_793_400_000_000 + number, n=number, prefix=task.prefix).encode()
        signature = hmac.new(task.secret.encode(), body, hashlib.sha256).hexdigest()
        yield (
            f"POST {task.path} HTTP/1.1\r\nHost: 127.0.0.1:{task.port}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
            f"X-Ekart-Signature: {signature}\r\n\r\n"
        ).encode() + body


class _Client(asyncio.Protocol):
    """One connection, which sends the next request once it has the response to the last."""

    def __init__(self, run: _Run) -> None:
        self._run = run
        self._received = b""
        self._sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, separator, rest = self._received.partition(b"\r\n\r\n")
        if not separator:
            return
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        if len(rest) < length:
            return
        self._received = b""
        self._run.latencies.append(time.perf_counter() - self._sent_at)
        self._run.statuses[head[9:12].decode()] += 1
        if b"connection: close" in head.lower():
            self._transport.close()
        else:
            self._send()

    def connection_lost(self, error: Exception | None) -> None:
        self._run.connection_lost()

    def _send(self) -> None:
        request = self._run.next_request()
        if request is None:
            self._transport.close()
            return
        self._sent_at = time.perf_counter()
        self._transport.write(request)


class _Run:
    """All connections of one task. A connection that the server closes is opened again."""

    def __init__(self, task: LoadTask) -> None:
        self._task = task
        self._requests = list(signed_requests(task))[::-1]
        self._end = float("inf")
        self._reconnecting: set[asyncio.Task[None]] = set()
        self._open = 0
        self._over = asyncio.Event()
        self.latencies: list[float] = []
        self.statuses: Counter[str] = Counter()

    async def run(self) -> LoadResult:
        started = time.perf_counter()
        self._end = started + self._task.seconds
        self._open = self._task.connections
        await asyncio.gather(*(self._connect() for _ in range(self._task.connections)))
        await self._over.wait()
        seconds = time.perf_counter() - started
        latencies = sorted(self.latencies)
        return LoadResult(
            requests=len(latencies),
            rate=len(latencies) / seconds,
            p50=1000 * latencies[len(latencies) // 2],
            p99=1000 * latencies[len(latencies) * 99 // 100],
            errors=len(latencies) - self.statuses["200"],
        )

    def next_request(self) -> bytes | None:
        if time.perf_counter() >= self._end or not self._requests:
            return None
        return self._requests.pop()

    def connection_lost(self) -> None:
        if time.perf_counter() < self._end and self._requests:
            task = asyncio.ensure_future(self._connect())
            self._reconnecting.add(task)
            task.add_done_callback(self._reconnecting.discard)
            return
        self._open -= 1
        if not self._open:
            self._over.set()

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: _Client(self), "127.0.0.1", self._task.port)


async def _main() -> None:
    task = LoadTask(**json.load(sys.stdin))
    json.dump(asdict(await _Run(task).run()), sys.stdout)


if __name__ == "__main__":
    asyncio.run(_main())
