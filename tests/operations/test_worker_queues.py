"""The queues of the tasks, and which of them a worker consumes in any project."""

from __future__ import annotations

from typing import Any

import pytest
from celery import Celery

from couriers import tasks as couriers_tasks
from couriers.conf import SHIPCROWD_BEAT_SCHEDULE, QueuedTask
from webhooks import tasks as webhooks_tasks

# The tests may run as root.
pytestmark = pytest.mark.filterwarnings("ignore::celery.exceptions.SecurityWarning")
OURS = {"inbox", "booking", "tracking", "outbox", "default"}


def consumed(queues: str | None = None, exclude: str | None = None, **settings: Any) -> set[str]:
    """The queues of a worker of a host project with these settings, started with -Q or -X."""
    app = Celery("shop", broker="memory://", set_as_current=False)
    app.conf.update(settings)
    app.Worker(queues=queues, exclude_queues=exclude, quiet=True, pool="solo")
    return set(app.amqp.queues.consume_from)


def test_a_worker_without_options_consumes_the_hosts_queues_and_ours() -> None:
    assert consumed() == OURS | {"celery"}
    assert consumed(task_default_queue="shop") == OURS | {"shop"}
    assert consumed(task_queues={"mail": {}}) == OURS | {"mail"}


def test_a_worker_with_options_consumes_what_they_say() -> None:
    assert consumed("inbox") == {"inbox"}
    assert consumed(exclude="inbox") == OURS - {"inbox"} | {"celery"}
    assert consumed("celery") == {"celery"}


def test_a_queue_that_the_host_declares_itself_is_kept() -> None:
    assert consumed(task_queues={"inbox": {"routing_key": "own"}}) == OURS


@pytest.mark.parametrize("module", [couriers_tasks, webhooks_tasks])
def test_every_task_goes_to_one_of_our_queues_and_only_callbacks_to_the_inbox(module: Any) -> None:
    found = {task.name: task.our_queue for task in vars(module).values() if is_task(task)}
    assert found
    assert set(found.values()) <= OURS
    inbox = {name for name, queue in found.items() if queue == "inbox"}
    assert inbox == {name for name in found if name.startswith("webhooks.")}


def is_task(value: Any) -> bool:
    return hasattr(value, "apply_async") and isinstance(value, QueuedTask)


def test_beat_sends_each_task_to_its_own_queue() -> None:
    known = {**vars(couriers_tasks), **vars(webhooks_tasks)}
    queues = {task.name: task.our_queue for task in known.values() if is_task(task)}
    for entry in SHIPCROWD_BEAT_SCHEDULE.values():
        assert entry["options"]["queue"] == queues[entry["task"]]


def test_a_task_is_sent_to_its_queue_whatever_the_hosts_routes_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent: list[Any] = []
    app = couriers_tasks.run_bulk.app
    monkeypatch.setattr(app.conf, "task_default_queue", "elsewhere")
    monkeypatch.setattr(
        app.amqp, "send_task_message", lambda *args, **options: sent.append(options["queue"])
    )
    couriers_tasks.run_bulk.delay()
    couriers_tasks.run_bulk.apply_async(queue="by-hand")
    assert [getattr(queue, "name", queue) for queue in sent] == ["booking", "by-hand"]
