"""Which queues a Celery worker consumes: ours too, in a project that knows nothing of them."""

from __future__ import annotations

from typing import Any

from celery.signals import celeryd_init

from couriers.conf import Queue


@celeryd_init.connect
def consume_our_queues(*, instance: Any, **_: Any) -> None:
    """Have a worker that is started without -Q consume our queues besides the project's own.

    Celery's workers consume only the queues of CELERY_TASK_QUEUES, or the default one, so callbacks
    would wait for ever. This runs before Celery applies -Q and -X, which select among these queues.
    """
    queues = instance.app.amqp.queues
    for queue in Queue:
        if queue.value not in queues:
            queues.select_add(queue.value)
