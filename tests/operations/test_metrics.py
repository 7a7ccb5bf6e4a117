"""GET /metrics: the same values from every process."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError
from django.test import Client

from couriers.booking.protocol import book
from couriers.contract.errors import Unknown
from couriers.operations import metrics
from couriers.resilience.circuit_breaker import CircuitBreaker
from sandbox.process import SandboxProcess
from shipcrowd.embedded.processes import wait_until
from shipcrowd.multiprocess import remove_stale_files
from shipcrowd.stack import Stack
from tests.chaos.storefront import booking_request
from tests.support.drafts import DRAFT, raising
from tests.support.factories import CourierAccountFactory, WarehouseFactory, make_api_key
from tests.support.nginx import needs_nginx
from tests.support.samples import sample_value
from tests.support.worker import own_servers


@pytest.mark.django_db
def test_doubts_are_counted_with_the_age_of_the_oldest(
    client: Client, account: Any, toy: Any
) -> None:
    assert sample_value(_scrape(client), "shipcrowd_bookings_in_doubt", courier="toy") == 0
    toy.on_create = raising(Unknown("read time-out"))
    book(account.company, DRAFT)
    text = _scrape(client)
    assert sample_value(text, "shipcrowd_bookings_in_doubt", courier="toy") == 1
    assert 0 < sample_value(text, "shipcrowd_bookings_in_doubt_oldest_seconds", courier="toy") < 60


@pytest.mark.django_db
def test_an_open_circuit_is_shown_by_account(client: Client) -> None:
    account = CourierAccountFactory()
    assert sample_value(_scrape(client), "ekart_circuit_breaker_state", account=account.pk) == 0
    breaker = CircuitBreaker.of_account("ekart", account.pk)
    for _ in range(5):
        breaker.before_call()
        breaker.record_failure()
    assert sample_value(_scrape(client), "ekart_circuit_breaker_state", account=account.pk) == 2


@pytest.mark.django_db
@pytest.mark.parametrize(
    "given",
    [None, "", "Bearer", "Bearer ", "Bearer another", "Basic a-token", "a-token", "Bearer é"],
)
def test_metrics_need_the_token_where_one_is_set(
    client: Client, settings: Any, given: str | None
) -> None:
    account = CourierAccountFactory()
    settings.SHIPCROWD = settings.SHIPCROWD | {"METRICS_TOKEN": "a-token"}
    refused = client.get("/metrics", headers={} if given is None else {"Authorization": given})
    assert (refused.status_code, refused["WWW-Authenticate"]) == (401, "Bearer")
    assert refused.content == b""
    allowed = client.get("/metrics", headers={"Authorization": "Bearer a-token"})
    assert allowed.status_code == 200
    assert account.pk in allowed.content.decode()


@pytest.mark.django_db
def test_metrics_without_a_token_are_open_in_development_alone(
    client: Client, settings: Any
) -> None:
    own = settings.SHIPCROWD
    for development, debug, status in (
        (False, False, 401), (True, False, 200), (False, True, 200),
    ):  # fmt: skip
        settings.DEBUG = debug
        settings.SHIPCROWD = own | {"METRICS_TOKEN": "", "DEVELOPMENT": development}
        for given in ({}, {"Authorization": "Bearer "}, {"Authorization": "Bearer"}):
            answer = client.get("/metrics", headers=given)
            assert answer.status_code == status, (development, debug, given)
            assert bool(answer.content) == (status == 200)


@pytest.mark.django_db
@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_a_database_that_is_away_does_not_hide_the_counters(
    client: Client, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def away() -> Any:
        raise error("away")

    monkeypatch.setattr(metrics, "_sources", [away])
    text = _scrape(client)
    assert sample_value(text, "shipcrowd_scrape_failures") == 1
    assert "ekart_api_calls" in text


def _scrape(client: Client) -> str:
    answer = client.get("/metrics")
    assert answer.status_code == 200
    return answer.content.decode()


@needs_nginx
@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_the_counters_of_all_processes_are_added_up() -> None:
    with SandboxProcess("ekart", "--hold") as sandbox, Stack(own_servers(), {}) as stack:
        account = CourierAccountFactory(
            base_url=sandbox.url, limits={"create_shipment": {"count": 500, "window": 1}}
        )
        WarehouseFactory(company=account.company)
        key = make_api_key(account.company)
        stack.start_web()
        stack.start_worker(concurrency=2, pool="prefork")
        stack.start_beat()
        stack.wait_until_ready()
        stack.run_command("register_webhooks", "ekart", "--company", account.company.slug)
        for number in range(30):
            answer = stack.request(
                "POST", "/api/v1/shipments/", booking_request("ekart", f"A-{number}"), key=key
            )
            assert answer.status == 201
        assert wait_until(lambda: _applied(stack) == 30, 20)
        assert stack.request("GET", "/metrics").status == 404  # nginx keeps it inside
        texts = [stack.metrics() for _ in range(6)]
    for text in texts:
        calls = {"operation": "create_shipment", "outcome": "ok", "status_code": "200"}
        assert sample_value(text, "ekart_api_calls_total", **calls) == 30
        assert (
            sample_value(text, "ekart_api_latency_seconds_count", operation="create_shipment") == 30
        )
        assert sample_value(text, "ekart_auth_refreshes_total", success="true") >= 1
        assert sample_value(text, "shipcrowd_bookings_in_doubt", courier="ekart") == 0
        for status in ("received_pending", "processed"):
            created = {"topic": "shipment_created", "status": status}
            assert sample_value(text, "ekart_webhook_events_total", **created) == 30
        assert sample_value(text, "shipcrowd_inbox_backlog") == 0


def _applied(stack: Stack) -> float:
    """How many callbacks the workers have applied, from a web process's metrics."""
    return sample_value(stack.metrics(), "shipcrowd_webhook_applied_seconds_count")


def test_the_metric_files_of_dead_processes_are_removed_at_the_start(tmp_path: Path) -> None:
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    for pid in (os.getpid(), done.pid):
        (tmp_path / f"counter_{pid}.db").touch()
    assert remove_stale_files(tmp_path) == 1
    assert [file.name for file in tmp_path.iterdir()] == [f"counter_{os.getpid()}.db"]


def test_the_docker_image_has_the_settings_of_gunicorn() -> None:
    root = Path(__file__).resolve().parents[2]
    copied = re.findall(r"^COPY (.+) \S+$", (root / "Dockerfile").read_text(), re.MULTILINE)
    assert "gunicorn.conf.py" in " ".join(copied).split()
    assert (root / "gunicorn.conf.py").is_file()
