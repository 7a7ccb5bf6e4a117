"""Telling a worker that there is something in the inbox, now and then, not once an event.

A thread of its own speaks to the broker: a request never waits for it, nor fails with it. What
goes untold is found by the sweeper. No nudge follows another that no worker has taken up, so that
they do not pile up where no worker runs.
"""

from __future__ import annotations

import os
import threading
import time

import structlog

from couriers.resilience.shared import with_redis
from webhooks.metrics import NUDGES_FAILED
from webhooks.tasks import EXPIRES, TOLD, process_inbox

log = structlog.get_logger(__name__)

PAUSE = 0.2  # seconds between two nudges of one process
REST = 5.0  # seconds after a broker that did not answer

_wanted = threading.Event()
_thread: tuple[int, threading.Thread] | None = None
_lock = threading.Lock()


def nudge() -> None:
    """Have a worker look into the inbox soon."""
    global _thread
    _wanted.set()
    # A forked process has no threads of its parent's.
    if _thread is None or _thread[0] != os.getpid():
        with _lock:
            if _thread is None or _thread[0] != os.getpid():
                thread = threading.Thread(target=_run, name="webhook-nudge", daemon=True)
                _thread = (os.getpid(), thread)
                thread.start()


def _run() -> None:
    while True:
        _wanted.wait()
        _wanted.clear()
        try:
            _tell()
        except Exception as error:  # noqa: BLE001 - whatever ails the broker, the sweeper covers it
            NUDGES_FAILED.inc()
            log.warning("nudge_failed", error=type(error).__name__)
            time.sleep(REST)
        time.sleep(PAUSE)


def _tell() -> None:
    if with_redis(lambda redis: redis.set(TOLD, 1, nx=True, ex=EXPIRES)):
        process_inbox.apply_async(expires=EXPIRES)
