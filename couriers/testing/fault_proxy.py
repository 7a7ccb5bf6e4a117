"""A proxy on loopback in front of a stand-in that has no faults of its own."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable
from urllib.parse import urlsplit

from couriers.testing.fault_server import Answer, FaultServer, Request
from couriers.testing.faults import FaultKind

# Headers that belong to one connection (RFC 9110), and those that the proxy sets itself.
_OF_CONNECTION = {"connection", "keep-alive", "transfer-encoding", "content-length", "host"}


class FaultProxy(FaultServer):
    """Passes requests on to `target`, an origin, and lets chosen ones fail.

    `requests` are those since the last `fail` or `forget`. `after_each` is called with each request
    that the target has answered, before its answer is passed back.
    """

    def __init__(self, target: str) -> None:
        super().__init__()
        self.requests: list[Request] = []
        self.after_each: Callable[[Request], None] = lambda request: None
        self._target = urlsplit(target).netloc
        self._lock = threading.Lock()
        self._kind: FaultKind | None = None
        self._position = 0

    @property
    def kinds_of_requests(self) -> list[str]:
        """The methods and paths of `requests` ("POST /path"), each once, in their order."""
        return list(dict.fromkeys(self.operation(request) for request in self.requests))

    def fail(self, kind: FaultKind, position: int = 0) -> None:
        """Let requests of one method and path fail: those at this position among the kinds."""
        with self._lock:
            self._kind, self._position = kind, position
            self.requests.clear()

    def heal(self) -> None:
        """Let no request fail from now on."""
        with self._lock:
            self._kind = None

    def forget(self) -> None:
        """Forget the requests so far."""
        with self._lock:
            self.requests.clear()

    @property
    def failed(self) -> list[Request]:
        """The requests that failed since the last `fail`."""
        wanted = self.kinds_of_requests[self._position : self._position + 1]
        return [request for request in self.requests if self.operation(request) in wanted]

    def fault_of(self, request: Request) -> FaultKind | None:
        with self._lock:
            self.requests.append(request)
            return self._kind if self._kind and request in self.failed else None

    def answer(self, request: Request) -> Answer:
        connection = http.client.HTTPConnection(self._target, timeout=60)
        headers = {n: v for n, v in request.headers.items() if n not in _OF_CONNECTION}
        try:
            connection.request(request.method, request.target, request.body, headers)
            given = connection.getresponse()
            answer = Answer(
                given.status,
                given.read(),
                {n: v for n, v in given.getheaders() if n.lower() not in _OF_CONNECTION},
            )
        finally:
            connection.close()
        self.after_each(request)
        return answer
