"""A load generator in a process of its own: signed callbacks over kept connections.

Run as a module, it reads its task from standard input as JSON and prints what it measured. All
requests are made and signed before the clock starts, so that it is not the bottleneck.
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

# What a callback of Ekart's looks like, with room for what makes each another one.
BODY = (
    '{{"ctime":{ctime},"status":"In Transit","location":"PUNE","desc":"On its way",'
    '"attempts":"0","wbn":"{n}","id":"{prefix}{n}","orderNumber":"{n}"}}'
)
MOST = 30_000  # requests made beforehand


@dataclass(frozen=True, slots=True)
class Task:
    """Where to send, how, and for how long (seconds). `prefix` makes the bodies new ones."""

    port: int
    path: str
    secret: str
    connections: int
    seconds: float
    prefix: str


@dataclass(frozen=True, slots=True)
class Measured:
    """Answers a second, latencies in milliseconds, and how many answers were no 200."""

    requests: int
    rate: float
    p50: float
    p99: float
    wrong: int


def start(task: Task) -> subprocess.Popen[bytes]:
    """Start the generator in its own process; finish() waits for it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.load"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(asdict(task)).encode())
    process.stdin.close()
    process.stdin = None
    return process


def finish(process: subprocess.Popen[bytes]) -> Measured:
    """What a started generator measured."""
    output, _ = process.communicate()
    if process.returncode:
        raise RuntimeError("the load generator failed")
    return Measured(**json.loads(output))


def measure(task: Task) -> Measured:
    """Send for as long as the task says, and measure."""
    return finish(start(task))


def requests_of(task: Task) -> Iterator[bytes]:
    """Signed requests, each of another content."""
    for number in range(MOST):
        body = BODY.format(ctime=1_793_400_000_000 + number, n=number, prefix=task.prefix).encode()
        signature = hmac.new(task.secret.encode(), body, hashlib.sha256).hexdigest()
        yield (
            f"POST {task.path} HTTP/1.1\r\nHost: 127.0.0.1:{task.port}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
            f"X-Ekart-Signature: {signature}\r\n\r\n"
        ).encode() + body


class _Client(asyncio.Protocol):
    """One connection: a request, its answer, the next request."""

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
        self._run.answers[head[9:12].decode()] += 1
        if b"connection: close" in head.lower():
            self._transport.close()
        else:
            self._send()

    def connection_lost(self, error: Exception | None) -> None:
        self._run.lost(self)

    def _send(self) -> None:
        request = self._run.next_request()
        if request is None:
            self._transport.close()
            return
        self._sent_at = time.perf_counter()
        self._transport.write(request)


class _Run:
    def __init__(self, task: Task) -> None:
        self._task = task
        self._requests = list(requests_of(task))[::-1]
        self._end = float("inf")
        self._tasks: set[asyncio.Task[None]] = set()
        self._open = 0
        self._over = asyncio.Event()
        self.latencies: list[float] = []
        self.answers: Counter[str] = Counter()

    async def run(self) -> Measured:
        started = time.perf_counter()
        self._end = started + self._task.seconds
        self._open = self._task.connections
        await asyncio.gather(*(self._connect() for _ in range(self._task.connections)))
        await self._over.wait()
        took = time.perf_counter() - started
        found = sorted(self.latencies)
        return Measured(
            requests=len(found),
            rate=len(found) / took,
            p50=1000 * found[len(found) // 2],
            p99=1000 * found[len(found) * 99 // 100],
            wrong=len(found) - self.answers["200"],
        )

    def next_request(self) -> bytes | None:
        if time.perf_counter() >= self._end or not self._requests:
            return None
        return self._requests.pop()

    def lost(self, client: _Client) -> None:
        if time.perf_counter() < self._end and self._requests:
            task = asyncio.ensure_future(self._connect())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            return
        self._open -= 1
        if not self._open:
            self._over.set()

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: _Client(self), "127.0.0.1", self._task.port)


async def _main() -> None:
    task = Task(**json.load(sys.stdin))
    json.dump(asdict(await _Run(task).run()), sys.stdout)


if __name__ == "__main__":
    asyncio.run(_main())
