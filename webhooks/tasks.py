"""The Celery tasks of the inbox. They take no arguments and may run twice, or several at once."""

from __future__ import annotations

import time
from contextlib import suppress

from celery import shared_task

from couriers.conf import TASK_OPTIONS
from couriers.resilience import broker
from couriers.resilience.shared import RedisUnavailable, with_redis
from webhooks.processing import process_batch

TASK_EXPIRES = 60  # seconds; sweep_inbox does the work of a task that waits longer
MAX_TASK_SECONDS = 30.0  # a new task then continues, so that other tasks in the queue can run
QUEUED_KEY = "shipcrowd:inbox:queued"  # in Redis while a sent process_inbox has not started


@shared_task(name="webhooks.process_inbox", **TASK_OPTIONS)
def process_inbox() -> int:
    """Process batches until no event is due; return how many events were claimed."""
    # Deleted before the first claim, so that a callback stored from now on sends a new task.
    with suppress(RedisUnavailable):
        with_redis(lambda redis: redis.delete(QUEUED_KEY))
    deadline = time.monotonic() + MAX_TASK_SECONDS
    total = 0
    while time.monotonic() < deadline:
        claimed = process_batch().claimed
        total += claimed
        if not claimed:
            return total
    broker.send(process_inbox, expires=TASK_EXPIRES)
    return total


@shared_task(name="webhooks.sweep_inbox", **TASK_OPTIONS)
def sweep_inbox() -> int:
    """Process retries that have become due and events for which no task was sent (from beat)."""
    return process_inbox()
