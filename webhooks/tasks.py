"""The inbox's work for Celery. Each task takes nothing and can be run twice, or at once."""

from __future__ import annotations

import time
from contextlib import suppress

from celery import shared_task

from couriers.resilience.shared import RedisUnavailable, with_redis
from webhooks.processing import drain

EXPIRES = 60  # seconds; what waited longer is the sweeper's by then
LONGEST = 30.0  # seconds; a busy inbox is handed to the next task, so that workers stay fair
TOLD = "shipcrowd:inbox:told"  # in Redis while a task that a nudge sent has not begun


@shared_task(name="webhooks.process_inbox")
def process_inbox() -> int:
    """Drain the inbox until nothing is due; returns how many events were taken."""
    # Before anything is taken: what is stored from now on is told of anew.
    with suppress(RedisUnavailable):
        with_redis(lambda redis: redis.delete(TOLD))
    deadline = time.monotonic() + LONGEST
    taken = 0
    while time.monotonic() < deadline:
        now = drain().taken
        taken += now
        if not now:
            return taken
    process_inbox.apply_async(expires=EXPIRES)
    return taken


@shared_task(name="webhooks.sweep_inbox")
def sweep_inbox() -> int:
    """What no nudge told of, and what waited for its next attempt (by beat)."""
    return process_inbox()
