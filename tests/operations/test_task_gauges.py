"""The gauges of queues, of beat and of the machine."""

from __future__ import annotations

import datetime as dt
import os
import socket
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django_redis import get_redis_connection
from kombu.exceptions import OperationalError as BrokerUnavailable

from couriers import tasks
from couriers.conf import SENT_AT
from couriers.operations import machine_gauges, task_gauges
from couriers.resilience import broker
from tests.support.samples import sample_value
from tests.support.tls import server_context

pytestmark = pytest.mark.django_db


def scrape(name: str, **labels: str) -> float:
    return sample_value(Client().get("/metrics").content.decode(), name, **labels)


def test_the_tasks_that_wait_are_counted_by_queue_with_the_age_of_the_oldest() -> None:
    for queue in ("booking", "default", "inbox", "outbox", "tracking"):
        assert scrape("shipcrowd_queue_depth", queue=queue) == 0
        assert scrape("shipcrowd_queue_oldest_seconds", queue=queue) == 0
    broker.send(tasks.sync_tracking, headers={SENT_AT: time.time() - 90})
    broker.send(tasks.sync_tracking)
    broker.send(tasks.fetch_documents)
    assert scrape("shipcrowd_queue_depth", queue="tracking") == 2
    assert scrape("shipcrowd_queue_depth", queue="default") == 1
    assert scrape("shipcrowd_queue_depth", queue="booking") == 0
    assert 90 <= scrape("shipcrowd_queue_oldest_seconds", queue="tracking") < 120
    assert 0 < scrape("shipcrowd_queue_oldest_seconds", queue="default") < 30


def test_a_message_of_another_program_has_no_age() -> None:
    get_redis_connection("default").lpush("shipcrowd:default", b"not ours")
    assert scrape("shipcrowd_queue_depth", queue="default") == 1
    assert scrape("shipcrowd_queue_oldest_seconds", queue="default") == 0


def test_a_broker_that_is_away_hides_the_queues_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_: Any) -> Any:
        raise BrokerUnavailable("away")

    monkeypatch.setattr(broker, "waiting", away)
    text = Client().get("/metrics").content.decode()
    assert "shipcrowd_queue_depth" not in text
    assert sample_value(text, "shipcrowd_scrape_failures") == 1
    assert "shipcrowd_inbox_backlog" in text


def test_a_beat_that_never_ran_counts_from_the_first_scrape() -> None:
    redis = get_redis_connection("default")
    assert scrape("shipcrowd_beat_age_seconds") < 10
    redis.set(task_gauges.FIRST_SCRAPE, time.time() - 500)
    assert 500 <= scrape("shipcrowd_beat_age_seconds") < 520
    redis.set(task_gauges.RAN, time.time() - 40)
    assert 40 <= scrape("shipcrowd_beat_age_seconds") < 60


def test_the_disks_are_measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(
        machine_gauges,
        "_folders",
        lambda: {"media": str(tmp_path), "metrics": str(tmp_path / "not there")},
    )
    text = Client().get("/metrics").content.decode()
    usage = os.statvfs(tmp_path)
    free = usage.f_bavail / usage.f_blocks
    assert sample_value(text, "shipcrowd_disk_free_ratio", folder="media") == pytest.approx(
        free, abs=0.1
    )
    assert 'folder="metrics"' not in text


def test_the_certificate_of_the_public_address_is_measured(settings: Any, tmp_path: Path) -> None:
    context = server_context(tmp_path, "localhost", ends_in=dt.timedelta(days=10))
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_shake_hands, args=(server, context), daemon=True).start()
        port = server.getsockname()[1]
        settings.SHIPCROWD = settings.SHIPCROWD | {"BASE_URL": f"https://localhost:{port}"}
        left = scrape("shipcrowd_certificate_expires_seconds", host="localhost")
    assert left == pytest.approx(10 * 86400, abs=120)
    assert scrape("shipcrowd_certificate_expires_seconds") > 0  # asked again after a while alone


def test_no_certificate_is_measured_where_there_is_none(settings: Any) -> None:
    for url in ("http://127.0.0.1:8000", "https://localhost:9"):
        settings.SHIPCROWD = settings.SHIPCROWD | {"BASE_URL": url}
        text = Client().get("/metrics").content.decode()
        assert "shipcrowd_certificate_expires_seconds" not in text
        assert sample_value(text, "shipcrowd_scrape_failures") == 0


def _shake_hands(server: socket.socket, context: Any) -> None:
    plain, _ = server.accept()
    with context.wrap_socket(plain, server_side=True):
        pass
