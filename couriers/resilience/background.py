"""Work that a thread of each process does, so that no request waits for it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

from django.db import connections

from couriers.contract.logs import get_logger

log = get_logger(__name__)


def database_work(name: str, write: Callable[[], None], pause: float) -> Callable[[], float]:
    """Return work that writes to the database and closes the thread's connection again.

    The thread goes on whatever fails. `pause` is in seconds.
    """

    def work() -> float:
        try:
            write()
        except Exception as error:  # noqa: BLE001 - the next time may succeed
            log.error("background_work_failed", work=name, error=type(error).__name__)
        finally:
            connections.close_all()
        return pause

    return work


class BackgroundWork:
    """Does a piece of work whenever it was requested since the last time.

    `work` never raises. It returns the pause in seconds before it may be done again. With `every`
    it is also done once in so many seconds without a request.
    """

    def __init__(self, name: str, work: Callable[[], float], every: float | None = None) -> None:
        self._name = name
        self._work = work
        self._every = every
        self._requested = threading.Event()
        self._lock = threading.Lock()
        self._process_id: int | None = None

    def request(self) -> None:
        """Have the work done soon; returns at once and never raises."""
        self._requested.set()
        self.start()

    def start(self) -> None:
        """Start the thread unless it runs. A forked process lacks the threads of its parent."""
        if self._process_id != os.getpid():
            with self._lock:
                if self._process_id != os.getpid():
                    self._process_id = os.getpid()
                    threading.Thread(target=self._run, name=self._name, daemon=True).start()

    def _run(self) -> None:
        while True:
            self._requested.wait(self._every)
            self._requested.clear()
            time.sleep(self._work())
