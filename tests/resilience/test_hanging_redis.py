"""A Valkey that hangs costs one caller half a second; the others and the next ones nothing."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import caches
from django.test import Client

from couriers.models import BulkJob, Shipment
from couriers.operations import health
from couriers.resilience import broker, shared
from couriers.resilience.shared import RedisUnavailable, with_redis
from couriers.tasks import make_manifest
from tests.support.hanging import OwnValkey, own_valkey
from tests.support.threads import run_at_once

pytestmark = pytest.mark.django_db(transaction=True)

ONE_TIME_OUT = 0.5  # seconds


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[OwnValkey]:
    with own_valkey(tmp_path) as valkey:
        with_redis(lambda redis: redis.ping())
        yield valkey
        caches["default"].close()


@pytest.fixture
def frozen(valkey: OwnValkey) -> Iterator[OwnValkey]:
    valkey.freeze()
    yield valkey
    valkey.thaw()


def seconds(work: Callable[[], Any]) -> float:
    started = time.monotonic()
    work()
    return time.monotonic() - started


def answers() -> bool:
    try:
        return bool(with_redis(lambda redis: redis.ping()))
    except RedisUnavailable:
        return False


def test_one_caller_waits_half_a_second_and_the_next_ones_do_not(frozen: OwnValkey) -> None:
    assert ONE_TIME_OUT * 0.9 < seconds(answers) < ONE_TIME_OUT * 2
    assert seconds(lambda: [answers() for _ in range(100)]) < 0.2


def test_it_is_used_again_within_seconds(frozen: OwnValkey, monkeypatch: Any) -> None:
    monkeypatch.setattr(shared._memory, "_pause", 0.2)
    assert not answers()
    frozen.thaw()
    time.sleep(0.25)
    assert answers()


def test_while_it_hangs_one_caller_in_a_pause_finds_out(
    frozen: OwnValkey, monkeypatch: Any
) -> None:
    monkeypatch.setattr(shared._memory, "_pause", 0.3)
    answers()
    time.sleep(0.35)
    waits = run_at_once(lambda: seconds(answers), 8)
    assert sum(wait > ONE_TIME_OUT / 2 for wait in waits) == 1


def test_a_booking_a_page_and_the_probe_wait_once_together(
    storefront: Client, client: Client, account: Any, order: Any, valkey: OwnValkey
) -> None:
    def use(number: str, down: list[str] | None = None) -> None:
        given = order | {"order_number": number}
        answer = storefront.post("/api/v1/shipments/", given, "application/json")
        assert answer.status_code == 201
        shipment = answer.json()["id"]
        assert storefront.post(f"/api/v1/shipments/{shipment}/track/").status_code == 200
        assert client.get(f"/track/{shipment}/").status_code == 200
        assert client.get("/metrics").status_code == 200
        assert client.get("/readyz").json().get("down") == down

    use("A-1")
    work = seconds(lambda: use("A-2"))
    valkey.freeze()
    health.forget_checks()
    waits = seconds(lambda: use("A-3", ["redis", "broker"])) - work
    # The booking waits for Redis, the metrics for the broker; the probe tries, whatever they found.
    assert 2.5 * ONE_TIME_OUT < waits < 3.5 * ONE_TIME_OUT
    assert not Shipment.objects.filter(status="in_doubt").exists()


def test_a_bulk_request_answers_within_a_second_and_its_job_is_swept(
    storefront: Client, account: Any, order: Any, frozen: OwnValkey
) -> None:
    def post(number: str) -> None:
        body = json.dumps({"orders": [order | {"order_number": number}]})
        answer = storefront.post("/api/v1/shipments/bulk/", body, "application/json")
        assert answer.status_code == 202

    assert seconds(lambda: post("A-1")) < 1.5
    assert seconds(lambda: post("A-2")) < 0.4
    assert BulkJob.objects.filter(state="pending").count() == 2


def test_a_task_is_sent_again_once_the_broker_answers(valkey: OwnValkey, monkeypatch: Any) -> None:
    monkeypatch.setattr(broker._memory, "_pause", 0.2)
    broker.send(make_manifest, ("before",))
    valkey.freeze()
    for _ in range(2):
        with pytest.raises(broker.BrokerUnavailable):
            broker.send(make_manifest, ("lost",))
    valkey.thaw()
    time.sleep(0.25)
    broker.send(make_manifest, ("after",))
