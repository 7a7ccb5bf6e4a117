"""Gauges of the work that Celery does: what waits in each queue, and whether beat is alive."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from typing import Any

from celery.signals import task_prerun
from prometheus_client.core import GaugeMetricFamily, Metric

from couriers.conf import FROM_BEAT, SENT_AT, Queue
from couriers.resilience import broker
from couriers.resilience.shared import RedisUnavailable, with_redis

# In Redis, seconds (UTC): when beat sent the last of its tasks that ran, and the first scrape.
RAN, FIRST_SCRAPE = "shipcrowd:beat:ran", "shipcrowd:beat:first-scrape"


def queue_gauges() -> Iterable[Metric]:
    """The messages that wait in each queue, and the age of the oldest in seconds.

    A task that a worker has taken is not waiting. Without Redis as the broker there is no age.
    Raises BrokerUnavailable.
    """
    depth = GaugeMetricFamily("shipcrowd_queue_depth", "Tasks that wait", labels=["queue"])
    age = GaugeMetricFamily(
        "shipcrowd_queue_oldest_seconds", "Age of the oldest task that waits", labels=["queue"]
    )
    for queue, waiting in broker.waiting([queue.value for queue in Queue]).items():
        depth.add_metric([queue], waiting.count)
        if waiting.oldest is not None:
            age.add_metric([queue], age_of(waiting.oldest))
    return [depth, age]


def beat_gauges() -> Iterable[Metric]:
    """The seconds since beat sent the last task that a worker has begun.

    Where none ever ran, they are counted from the first scrape. Nothing is shown without Redis.
    """
    now = time.time()

    def read(redis: Any) -> float:
        redis.set(FIRST_SCRAPE, now, nx=True)
        return float(redis.get(RAN) or redis.get(FIRST_SCRAPE) or now)

    try:
        since = with_redis(read)
    except RedisUnavailable:
        return []
    return [
        GaugeMetricFamily(
            "shipcrowd_beat_age_seconds",
            "Time since beat sent the last of its tasks that ran",
            value=max(0.0, now - since),
        )
    ]


@task_prerun.connect
def note_beat(task: Any = None, **_: Any) -> None:
    """Note that a task ran which beat has sent."""
    request = getattr(task, "request", None)
    if request is None or not request.get(FROM_BEAT):
        return
    sent_at = request.get(SENT_AT) or time.time()
    try:
        with_redis(lambda redis: redis.set(RAN, sent_at))
    except RedisUnavailable:
        return


def age_of(message: bytes) -> float:
    """Return how long ago a message was sent, in seconds; 0 where it does not say so."""
    try:
        sent_at = float(json.loads(message)["headers"][SENT_AT])
    except (ValueError, KeyError, TypeError):
        return 0.0
    return max(0.0, time.time() - sent_at)
