"""How requests over kept connections are spread over the web server's processes."""

from __future__ import annotations

import http.client
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from tests.support.seen_headers import WORKER

CONNECTIONS = 10
REQUESTS = 100  # over each connection


def busiest_share(port: int) -> float:
    """Send requests over kept connections; return the share that the busiest process answers.

    The application must be tests.support.seen_by_app. Raises AssertionError if a connection is not
    kept.
    """
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        answered = pool.map(lambda _: Counter(_workers(port)), range(CONNECTIONS))
        counts = sum(answered, Counter[str]())
    assert counts.total() == CONNECTIONS * REQUESTS
    return max(counts.values()) / counts.total()


def _workers(port: int) -> Iterator[str]:
    """Yield the process of each answer over one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.connect()
    opened = connection.sock
    for _ in range(REQUESTS):
        connection.request("GET", "/healthz")
        assert connection.sock is opened
        answer = connection.getresponse()
        answer.read()
        yield answer.headers[WORKER]
    connection.close()
