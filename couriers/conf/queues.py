"""The queues of the tasks, and what every task has, whatever the project's settings of Celery."""

from __future__ import annotations

import enum
import time
from typing import Any

from celery import Task

# Seconds after which a worker drops the task of a sweeper that it has not started, so that they do
# not pile up without a worker. The worker's clock may be an hour before that of the sender.
SWEEP_EXPIRES = 7200


class Queue(enum.StrEnum):
    """The queues of the tasks. A worker that is started without -Q consumes all of them."""

    INBOX = "inbox"  # callbacks, for which nobody else's work may be waited: workers of its own
    BOOKING = "booking"  # bulk work in short slices, and the leases of bookings
    TRACKING = "tracking"  # polling, and asking how accepted actions ended
    OUTBOX = "outbox"  # calls to merchants
    DEFAULT = "default"  # manifests, documents and retention


# Headers of a task's message: when it was sent (seconds, UTC), and whether beat sent it.
SENT_AT, FROM_BEAT = "shipcrowd_sent_at", "shipcrowd_from_beat"


class QueuedTask(Task[Any, Any]):
    """A task that goes to its own queue, `our_queue`, whoever sends it.

    Celery's own attribute for it, `queue`, is deprecated in favour of a setting, which the project
    around the apps would have to make.
    """

    abstract = True
    our_queue = ""

    def apply_async(self, *args: Any, **options: Any) -> Any:
        """Send the task, to its own queue unless the sender names one."""
        headers = {SENT_AT: time.time(), **(options.pop("headers", None) or {})}
        return super().apply_async(*args, **{"queue": self.our_queue, **options}, headers=headers)


# Of every task, whatever the project's own settings of Celery are: nobody reads results, and the
# task of a worker that died is sent again.
TASK_OPTIONS: dict[str, Any] = {
    "base": QueuedTask,
    "acks_late": True,
    "reject_on_worker_lost": True,
    "ignore_result": True,
    # Seconds. A limit of the project's own would kill a worker in the middle of a call, which puts
    # a booking in doubt. The longest task ends by itself after two minutes.
    "soft_time_limit": 880,
    "time_limit": 900,
}
