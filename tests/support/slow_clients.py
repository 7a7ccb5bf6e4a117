"""Clients that hold connections and send next to nothing, and how quickly others are answered."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from tests.support.callbacks import SECRET, ekart_signature

CLIENTS = 200
HEAD = b"POST %b HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\n"
# What each client sends at once; it sends no more, except for DRIP.
STALLS: dict[str, Callable[[bytes], bytes]] = {
    "connected only": lambda path: b"",
    "half a head": lambda path: HEAD[:-10] % path,
    "half a body": lambda path: HEAD % path + b"x" * 500,
    "one byte a second": lambda path: HEAD % path,
}
DRIP = "one byte a second"
ROUNDS = 3  # of requests by other clients


@dataclass(frozen=True, slots=True)
class Latency:
    """The slowest answers of the rounds, in seconds."""

    healthz: float
    callback: float


@contextmanager
def stalled(port: int, stall: str, path: str, clients: int = CLIENTS) -> Iterator[None]:
    """Hold `clients` connections to the port that stall in the given way."""
    over = threading.Event()
    sockets: list[socket.socket] = []
    with ExitStack() as opened:
        for _ in range(clients):
            client = opened.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
            client.sendall(STALLS[stall](path.encode()))
            sockets.append(client)
        dripping = threading.Thread(target=_drip, args=(sockets, over))
        if stall == DRIP:
            dripping.start()
        try:
            yield
        finally:
            over.set()
            if stall == DRIP:
                dripping.join()


def _drip(sockets: list[socket.socket], over: threading.Event) -> None:
    while not over.wait(1.0):
        for client in sockets:
            client.send(b"x")


def measure_others(port: int, callback_path: str, stall: str) -> Latency:
    """Ask /healthz and send signed callbacks, each over a connection of its own, during a stall.

    Callbacks of different stalls differ. Raises AssertionError for an answer other than 200, and
    OSError if there is none within 30 seconds.
    """
    slowest = {"healthz": 0.0, "callback": 0.0}
    for number in range(ROUNDS):
        body = b'{"id": "%b-%d"}' % (stall.encode(), number)
        signed = {"x-ekart-signature": ekart_signature(body, SECRET)}
        if stall == DRIP:
            time.sleep(0.6)  # a few bytes come meanwhile
        slowest["healthz"] = max(slowest["healthz"], seconds_of(port, "GET", "/healthz"))
        took = seconds_of(port, "POST", callback_path, body, signed)
        slowest["callback"] = max(slowest["callback"], took)
    return Latency(**slowest)


def seconds_of(
    port: int, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
) -> float:
    """Send one request and return the seconds until its answer, which must be 200."""
    started = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        answer.read()
    finally:
        connection.close()
    assert answer.status == 200, answer.status
    return time.perf_counter() - started
