"""GET /readyz names what is down and what is degraded, each on a real server."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client

from couriers.operations import health
from couriers.resilience.hanging_database import answered_within
from shipcrowd.celery import app
from shipcrowd.embedded.processes import free_port
from tests.support.hanging import Relay, relayed_postgresql
from tests.support.log_lines import Lines
from tests.support.outages import outage

pytestmark = pytest.mark.django_db(transaction=True)

OK = {"status": "ok"}
GONE = {"status": "unavailable", "down": ["postgresql"], "reason": "no answer"}
LONGEST = health.ANSWER_WITHIN + 1  # seconds, on a busy machine


def probe(client: Client) -> tuple[int, Any]:
    health.forget_checks()
    answer = client.get("/readyz")
    return answer.status_code, answer.json()


def test_new_connections_that_are_refused_are_told_though_the_kept_one_works(
    client: Client,
) -> None:
    assert probe(client) == (200, OK)
    with mock.patch.dict(connection.settings_dict, PORT="1"):
        assert probe(client) == (
            200, {"status": "degraded", "degraded": ["postgresql"], "reason": "no answer"},
        )  # fmt: skip
    assert probe(client) == (200, OK)


def test_a_new_connection_is_tried_once_in_some_seconds_and_closed(client: Client) -> None:
    def sessions() -> int:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            )
            return int(cursor.fetchone()[0])

    before = sessions()
    with mock.patch.object(BaseDatabaseWrapper, "connect", autospec=True) as connect:
        health.forget_checks()
        for _ in range(3):
            client.get("/readyz")
        assert connect.call_count == 1
    assert sessions() == before


def test_a_migration_that_is_not_applied_is_down_and_its_name_is_logged(
    client: Client, lines: Lines
) -> None:
    recorder = MigrationRecorder(connection)
    recorder.record_unapplied("shipcrowd_webhooks", "0003_request_ids")
    try:
        assert probe(client) == (503, {"status": "unavailable", "down": ["migrations"]})
    finally:
        recorder.record_applied("shipcrowd_webhooks", "0003_request_ids")
    (line,) = lines.of("migrations_not_applied")
    assert line["missing"] == ["shipcrowd_webhooks.0003_request_ids"]
    assert probe(client) == (200, OK)


def test_what_is_down_is_logged_once_a_minute_however_often_it_is_asked(
    client: Client, lines: Lines, monkeypatch: Any
) -> None:
    def asked() -> None:
        with outage("gone"):
            assert client.get("/readyz").status_code == 503

    for _ in range(3):
        asked()
    assert [line["event"] for line in lines if line["level"] == "error"] == [
        "new_connections_refused", "not_ready",
    ]  # fmt: skip
    monkeypatch.setattr(health, "QUIET", 0.0)
    asked()
    assert [line["count"] for line in lines.of("not_ready")] == [1, 3]
    assert (lines[-1]["missing"], lines[-1]["reason"]) == (["postgresql"], "no answer")


def test_a_migration_of_another_app_or_of_a_later_version_changes_nothing(client: Client) -> None:
    recorder = MigrationRecorder(connection)
    recorder.record_unapplied("sessions", "0001_initial")
    recorder.record_applied("shipcrowd_couriers", "9999_of_a_later_version")
    try:
        assert probe(client) == (200, OK)
    finally:
        recorder.record_applied("sessions", "0001_initial")
        recorder.record_unapplied("shipcrowd_couriers", "9999_of_a_later_version")


def test_a_broker_that_is_away_is_degraded(client: Client, monkeypatch: Any) -> None:
    monkeypatch.setattr(app.conf, "broker_write_url", f"redis://127.0.0.1:{free_port()}/0")
    assert probe(client) == (200, {"status": "degraded", "down": ["broker"]})


def test_all_that_is_degraded_is_named_at_once(
    client: Client, redis_unavailable: None, monkeypatch: Any
) -> None:
    monkeypatch.setattr(app.conf, "broker_write_url", f"redis://127.0.0.1:{free_port()}/0")
    connection.ensure_connection()
    with mock.patch.dict(connection.settings_dict, PORT="1"):
        assert probe(client) == (200, {
            "status": "degraded", "down": ["redis", "broker"], "degraded": ["postgresql"],
            "reason": "no answer",
        })  # fmt: skip


@pytest.fixture
def relay() -> Iterator[Relay]:
    with relayed_postgresql() as relay:
        yield relay


@pytest.mark.parametrize("is_checked", [False, True], ids=["health check", "statement"])
def test_a_postgresql_that_hangs_is_told_in_time_on_a_kept_connection(
    client: Client, relay: Relay, is_checked: bool
) -> None:
    assert probe(client) == (200, OK)
    # Django asks a kept connection whether it works before the first statement of a request.
    connection.health_check_done = is_checked
    relay.freeze()
    started = time.monotonic()
    assert probe(client) == (503, GONE)
    assert time.monotonic() - started < LONGEST
    relay.thaw()
    assert probe(client) == (200, OK)


def test_a_postgresql_that_hangs_is_told_in_time_without_a_connection(
    client: Client, relay: Relay
) -> None:
    relay.freeze()
    started = time.monotonic()
    assert probe(client) == (503, GONE)
    assert time.monotonic() - started < LONGEST


def test_a_thread_that_has_a_connection_is_ready_while_new_ones_hang(
    client: Client, relay: Relay
) -> None:
    relay.freeze()
    with mock.patch.dict(connection.settings_dict, PORT=str(relay.server[1])):
        connection.ensure_connection()
    started = time.monotonic()
    assert probe(client) == (
        200, {"status": "degraded", "degraded": ["postgresql"], "reason": "no answer"},
    )  # fmt: skip
    assert time.monotonic() - started < LONGEST


def test_the_end_of_a_wait_shuts_no_file_that_got_the_number_of_the_connections(db: None) -> None:
    connection.ensure_connection()
    number = connection.connection.fileno()
    ours, theirs = socket.socketpair()
    with ours, theirs:
        with answered_within(0.05):
            connection.close()
            os.dup2(ours.fileno(), number)
            time.sleep(0.2)
        os.close(number)
        theirs.send(b"x")
        assert ours.recv(1) == b"x"


def test_the_process_alone_is_asked_by_healthz(client: Client, redis_unavailable: None) -> None:
    with outage("gone"):
        answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, OK)
