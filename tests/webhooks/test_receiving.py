"""Receiving a callback: one statement, before other middlewares, without waiting for the broker."""

from __future__ import annotations

import tempfile
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django_redis import get_redis_connection
from kombu.exceptions import OperationalError as BrokerUnavailable

from couriers.conf import SWEEP_EXPIRES
from couriers.models import Shipment
from couriers.resilience import once
from shipcrowd.embedded.processes import wait_until
from tests.support.callbacks import SECRET, callback_path, other_connection, send
from webhooks import dispatch, metrics, tasks
from webhooks.models import WebhookEvent
from webhooks.processing import BatchResult

INBOX = "webhooks.middleware.InboxMiddleware"


def failing_middleware(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[..., HttpResponse]:
    """A middleware that must not be reached."""

    def middleware(request: HttpRequest) -> HttpResponse:
        raise AssertionError("a middleware saw a callback")

    return middleware


@pytest.mark.django_db
@pytest.mark.usefixtures("no_dispatch")
def test_callbacks_pass_no_other_middleware(
    account: Any, shipment: Shipment, settings: Any
) -> None:
    inbox, *others = settings.MIDDLEWARE
    assert inbox == INBOX
    failing = "tests.webhooks.test_receiving.failing_middleware"
    settings.MIDDLEWARE = [inbox, failing, *others]
    strict = Client(enforce_csrf_checks=True)
    answer = strict.post(
        callback_path(account),
        {"id": "T"},
        "application/json",
        headers={"x-toy-secret": SECRET},
    )
    assert (answer.status_code, dict(answer.cookies)) == (200, {})


@pytest.mark.django_db
@pytest.mark.usefixtures("no_dispatch")
def test_callbacks_are_stored_without_the_middleware(
    account: Any, shipment: Shipment, settings: Any
) -> None:
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if name != INBOX]
    assert send(account, {"id": "T", "status": "lost", "hour": 1}).status_code == 200


@pytest.mark.own_session
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("no_dispatch")
def test_a_callback_is_one_commit_and_no_health_check(account: Any, shipment: Shipment) -> None:
    send(account, {"id": "T", "n": -1})
    wire = connection.connection.pgconn
    with tempfile.TemporaryFile("w+") as trace:
        wire.trace(trace.fileno())
        for number in range(50):
            # What Django does at the start of a request with a kept connection.
            connection.close_if_unusable_or_obsolete()
            send(account, {"id": "T", "n": number})
        wire.untrace()
        trace.seek(0)
        # A line holds the direction, the length, the kind of message and its content. The lines
        # that continue a statement do not.
        messages = [line.rstrip().split("\t")[1:] for line in trace]
    sent = Counter(words[2] for words in messages if words[:1] == ["F"])
    assert (sent["Execute"], sent["Parse"], sent["Query"]) == (50, 0, 0)
    # Every statement was a commit of its own in autocommit: no transaction was ever open.
    assert [words[3] for words in messages if words[2:3] == ["ReadyForQuery"]] == [" I"] * 50


@pytest.mark.own_session
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("no_dispatch")
def test_a_callback_is_stored_when_the_kept_connection_has_broken(
    account: Any, shipment: Shipment
) -> None:
    send(account, {"id": "T", "n": 1})
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    with other_connection() as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    connection.close_if_unusable_or_obsolete()
    assert send(account, {"id": "T", "n": 2}).status_code == 200
    assert WebhookEvent.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_the_task_is_sent_only_after_the_row_is_committed(
    account: Any, shipment: Shipment, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = []

    def count_rows() -> None:
        with other_connection() as other:
            rows = other.execute("SELECT count(*) FROM shipcrowd_webhooks_webhookevent")
            counts.append(rows.fetchone())

    monkeypatch.setattr("webhooks.views.request_processing", count_rows)
    send(account, {"id": "T", "n": 1})
    assert counts == [(1,)]


@pytest.mark.django_db
def test_a_broker_that_is_down_does_not_fail_the_request(
    account: Any, shipment: Shipment, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = threading.Event()

    def away(**_: Any) -> None:
        tried.set()
        raise BrokerUnavailable("away")

    monkeypatch.setattr(tasks.process_inbox, "apply_async", away)
    monkeypatch.setattr(dispatch, "FAILURE_PAUSE", 0.0)
    before = metrics.DISPATCH_FAILURES._value.get()
    assert send(account, {"id": "T", "n": 1}).status_code == 200
    assert tried.wait(10)
    assert send(account, {"id": "T", "n": 2}).status_code == 200
    assert wait_until(lambda: metrics.DISPATCH_FAILURES._value.get() > before, 10)


@pytest.mark.django_db
def test_one_task_is_queued_at_a_time_and_another_once_a_worker_has_started_it(
    account: Any, shipment: Shipment, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[Any] = []
    monkeypatch.setattr(tasks.process_inbox, "apply_async", lambda **more: sent.append(more))
    once.release(tasks.QUEUED)
    for _ in range(3):
        dispatch._send_task()
    assert [(task["expires"], task["retry"]) for task in sent] == [(SWEEP_EXPIRES, False)]
    # The key of a task that got lost expires, so that another is sent.
    assert 0 < get_redis_connection("default").ttl("shipcrowd:queued:inbox") <= 60

    def callback_arrives_meanwhile() -> BatchResult:
        dispatch._send_task()
        return BatchResult()

    monkeypatch.setattr(tasks, "process_batch", callback_arrives_meanwhile)
    for start in (tasks.process_inbox, tasks.sweep_inbox):
        sent.clear()
        start()
        assert len(sent) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("no_dispatch")
def test_a_repeat_does_not_wait_for_the_worker_that_has_locked_its_event(
    account: Any, shipment: Shipment
) -> None:
    body = {"id": shipment.tracking_id, "status": "in_transit", "hour": 1}
    send(account, body)
    WebhookEvent.objects.update(state="failed")
    with other_connection() as worker, worker.transaction():
        # If the repeat waited for the lock, it would fail after two seconds and not hang.
        worker.execute("SET LOCAL idle_in_transaction_session_timeout = '2s'")
        worker.execute(f"SELECT FROM {WebhookEvent._meta.db_table} FOR UPDATE")
        assert send(account, body).status_code == 200
        assert WebhookEvent.objects.get().state == "failed"
    assert send(account, body).status_code == 200
    assert WebhookEvent.objects.get().state == "pending"
