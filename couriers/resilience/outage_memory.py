"""Remembers in this process that a server does not answer, so that one caller at a time finds out.

Without it each request of a process would wait for the server's time-out again.
"""

from __future__ import annotations

import threading
import time


class OutageMemory:
    """Whether a server may be tried. After a failure, one caller in `pause` seconds may."""

    def __init__(self, pause: float) -> None:
        self._pause = pause
        self._lock = threading.Lock()
        self._next_try: float | None = None  # on the monotonic clock; None while it answers

    @property
    def is_away(self) -> bool:
        """Whether the last call has failed."""
        return self._next_try is not None

    def may_try(self) -> bool:
        """Whether the caller may use the server. It must then say how that ended."""
        with self._lock:
            now = time.monotonic()
            if self._next_try is None:
                return True
            if now < self._next_try:
                return False
            # Whoever comes while this caller finds out does not wait.
            self._next_try = now + self._pause
            return True

    def failed(self) -> None:
        """The server did not answer."""
        with self._lock:
            self._next_try = time.monotonic() + self._pause

    def succeeded(self) -> None:
        """The server answered."""
        if self.is_away:
            self.forget()

    def forget(self) -> None:
        """Let every caller try the server."""
        with self._lock:
            self._next_try = None
