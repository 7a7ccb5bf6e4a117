"""Processing the inbox: crashes, failing events, locked shipments and deleted accounts."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from couriers.models import Scan, Shipment
from tests.support.callbacks import other_connection, send
from tests.support.factories import CourierAccountFactory, ShipmentFactory
from webhooks import processing
from webhooks.models import WebhookEvent
from webhooks.processing import process_batch

# An estimated delivery that no date can hold: the core raises OverflowError, not the plug-in.
UNUSABLE_ESTIMATE = {"estimate": 10**30}


@pytest.mark.django_db
@pytest.mark.usefixtures("no_dispatch")
def test_a_crash_before_events_are_marked_rolls_back_their_effect(
    account: Any, shipment: Shipment, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(account, {"id": shipment.tracking_id, "status": "lost", "hour": 1})

    def crash(*_: Any) -> None:
        raise OperationalError("gone")

    with monkeypatch.context() as broken:
        broken.setattr(processing, "_write_outcomes", crash)
        with pytest.raises(OperationalError):
            process_batch()
    assert (Scan.objects.count(), WebhookEvent.objects.get().state) == (0, "pending")
    process_batch()
    assert (Scan.objects.count(), WebhookEvent.objects.get().state) == (1, "processed")


@pytest.mark.django_db
@pytest.mark.usefixtures("no_dispatch")
def test_two_failing_events_of_a_batch_are_isolated(account: Any, shipment: Shipment) -> None:
    for hour in range(40):
        more = UNUSABLE_ESTIMATE if hour in (3, 31) else {}
        send(account, {"id": shipment.tracking_id, "status": "in_transit", "hour": hour, **more})
    result = process_batch()
    assert (result.processed, result.failed) == (38, 2)
    assert Scan.objects.count() == 38
    reasons = set(WebhookEvent.objects.filter(state="failed").values_list("reason", flat=True))
    assert reasons == {"OverflowError while it was applied"}


@pytest.mark.django_db
@pytest.mark.usefixtures("no_dispatch")
def test_an_attempt_is_counted_once_when_a_batch_is_split(account: Any, shipment: Shipment) -> None:
    send(account, {"id": "LATER", "status": "lost", "hour": 1})
    for hour in range(4):
        more = UNUSABLE_ESTIMATE if hour == 3 else {}
        send(account, {"id": shipment.tracking_id, "status": "in_transit", "hour": hour, **more})
    # The events of this account are applied first, and again after another account's event failed.
    earlier = CourierAccountFactory(pk="acc_0", courier=account.courier)
    WebhookEvent.objects.filter(pk=WebhookEvent.objects.earliest("pk").pk).update(account=earlier)
    result = process_batch()
    assert (result.waiting, result.processed, result.failed) == (1, 3, 1)
    assert WebhookEvent.objects.earliest("pk").attempts == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("no_dispatch")
def test_a_locked_shipment_does_not_hold_up_the_other_events(
    account: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processing, "LOCK_TIMEOUT", 100)
    warehouse = account.company.warehouses.get()
    locked, *others = (ShipmentFactory(account=account, warehouse=warehouse) for _ in range(5))
    for shipment in (*others, locked):
        send(account, {"id": shipment.tracking_id, "status": "in_transit", "hour": 1})
    with other_connection() as holder, holder.transaction():
        table = Shipment._meta.db_table
        holder.execute(f"SELECT FROM {table} WHERE id = %s FOR UPDATE", [locked.pk])
        for _ in range(len(processing.BACK_OFF) + 1):  # a failing event would be dead after these
            WebhookEvent.objects.exclude(state="processed").update(next_attempt_at=timezone.now())
            assert process_batch().held == 1
    assert Shipment.objects.filter(status="in_transit").count() == 4
    event = WebhookEvent.objects.exclude(state="processed").get()
    assert (event.state, event.attempts) == ("failed", 0)
    assert "has its shipment locked" in event.reason
    WebhookEvent.objects.exclude(state="processed").update(next_attempt_at=timezone.now())
    assert process_batch().processed == 1


@pytest.mark.django_db
@pytest.mark.usefixtures("no_dispatch")
def test_events_of_a_deleted_account_are_dead(account: Any, shipment: Shipment) -> None:
    send(account, {"id": "T", "status": "lost", "hour": 1})
    WebhookEvent.objects.update(account_id="acc_gone")
    assert process_batch().dead == 1
    assert "account has been deleted" in WebhookEvent.objects.get().reason


@pytest.mark.django_db
@pytest.mark.usefixtures("no_dispatch")
def test_a_repeat_of_a_dead_early_event_waits_another_day(account: Any, shipment: Shipment) -> None:
    early = {"id": "LATER", "status": "lost", "hour": 1}
    send(account, early)
    WebhookEvent.objects.update(received_at=timezone.now() - dt.timedelta(days=2), attempts=5)
    assert process_batch().dead == 1
    send(account, early)
    assert process_batch().waiting == 1
