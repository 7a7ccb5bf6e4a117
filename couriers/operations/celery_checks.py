"""System checks of the project's Celery: whether the tasks are sent, and run by workers."""

from __future__ import annotations

from typing import Any

from celery import current_app
from django.core import checks
from django.core.checks import CheckMessage, register

from couriers.conf import SHIPCROWD_BEAT_SCHEDULE, Queue


@register()
def check_celery(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """couriers.W012 to W014, W022: no broker, and tasks that run in the request or never."""
    conf = current_app.conf
    if conf.task_always_eager:
        return [
            checks.Warning(
                "CELERY_TASK_ALWAYS_EAGER is True, so a request does the work of the workers",
                hint="Set it to False, and start a worker.",
                id="couriers.W014",
            )
        ]
    if not conf.broker_url:
        return [
            checks.Warning(
                "Celery has no broker, so bulk jobs, manifests and callbacks wait for ever",
                hint="Set CELERY_BROKER_URL to a Redis, and import your Celery application in the "
                "__init__.py of the project, as Celery's guide for Django says.",
                id="couriers.W012",
            )
        ]
    return [*_schedule_problems(conf), *_queue_problems(conf)]


def _schedule_problems(conf: Any) -> list[CheckMessage]:
    scheduled = {entry.get("task") for entry in (conf.beat_schedule or {}).values()}
    missing = sorted({str(e["task"]) for e in SHIPCROWD_BEAT_SCHEDULE.values()} - scheduled)
    if not missing:
        return []
    return [
        checks.Warning(
            f"Periodic tasks are not scheduled: {', '.join(missing)}",
            hint="Merge couriers.conf.SHIPCROWD_BEAT_SCHEDULE into CELERY_BEAT_SCHEDULE. Silence "
            "this check where another scheduler sends them.",
            id="couriers.W013",
        )
    ]


def _queue_problems(conf: Any) -> list[CheckMessage]:
    declared = conf.task_queues or {}
    names = {getattr(queue, "name", queue) for queue in declared}
    missing = [queue.value for queue in Queue if queue.value not in names]
    if conf.task_create_missing_queues or not missing:
        return []
    return [
        checks.Warning(
            f"CELERY_TASK_CREATE_MISSING_QUEUES is False, and CELERY_TASK_QUEUES lacks the queues "
            f"{', '.join(missing)}, so their tasks cannot be sent",
            hint="Leave CELERY_TASK_CREATE_MISSING_QUEUES out, or declare these queues.",
            id="couriers.W022",
        )
    ]
