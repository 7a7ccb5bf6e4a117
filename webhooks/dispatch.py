"""Sending the task that processes the inbox, without delaying the request that stored a callback.

A thread of each process sends the task, so a request neither waits for the broker nor fails with
it. No second task is sent until a worker has started the first, so that tasks do not pile up
while no worker runs. Where sending fails, the periodic webhooks.sweep_inbox does the work.
"""

from __future__ import annotations

import os
import threading
import time

from couriers.contract.logs import get_logger
from couriers.resilience.shared import with_redis
from webhooks.metrics import DISPATCH_FAILURES
from webhooks.tasks import QUEUED_KEY, TASK_EXPIRES, process_inbox

log = get_logger(__name__)

MIN_INTERVAL = 0.2  # seconds between two tasks that one process sends
FAILURE_PAUSE = 5.0  # seconds until the next try after a failure

_requested = threading.Event()
_thread: tuple[int, threading.Thread] | None = None  # the process id and its thread
_lock = threading.Lock()


def request_processing() -> None:
    """Have a worker process the inbox soon; returns at once and never raises."""
    global _thread
    _requested.set()
    # A forked process does not have the threads of its parent.
    if _thread is None or _thread[0] != os.getpid():
        with _lock:
            if _thread is None or _thread[0] != os.getpid():
                thread = threading.Thread(target=_run, name="inbox-dispatch", daemon=True)
                _thread = (os.getpid(), thread)
                thread.start()


def _run() -> None:
    while True:
        _requested.wait()
        _requested.clear()
        try:
            _send_task()
        except Exception as error:  # noqa: BLE001 - sweep_inbox does the work, whatever failed
            DISPATCH_FAILURES.inc()
            log.warning("dispatch_failed", error=type(error).__name__)
            time.sleep(FAILURE_PAUSE)
        time.sleep(MIN_INTERVAL)


def _send_task() -> None:
    """Send the task unless one is queued. The key expires with the task, in case it got lost."""
    if with_redis(lambda redis: redis.set(QUEUED_KEY, 1, nx=True, ex=TASK_EXPIRES)):
        process_inbox.apply_async(expires=TASK_EXPIRES, retry=False)
