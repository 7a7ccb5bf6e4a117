"""Sending the task that processes the inbox, without delaying the request that stored a callback.

A thread of each process sends the task, so a request neither waits for the broker nor fails with
it. No second task is sent until a worker has started the first, so that tasks do not pile up
while no worker runs. Where sending fails, the periodic webhooks.sweep_inbox does the work.
"""

from __future__ import annotations

from couriers.conf import SWEEP_EXPIRES
from couriers.contract.logs import get_logger
from couriers.resilience import broker, once
from couriers.resilience.background import BackgroundWork
from webhooks.metrics import DISPATCH_FAILURES
from webhooks.tasks import QUEUED, QUEUED_SECONDS, process_inbox

log = get_logger(__name__)

MIN_INTERVAL = 0.2  # seconds between two tasks that one process sends
FAILURE_PAUSE = 5.0  # seconds until the next try after a failure


def request_processing() -> None:
    """Have a worker process the inbox soon; returns at once and never raises."""
    _dispatch.request()


def _try_to_send_task() -> float:
    """Send the task; return the pause after it, in seconds."""
    try:
        _send_task()
    except Exception as error:  # noqa: BLE001 - sweep_inbox does the work, whatever failed
        DISPATCH_FAILURES.inc()
        log.warning("dispatch_failed", error=type(error).__name__)
        return FAILURE_PAUSE + MIN_INTERVAL
    return MIN_INTERVAL


def _send_task() -> None:
    """Send the task unless one is queued."""
    if once.reserve(QUEUED, QUEUED_SECONDS):
        broker.send(process_inbox, expires=SWEEP_EXPIRES)


_dispatch = BackgroundWork("inbox-dispatch", _try_to_send_task)
