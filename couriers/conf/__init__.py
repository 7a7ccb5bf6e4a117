"""The tunables, the keys of the SHIPCROWD dict in the settings; the queues and the periodic tasks.

A courier's plug-in declares its own tunables, under SHIPCROWD["COURIERS"][code], with the same
functions (see couriers.http.tunables). docs/settings.md lists all of them.

    platform   the platform's tunables, with their defaults and bounds
    declaring  how tunables are declared
    checking   what is wrong with a value, and what is used instead
    current    the values that are in force
    queues     the queues of the tasks
    schedule   the periodic tasks
"""

from couriers.conf.checking import build_tunables, tunable_errors, tunable_problems
from couriers.conf.current import courier_tunables, in_development, tunables
from couriers.conf.declaring import bounded, hidden_text
from couriers.conf.platform import MAX_PAGE_SIZE, MAX_THREADS, Tunables
from couriers.conf.queues import (
    FROM_BEAT,
    SENT_AT,
    SWEEP_EXPIRES,
    TASK_OPTIONS,
    Queue,
    QueuedTask,
)
from couriers.conf.schedule import SHIPCROWD_BEAT_SCHEDULE, Every

__all__ = [
    "FROM_BEAT",
    "MAX_PAGE_SIZE",
    "MAX_THREADS",
    "SENT_AT",
    "SHIPCROWD_BEAT_SCHEDULE",
    "SWEEP_EXPIRES",
    "TASK_OPTIONS",
    "Every",
    "Queue",
    "QueuedTask",
    "Tunables",
    "bounded",
    "build_tunables",
    "courier_tunables",
    "hidden_text",
    "in_development",
    "tunable_errors",
    "tunable_problems",
    "tunables",
]
