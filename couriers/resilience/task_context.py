"""The log lines of a task have the id of the request that it was sent for.

The id travels in the message's headers. A task that nobody's request sent, as those of beat, has
its own id as the id of the request. Celery calls these receivers once they are imported.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

from celery import Task
from celery.signals import before_task_publish, task_postrun, task_prerun
from structlog import contextvars

from couriers.contract.request_ids import KEY, current, taken_or_made

HEADER = "shipcrowd_request_id"
_TOKENS = "_shipcrowd_log_tokens"


@before_task_publish.connect
def send_id(headers: MutableMapping[str, Any] | None = None, **_: Any) -> None:
    """Put the id of the request that sends the task into the message."""
    if headers is not None and (request_id := current()):
        headers[HEADER] = request_id


@task_prerun.connect
def bind_id(task_id: str, task: Task[Any, Any], **_: Any) -> None:
    """Bind the id of the message, the task's name and its own id to the log context."""
    given = getattr(task.request, HEADER, None)
    request_id = taken_or_made(given) if isinstance(given, str) else task_id
    tokens = contextvars.bind_contextvars(**{KEY: request_id}, task=str(task.name), task_id=task_id)
    setattr(task.request, _TOKENS, tokens)


@task_postrun.connect
def release_id(task: Task[Any, Any], **_: Any) -> None:
    """Restore the log context that was there before the task: it may have run in a request."""
    if tokens := getattr(task.request, _TOKENS, None):
        contextvars.reset_contextvars(**tokens)
