"""The Celery tasks of the inbox and the outbox.

They take no arguments and may run twice, or several at once.
"""

from __future__ import annotations

import time

from celery import shared_task

from couriers.conf import SWEEP_EXPIRES, TASK_OPTIONS, Queue
from couriers.resilience import broker, once
from webhooks.outbox import run
from webhooks.processing import bring_forward_late_events, process_batch

LATE_EVENTS_SECONDS = 60  # between two looks for events of a clock that was set back
MAX_TASK_SECONDS = 30.0  # a new task then continues, so that other tasks in the queue can run
QUEUED = "inbox"  # reserved in Redis while a sent process_inbox has not started
QUEUED_SECONDS = 60  # then another one is sent, in case the first got lost


@shared_task(name="webhooks.process_inbox", our_queue=Queue.INBOX, **TASK_OPTIONS)
def process_inbox() -> int:
    """Process batches until no event is due; return how many events were claimed."""
    # Before the first claim, so that a callback stored from now on sends a new task.
    once.release(QUEUED)
    deadline = time.monotonic() + MAX_TASK_SECONDS
    total = 0
    while time.monotonic() < deadline:
        claimed = process_batch().claimed
        total += claimed
        if not claimed:
            return total
    broker.send(process_inbox, expires=SWEEP_EXPIRES)
    return total


@shared_task(name="webhooks.sweep_inbox", our_queue=Queue.INBOX, **TASK_OPTIONS)
def sweep_inbox() -> int:
    """Process retries that have become due and events for which no task was sent (from beat)."""
    if once.reserve("late-events", LATE_EVENTS_SECONDS):
        bring_forward_late_events()
    return process_inbox()


@shared_task(name="webhooks.sweep_outbox", our_queue=Queue.OUTBOX, **TASK_OPTIONS)
def sweep_outbox() -> int:
    """Make deliveries of new events, and send what is due; return the attempts (from beat)."""
    attempts, has_more = run.run_outbox()
    if has_more:
        broker.send(sweep_outbox, expires=SWEEP_EXPIRES)
    return attempts
