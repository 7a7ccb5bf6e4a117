"""What waits in the queues of Celery, and whether it is too old (the alert QueueBehind)."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from couriers.conf import Queue
from couriers.operations.task_gauges import RAN, age_of
from couriers.resilience import broker
from couriers.resilience.shared import with_redis

# Seconds that the oldest task of a queue may wait, as in monitoring/alerts.yml.
BUDGETS = {Queue.INBOX: 60, Queue.BOOKING: 300, Queue.OUTBOX: 300, Queue.TRACKING: 600}
OTHER_BUDGET = 900
BEAT_BUDGET = 120  # seconds since beat sent the last task that ran


@dataclass(frozen=True, slots=True)
class QueueFacts:
    """The tasks that wait in a queue, and the age of the oldest in seconds, None where unknown."""

    name: str
    count: int
    age: float | None
    budget: int

    @property
    def is_behind(self) -> bool:
        """Whether the oldest task has waited for longer than it may."""
        return self.age is not None and self.age > self.budget


def queues() -> list[QueueFacts]:
    """Return the facts of all queues. Raises BrokerUnavailable within about a second."""
    found = broker.waiting([queue.value for queue in Queue])
    facts = []
    for queue in Queue:
        waiting = found.get(queue.value, broker.Waiting(0))
        age = None if waiting.oldest is None else age_of(waiting.oldest)
        facts.append(QueueFacts(queue.value, waiting.count, age, BUDGETS.get(queue, OTHER_BUDGET)))
    return facts


def beat_age() -> float | None:
    """Return the seconds since beat sent the last task that ran, None where none ever did.

    Raises RedisUnavailable.
    """
    ran: Any = with_redis(lambda redis: redis.get(RAN))
    return None if ran is None else max(0.0, time.time() - float(ran))
