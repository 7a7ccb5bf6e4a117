"""HTTP connections whose whole answer, head and body, comes within one read time-out or never.

The time-out of a socket is for each of its reads: an answer that drips, a byte at a time, outlives
it many times over, and nobody could tell how long a call may be on the wire.
"""

from __future__ import annotations

import http.client
import io
import socket
import time
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util import Retry


def adapter(pool_size: int) -> HTTPAdapter:
    """An adapter for a session: `pool_size` connections a host are kept, and nothing is retried."""
    made = HTTPAdapter(
        pool_connections=8,
        pool_maxsize=pool_size,
        pool_block=True,
        max_retries=Retry(0, read=False, redirect=False),
    )
    made.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
    return made


class _Reader(io.RawIOBase):
    """What a socket receives until the time is up. Leaves the socket's time-out as it found it."""

    def __init__(self, received: io.RawIOBase, sock: socket.socket) -> None:
        self._received = received
        self._sock = sock
        self._timeout = sock.gettimeout()
        self._end = time.monotonic() + (self._timeout or 0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self._timeout is None:
            return self._received.readinto(buffer)
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer takes too long")
        self._sock.settimeout(left)
        try:
            return self._received.readinto(buffer)
        finally:
            self._sock.settimeout(self._timeout)

    def close(self) -> None:
        self._received.close()
        super().close()


class _Answer(http.client.HTTPResponse):
    """An answer that is waited for from the moment the request was sent."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_Reader(self.fp.detach(), sock))


class _Connection(HTTPConnection):
    response_class = _Answer


class _TlsConnection(HTTPSConnection):
    response_class = _Answer


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection
