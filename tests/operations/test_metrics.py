"""GET /metrics: the same values from every process."""

from __future__ import annotations

import datetime as dt
import re
import time
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from couriers.booking.protocol import book
from couriers.contract.errors import Unknown
from couriers.models import Shipment
from couriers.operations import metrics
from couriers.resilience.circuit_breaker import CircuitBreaker
from tests.support.drafts import DRAFT, draft_with, raising
from tests.support.factories import CourierAccountFactory
from tests.support.hanging import relayed_postgresql
from tests.support.outages import out_of_connections
from tests.support.samples import sample_value

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.mark.django_db
def test_doubts_are_counted_with_the_age_of_the_oldest(
    client: Client, account: Any, toy: Any
) -> None:
    assert sample_value(_scrape(client), "shipcrowd_bookings_in_doubt", courier="toy") == 0
    toy.on_create = raising(Unknown("read time-out"))
    older = book(account.company, DRAFT).shipment
    book(account.company, draft_with(order_number="A-2"))
    an_hour_ago = timezone.now() - dt.timedelta(hours=1)
    Shipment.objects.filter(pk=older.pk).update(created_at=an_hour_ago)
    text = _scrape(client)
    assert sample_value(text, "shipcrowd_bookings_in_doubt", courier="toy") == 2
    age = sample_value(text, "shipcrowd_bookings_in_doubt_oldest_seconds", courier="toy")
    assert 3600 <= age < 3660


@pytest.mark.django_db
def test_an_open_circuit_is_shown_by_account(client: Client) -> None:
    account = CourierAccountFactory()
    assert sample_value(_scrape(client), "ekart_circuit_breaker_state", account=account.pk) == 0
    breaker = CircuitBreaker.of_account("ekart", account.pk)
    for _ in range(5):
        breaker.before_call()
        breaker.record_failure()
    assert sample_value(_scrape(client), "ekart_circuit_breaker_state", account=account.pk) == 1


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
def test_a_source_that_fails_hides_nothing_else(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> Any:
        raise ValueError("a fault")

    monkeypatch.setattr(metrics, "_sources", [broken, *metrics._sources])
    text = _scrape(client)
    assert sample_value(text, "shipcrowd_scrape_failures") == 1
    assert "ekart_api_calls_total" in text
    assert "shipcrowd_inbox_backlog" in text


@pytest.mark.own_session
@pytest.mark.django_db(transaction=True)
def test_without_postgresql_what_needs_none_is_shown(client: Client) -> None:
    assert sample_value(_scrape(client), "shipcrowd_database_up") == 1
    with out_of_connections():
        text = _scrape(client)
    assert "shipcrowd_database_up 0.0" in text
    assert sample_value(text, "shipcrowd_redis_up") == 1
    for name in ("ekart_api_calls_total", "shipcrowd_queue_depth", "shipcrowd_disk_free_ratio"):
        assert name in text
    for name in ("shipcrowd_inbox_backlog", "shipcrowd_bookings_in_doubt"):
        assert name not in text
    assert sample_value(text, "shipcrowd_scrape_failures") >= 8
    assert sample_value(_scrape(client), "shipcrowd_scrape_failures") == 0


@pytest.mark.django_db
@pytest.mark.usefixtures("redis_unavailable")
def test_without_redis_what_needs_none_is_shown(client: Client) -> None:
    CourierAccountFactory()
    text = _scrape(client)
    assert "shipcrowd_redis_up 0.0" in text
    assert sample_value(text, "shipcrowd_database_up") == 1
    for name in ("ekart_api_calls_total", "ekart_circuit_breaker_state", "shipcrowd_inbox_backlog"):
        assert name in text
    assert "shipcrowd_beat_age_seconds" not in text


@pytest.mark.django_db
def test_broken_files_of_counters_do_not_hide_the_gauges(
    client: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "counter_1.db").write_bytes(b"\xff\x00\x00\x00" + b"broken" * 20)
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    text = _scrape(client)
    assert sample_value(text, "shipcrowd_scrape_failures") == 1
    assert "shipcrowd_inbox_backlog" in text


@pytest.mark.django_db
def test_the_table_of_metrics_is_what_is_exported(client: Client) -> None:
    CourierAccountFactory()
    text = _scrape(client)
    exported = {
        name
        for name in re.findall(r"^# TYPE (\S+) ", text, re.MULTILINE)
        if name.startswith(("ekart_", "shipcrowd_")) and not name.endswith("_created")
    }
    rows = re.findall(r"^\| `(\w+)` \|([^|]*)\|", (DOCS / "metrics.md").read_text(), re.MULTILINE)
    listed = {name: set(re.findall(r"`(\w+)`", labels)) for name, labels in rows}
    # The certificate is measured where BASE_URL is https.
    assert set(listed) - exported == {"shipcrowd_certificate_expires_seconds"}
    assert exported - set(listed) == set()
    for sample, given in re.findall(r"^(\w+)\{(.*)\} ", text, re.MULTILINE):
        name = next(
            (n for n in (sample, re.sub("_(bucket|count|sum)$", "", sample)) if n in listed), ""
        )
        if name:
            assert set(re.findall(r'(\w+)="', given)) - {"le"} == listed[name], sample


def _scrape(client: Client) -> str:
    answer = client.get("/metrics")
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.django_db(transaction=True)
def test_a_postgresql_that_hangs_holds_no_scrape(client: Client) -> None:
    with relayed_postgresql() as relay:
        assert "shipcrowd_database_up 1.0" in _scrape(client)
        relay.freeze()
        started = time.monotonic()
        assert "shipcrowd_database_up 0.0" in _scrape(client)
        assert time.monotonic() - started < 5
