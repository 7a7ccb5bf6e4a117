"""HTTP connections whose read time-out is for the whole answer, head and body.

The time-out of a socket is for each of its reads. An answer that arrives a byte at a time can take
many times as long, and nobody could tell how long a call lasts at most.
"""

from __future__ import annotations

import http.client
import io
import os
import socket
import threading
import time
from collections.abc import Callable
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util import Retry

from couriers.http.connections import CheckedConnection, CheckedTlsConnection

HEAD = 16  # bytes that tell what an answer is

# By courier: the process that the session belongs to, and the session.
_sessions: dict[str, tuple[int, requests.Session]] = {}
_session_lock = threading.Lock()


def session(courier: str, pool_size: int) -> requests.Session:
    """Return this process' session for a courier, which never retries and keeps no cookies.

    A forked child gets its own, because sockets are not shared.
    """
    with _session_lock:
        known = _sessions.get(courier)
        if known is None or known[0] != os.getpid():
            fresh = requests.Session()
            fresh.trust_env = False
            # All accounts share the session: a cookie of one would go with the calls of another.
            fresh.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
            adapter = _make_adapter(pool_size)
            fresh.mount("https://", adapter)
            fresh.mount("http://", adapter)
            known = _sessions[courier] = (os.getpid(), fresh)
        return known[1]


def close_sessions() -> None:
    """Forget all sessions, and with them the connections that are kept open."""
    with _session_lock:
        for _, kept in _sessions.values():
            kept.close()
        _sessions.clear()


def _make_adapter(pool_size: int) -> HTTPAdapter:
    """Return an adapter that keeps `pool_size` connections to each host and never retries.

    A call that finds none free opens another one. Waiting for one would be a queue that all
    accounts share; the bulkhead (couriers.resilience.bulkhead) limits how many are open.
    """
    adapter = HTTPAdapter(
        pool_connections=8,
        pool_maxsize=pool_size,
        pool_block=False,
        max_retries=Retry(0, read=False, redirect=False),
    )
    adapter.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
    return adapter


def read_body(response: requests.Response, largest: Callable[[bytes], int]) -> bytes | None:
    """Return an answer's body after decompression, or None if it is too large.

    `largest` returns the limit in bytes for an answer that begins with the given bytes. Nothing is
    read beyond it. Raises requests.RequestException.
    """
    body = io.BytesIO()  # its value is no second copy
    beginning = b""
    for part in response.iter_content(65536):
        body.write(part)
        beginning = (beginning + part)[:HEAD]
        if body.tell() > largest(beginning):
            return None
    return body.getvalue()


class _DeadlineReader(io.RawIOBase):
    """Read from a socket until its time-out has passed since this object was made.

    The socket has its own time-out again after each read.
    """

    def __init__(self, raw: io.RawIOBase, sock: socket.socket) -> None:
        self._raw = raw
        self._sock = sock
        self._timeout = sock.gettimeout()
        self._end = time.monotonic() + (self._timeout or 0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self._timeout is None:
            return self._raw.readinto(buffer)
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer takes too long")
        self._sock.settimeout(left)
        try:
            return self._raw.readinto(buffer)
        finally:
            self._sock.settimeout(self._timeout)

    def close(self) -> None:
        self._raw.close()
        super().close()


class DeadlineResponse(http.client.HTTPResponse):
    """A response whose read time-out starts when the request was sent."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_DeadlineReader(self.fp.detach(), sock))

    def begin(self) -> None:
        """Read the head. What is no header line is dropped, because urllib3 would log it."""
        super().begin()
        self.msg.defects.clear()
        self.msg.set_payload("")


class _Connection(CheckedConnection):
    response_class = DeadlineResponse


class _TlsConnection(CheckedTlsConnection):
    response_class = DeadlineResponse


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection
