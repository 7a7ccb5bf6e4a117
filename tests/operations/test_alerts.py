"""The alerts that fire: beat reads them from a Prometheus into Redis, and pages take them there."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from couriers.operations import alerts
from couriers.resilience.shared import with_redis
from couriers.tasks import read_alerts
from tests.support.today import rows_at, tiles_of

FIRES = {
    "labels": {"alertname": "InboxBehind", "severity": "critical"},
    "annotations": {"summary": "Callbacks wait", "runbook_url": "https://docs.example/#inboxbehind"},
    "state": "firing",
    "activeAt": "2026-11-29T10:00:00Z",
}  # fmt: skip
PENDING = FIRES | {"state": "pending"}
ODD = {"labels": {"alertname": "Odd"}, "annotations": {"runbook_url": "javascript:alert(1)"},
       "state": "firing"}  # fmt: skip


class OwnPrometheus:
    """Answers /api/v1/alerts with `answer`, after `delay` seconds."""

    def __init__(self) -> None:
        self.answer: Any = {"status": "success", "data": {"alerts": [FIRES, PENDING, ODD]}}
        self.status, self.delay = 200, 0.0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                time.sleep(outer.delay)
                found = outer.status if self.path == "/prom/api/v1/alerts" else 404
                body = json.dumps(outer.answer).encode()
                self.send_response(found)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/prom"


@pytest.fixture
def prometheus(settings: Any) -> Iterator[OwnPrometheus]:
    own = OwnPrometheus()
    settings.SHIPCROWD = {**settings.SHIPCROWD, "PROMETHEUS_URL": own.url}
    threading.Thread(target=own.server.serve_forever, args=(0.02,), daemon=True).start()
    yield own
    own.server.shutdown()
    own.server.server_close()


@pytest.fixture
def boss(client: Client, db: None) -> Client:
    client.force_login(get_user_model().objects.create_superuser("boss"))
    return client


def test_alerts_that_fire_are_on_the_tile_and_in_its_list(
    prometheus: OwnPrometheus, boss: Client
) -> None:
    assert tiles_of(boss)["alerts"].state == "unknown"
    read_alerts()
    tile = tiles_of(boss)["alerts"]
    assert (tile.number, tile.state) == (2, "bad")
    assert rows_at(boss, tile.url) == 2
    page = boss.get(tile.url).content.decode()
    assert "InboxBehind" in page
    assert 'href="https://docs.example/#inboxbehind"' in page
    assert "javascript:alert" not in page
    prometheus.answer = {"data": {"alerts": [PENDING]}}
    read_alerts()
    tile = tiles_of(boss)["alerts"]
    assert (tile.number, tile.state) == (0, "good")
    assert "No alert fires." in boss.get(tile.url).content.decode()


@pytest.mark.parametrize(
    ("status", "answer"),
    [(500, {}), (302, {}), (200, []), (200, {"data": {"alerts": "x"}}), (200, "x" * 1_000_100)],
)
def test_an_answer_that_is_none_leaves_what_was_known_until_it_is_old(
    prometheus: OwnPrometheus, status: int, answer: Any
) -> None:
    assert alerts.refresh() == 2
    prometheus.status, prometheus.answer = status, answer
    assert alerts.refresh() is None
    assert len(alerts.firing() or []) == 2
    ttl: Any = with_redis(lambda redis: redis.ttl(alerts.KEPT))
    assert 0 < ttl <= alerts.FRESH


def test_a_prometheus_that_hangs_is_waited_for_by_beat_alone_and_a_second(
    prometheus: OwnPrometheus, boss: Client
) -> None:
    prometheus.delay = 3
    started = time.monotonic()
    assert alerts.refresh() is None
    assert time.monotonic() - started < 2.5
    assert tiles_of(boss)["alerts"].state == "unknown"


def test_without_a_prometheus_the_tile_says_so_and_shows_no_number(boss: Client) -> None:
    assert alerts.refresh() is None
    tile = tiles_of(boss)["alerts"]
    assert (tile.number, tile.state) == (None, "not configured")
    assert "Set PROMETHEUS_URL" in boss.get(tile.url).content.decode()
