"""The metrics of the inbox: counters of callbacks, gauges of the table."""

from __future__ import annotations

import datetime as dt
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import prometheus_client
import pytest
from django.test import Client
from django.utils import timezone
from prometheus_client import CollectorRegistry

from couriers.models import Shipment
from tests.support.callbacks import send
from tests.support.samples import sample_value
from webhooks import metrics
from webhooks.models import WebhookEvent
from webhooks.processing import process_batch


def test_concurrent_first_callbacks_of_a_courier_create_one_counter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    registry = CollectorRegistry()

    def slow(*arguments: Any) -> Any:
        time.sleep(0.05)  # long enough for the other threads to find no counter either
        return prometheus_client.Counter(*arguments, registry=registry)

    monkeypatch.setattr(metrics, "Counter", slow)
    monkeypatch.setattr(metrics, "_event_counters", {})
    with ThreadPoolExecutor(4) as pool:
        counters = list(pool.map(metrics.event_counter, ["newcourier"] * 4))
    assert len(set(counters)) == 1


@pytest.mark.django_db
@pytest.mark.usefixtures("no_dispatch")
def test_the_inbox_is_measured_at_each_scrape(
    client: Client, account: Any, shipment: Shipment
) -> None:
    def scrape(name: str) -> float:
        return sample_value(client.get("/metrics").content.decode(), name)

    for hour in range(3):
        send(account, {"id": shipment.tracking_id, "status": "in_transit", "hour": hour})
    send(account, {"order": "no id"})
    WebhookEvent.objects.update(next_attempt_at=timezone.now() - dt.timedelta(seconds=90))
    assert scrape("shipcrowd_inbox_backlog") == 4
    assert 89 < scrape("shipcrowd_inbox_oldest_due_seconds") < 120
    processed = sample_value(client.get("/metrics").content.decode(), "toy_webhook_events_total",
                      topic="track_updated", status="processed")  # fmt: skip
    applied = scrape("shipcrowd_webhook_applied_seconds_count")
    process_batch()
    assert scrape("shipcrowd_inbox_backlog") == 0
    assert scrape("shipcrowd_inbox_oldest_due_seconds") == 0
    assert scrape("shipcrowd_inbox_dead_letters") == 1
    assert scrape("shipcrowd_webhook_applied_seconds_count") == applied + 3
    after = client.get("/metrics").content.decode()
    assert sample_value(
        after, "toy_webhook_events_total", topic="track_updated", status="processed"
    ) == (processed + 3)
    assert sample_value(after, "toy_webhook_events_total", status="received_pending") >= 4
