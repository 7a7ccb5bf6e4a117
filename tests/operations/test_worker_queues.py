"""The queues of the tasks, and which of them a worker consumes in any project."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from celery import current_app
from kombu import Queue

from couriers import tasks as couriers_tasks
from couriers.conf import SHIPCROWD_BEAT_SCHEDULE, QueuedTask
from couriers.operations.celery_checks import check_celery
from webhooks import tasks as webhooks_tasks

ROOT = Path(__file__).resolve().parents[2]
OURS = {"inbox", "booking", "tracking", "outbox", "default"}
# Each with settings of a host project, -Q and -X, and the queues that its worker consumes.
CASES: list[tuple[dict[str, Any], str | None, str | None, set[str]]] = [
    ({}, None, None, OURS | {"celery"}),
    ({"task_default_queue": "shop"}, None, None, OURS | {"shop"}),
    ({"task_queues": {"mail": {}}}, None, None, OURS | {"mail"}),
    ({"task_queues": {"inbox": {"routing_key": "own"}}}, None, None, OURS),
    ({}, "inbox", None, {"inbox"}),
    ({}, "celery", None, {"celery"}),
    ({}, None, "inbox", OURS - {"inbox"} | {"celery"}),
]
ENVIRONMENT = {
    "DJANGO_SETTINGS_MODULE": "shipcrowd.settings", "SECRET_KEY": "x", "FERNET_KEYS": "x",
    "DATABASE_URL": "postgres://nobody@127.0.0.1:1/x", "REDIS_URL": "redis://127.0.0.1:1",
}  # fmt: skip
# A worker changes its whole process, so these are in one of their own.
SCRIPT = """
import json, sys
import django
from celery import Celery
django.setup()
found = []
for settings, queues, exclude in json.load(sys.stdin):
    app = Celery("shop", broker="memory://")
    app.conf.update(settings)
    app.Worker(queues=queues, exclude_queues=exclude, quiet=True, pool="solo")
    found.append(sorted(app.amqp.queues.consume_from))
print(json.dumps(found))
"""


def test_a_worker_without_options_consumes_the_hosts_queues_and_ours() -> None:
    """With -Q or -X it consumes what they say."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCRIPT],
        input=json.dumps([case[:3] for case in CASES]),
        capture_output=True,
        text=True,
        env=os.environ | ENVIRONMENT,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    assert [set(found) for found in json.loads(done.stdout)] == [case[3] for case in CASES]


@pytest.mark.parametrize("module", [couriers_tasks, webhooks_tasks])
def test_every_task_goes_to_one_of_our_queues_and_only_callbacks_to_the_inbox(module: Any) -> None:
    found = {task.name: task.our_queue for task in vars(module).values() if is_task(task)}
    assert found
    assert set(found.values()) <= OURS
    inbox = {name for name, queue in found.items() if queue == "inbox"}
    assert inbox == {name for name in found if name.endswith("_inbox")}


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


def test_queues_that_may_not_be_created_are_named_by_a_check(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    conf = current_app.conf
    assert check_celery(None) == []
    monkeypatch.setattr(conf, "task_create_missing_queues", False)
    monkeypatch.setattr(conf, "task_queues", [Queue("inbox"), Queue("booking")])
    (found,) = check_celery(None)
    assert found.id == "couriers.W022"
    assert "tracking, outbox, default" in found.msg
    monkeypatch.setattr(conf, "task_queues", {name: {} for name in OURS})
    assert check_celery(None) == []
