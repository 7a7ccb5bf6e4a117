"""Retention: expired rows are deleted without waiting for locks."""

from __future__ import annotations

import datetime as dt
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from couriers import tasks
from couriers.models import (
    CourierCall,
    DoubtInquiry,
    IdempotencyKey,
    OperatorJob,
    OperatorJobItem,
    Shipment,
)
from couriers.operations import retention
from tests.support.commands import run_json
from tests.support.factories import ShipmentFactory, make_staff
from webhooks.models import WebhookEvent

OLD = timezone.now() - dt.timedelta(days=91)
NOTHING = {
    "previous_webhook_secrets": 0, "idempotency_keys": 0, "courier_calls": 0, "consignees": 0,
    "bulk_orders": 0, "webhook_events": 0, "doubt_inquiries": 0, "warehouse_pickups": 0,
    "operator_jobs": 0, "test_shipments": 0, "test_jobs": 0, "test_manifests": 0,
    "events": 0, "label_jobs": 0,
}  # fmt: skip


def key(shipment: Shipment, name: str, age: int) -> None:
    made = IdempotencyKey.objects.create(
        company=shipment.company, key=name, fingerprints={}, shipment=shipment
    )
    IdempotencyKey.objects.filter(pk=made.pk).update(
        created_at=timezone.now() - dt.timedelta(days=age)
    )


def call(shipment: Shipment | None, account: Any, age: int) -> None:
    now = timezone.now() - dt.timedelta(days=age)
    CourierCall.objects.create(
        account=account, shipment=shipment, operation="cancel", outcome="ok", started_at=now,
        finished_at=now,
    )  # fmt: skip


def event(account: Any, number: int, state: str = "processed", received: Any = OLD) -> None:
    WebhookEvent.objects.create(
        account=account, content_hash=number.to_bytes(32), body=b"{}", state=state,
        next_attempt_at=received, received_at=received, processed_at=received,
    )  # fmt: skip


@pytest.mark.django_db
def test_old_jobs_of_operators_are_deleted_with_their_items(shipment: Shipment) -> None:
    actor = make_staff()
    for token, age in (("old", 401), ("young", 399), ("open", None)):
        ended = None if age is None else timezone.now() - dt.timedelta(days=age)
        job = OperatorJob.objects.create(actor=actor, act="rto", token=token, finished_at=ended)
        OperatorJobItem.objects.create(job=job, position=1, shipment=shipment)
    assert retention.purge().counts["operator_jobs"] == 1
    assert set(OperatorJob.objects.values_list("token", flat=True)) == {"young", "open"}
    assert OperatorJobItem.objects.count() == 2


@pytest.mark.django_db
def test_expired_rows_are_deleted_and_other_rows_are_kept(shipment: Shipment, account: Any) -> None:
    key(shipment, "old", 31)
    key(shipment, "young", 29)
    call(shipment, account, 31)
    call(None, account, 31)
    call(None, account, 29)
    event(account, 1, received=timezone.now())
    event(account, 2)
    event(account, 3, "dead")
    assert run_json("purge_expired") == NOTHING | {
        "idempotency_keys": 1,
        "courier_calls": 2,
        "webhook_events": 2,
    }
    assert IdempotencyKey.objects.get().key == "young"
    assert WebhookEvent.objects.get().content_hash == (1).to_bytes(32)
    assert run_json("purge_expired") == NOTHING


@pytest.mark.django_db
@pytest.mark.parametrize("status", ["booking", "in_doubt"])
def test_the_key_of_an_unsettled_booking_is_never_deleted(account: Any, status: str) -> None:
    doubtful = ShipmentFactory(
        account=account, warehouse=account.company.warehouses.get(), status=status, tracking_id="",
        lease_expires_at=timezone.now(),
    )  # fmt: skip
    key(doubtful, "old", 400)
    call(doubtful, account, 400)
    DoubtInquiry.objects.create(shipment=doubtful, attempt=1)
    DoubtInquiry.objects.update(created_at=timezone.now() - dt.timedelta(days=400))
    assert run_json("purge_expired") == NOTHING
    Shipment.objects.update(status="failed")
    assert run_json("purge_expired") == NOTHING | {
        "idempotency_keys": 1, "courier_calls": 1, "doubt_inquiries": 1,
    }  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("state", ["pending", "failed"])
def test_an_event_that_is_still_due_is_never_deleted(account: Any, state: str) -> None:
    event(account, 1, state)
    assert run_json("purge_expired") == NOTHING


@pytest.mark.django_db
def test_a_purge_deletes_in_batches_and_stops_when_its_time_is_over(
    account: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SHIPCROWD = settings.SHIPCROWD | {"RETENTION_BATCH": 3, "RETENTION_PAUSE": 0.0}
    for number in range(10):
        event(account, number)
    steps: list[int] = []
    assert not retention.purge(seconds=0, progress=steps.append).finished
    assert (steps, WebhookEvent.objects.count()) == ([3], 7)
    assert retention.purge(progress=steps.append).finished
    assert steps == [3, 3, 3, 1]
    sent: list[Any] = []
    monkeypatch.setattr(tasks, "MAX_RUN_SECONDS", 0.0)
    monkeypatch.setattr(tasks, "_send", lambda task: sent.append(task))
    event(account, 1)
    assert (tasks.purge_expired(), sent) == (1, [tasks.purge_expired])
    assert (tasks.purge_expired(), len(sent)) == (0, 1)


@pytest.mark.django_db(transaction=True)
def test_a_purge_skips_locked_rows_without_waiting(account: Any) -> None:
    for number in range(4):
        event(account, number)
    held = WebhookEvent.objects.order_by("pk").values_list("pk", flat=True)[1]
    url = settings.DATABASE_URL.rsplit("/", 1)[0]
    name = connection.settings_dict["NAME"]
    with psycopg.connect(f"{url}/{name}") as other:
        other.execute(
            "SELECT 1 FROM shipcrowd_webhooks_webhookevent WHERE id = %s FOR UPDATE", [held]
        )
        assert retention.purge().counts["webhook_events"] == 3
    assert WebhookEvent.objects.get().pk == held


def test_the_purge_is_scheduled_at_night() -> None:
    schedule = settings.CELERY_BEAT_SCHEDULE["purge-expired"]
    assert schedule["task"] == tasks.purge_expired.name
    assert schedule["schedule"].hour == {21}
