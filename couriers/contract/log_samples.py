"""Log lines by sample, where their cause may come as often as strangers or broken networks like."""

from __future__ import annotations

import threading
import time
from collections.abc import Hashable


class Sampler:
    """Counts what happens, and says when a line of it is due in this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.forget()

    def forget(self) -> None:
        """Have a line be due the next time, whatever was logged before."""
        # When a line of the key was due (monotonic), and how often it has happened since.
        self._last: dict[Hashable, tuple[float, int]] = {}

    def due(self, key: Hashable, quiet: float) -> int:
        """Count; return 0 where a line of the key was due less than `quiet` seconds ago.

        Else return how often it has happened since that line, this time included. There must be few
        keys: each is kept.
        """
        now = time.monotonic()
        with self._lock:
            at, left_out = self._last.get(key, (float("-inf"), 0))
            if now - at < quiet:
                self._last[key] = (at, left_out + 1)
                return 0
            self._last[key] = (now, 0)
        return left_out + 1
