"""The inbox stores every verified callback once and applies it by the courier's time."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from couriers.models import Scan, Shipment
from couriers.models.account import previous_secret_fields
from tests.support.callbacks import ekart_signature, send, send_ekart
from tests.support.factories import CourierAccountFactory, ShipmentFactory, WarehouseFactory
from webhooks import accounts, tasks
from webhooks.models import WebhookEvent
from webhooks.processing import process_batch

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_dispatch")]


def scan(shipment: Any, status: str, hour: int, **more: Any) -> dict[str, Any]:
    return {"id": shipment.tracking_id, "status": status, "hour": hour, **more}


def process_all() -> None:
    while process_batch().claimed:
        pass


def test_a_callback_is_stored_once_and_applied(account: Any, shipment: Shipment) -> None:
    event = scan(shipment, "picked_up", 3)
    assert send(account, event).status_code == 200
    assert send(account, json.dumps(event, indent=3).encode()).status_code == 200
    assert WebhookEvent.objects.count() == 1
    process_all()
    shipment.refresh_from_db()
    assert (shipment.status, WebhookEvent.objects.get().state) == ("picked_up", "processed")


def test_storing_a_callback_is_one_statement(
    account: Any, shipment: Shipment, django_assert_num_queries: Any
) -> None:
    send(account, scan(shipment, "picked_up", 3))
    with django_assert_num_queries(1):
        send(account, scan(shipment, "in_transit", 4))


@pytest.mark.parametrize("secret", ["wrong", ""])
def test_a_wrong_signature_is_401_and_leaves_no_row(
    account: Any, shipment: Shipment, secret: str
) -> None:
    assert send(account, scan(shipment, "lost", 3), secret=secret).status_code == 401
    assert not WebhookEvent.objects.exists()


def test_a_wrong_account_or_courier_is_401_like_a_wrong_signature(
    account: Any, shipment: Shipment
) -> None:
    event = scan(shipment, "lost", 3)
    account.pk, known = "acc_unknown", account.pk
    assert send(account, event).status_code == 401
    account.pk = known
    assert send(account, event, courier="ekart").status_code == 401
    assert send(account, event, courier="dhl").status_code == 401


def test_an_account_without_a_secret_accepts_no_callback(account: Any, shipment: Shipment) -> None:
    account.webhook_secret = ""
    account.save()
    assert send(account, scan(shipment, "lost", 3), secret="").status_code == 401


def test_the_previous_secret_is_accepted_too(account: Any, shipment: Shipment) -> None:
    for name, value in previous_secret_fields("previous-secret").items():
        setattr(account, name, value)
    account.save()
    assert send(account, scan(shipment, "lost", 3), secret="previous-secret").status_code == 200


def test_long_bodies_are_413_and_other_methods_405(account: Any) -> None:
    assert send(account, b" " * 65537).status_code == 413
    assert send(account, b"{}" + b" " * 65534).status_code == 200
    assert Client().get(f"/webhooks/toy/{account.pk}/").status_code == 405


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"[]", "not a JSON object"),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": 1, "a": 2}', "twice"),
        (b"\xff", "UTF-8"),
        (b'{"a":' + b"[" * 30000, "deep"),
    ],
)
def test_an_unreadable_body_is_dead_with_its_reason_and_answered_200(
    account: Any, body: bytes, reason: str
) -> None:
    for _ in range(2):
        assert send(account, body).status_code == 200
    event = WebhookEvent.objects.get()
    assert event.state == "dead"
    assert reason in event.reason


def test_a_malformed_event_is_dead_with_the_reason(account: Any) -> None:
    send(account, {"order": "x"})
    process_all()
    event = WebhookEvent.objects.get()
    assert (event.state, "lacks an id" in event.reason) == ("dead", True)


def test_a_repeat_of_a_failed_event_is_tried_again(account: Any, shipment: Shipment) -> None:
    event = scan(shipment, "picked_up", 3)
    send(account, event)
    WebhookEvent.objects.update(state="dead", reason="x", attempts=5)
    send(account, event)
    stored = WebhookEvent.objects.get()
    assert (stored.state, stored.attempts, stored.reason) == ("pending", 0, "")
    process_all()
    send(account, event)
    assert WebhookEvent.objects.get().state == "processed"


def test_an_event_that_fails_does_not_hold_up_its_batch(account: Any, shipment: Shipment) -> None:
    send(account, scan(shipment, "picked_up", 3, poison=True))
    send(account, scan(shipment, "in_transit", 4))
    result = process_batch()
    assert (result.processed, result.failed) == (1, 1)
    shipment.refresh_from_db()
    assert shipment.status == "in_transit"
    for _ in range(5):
        WebhookEvent.objects.update(next_attempt_at=timezone.now())
        process_batch()
    dead = WebhookEvent.objects.get(state="dead")
    assert "RuntimeError" in dead.reason


def test_an_event_of_an_unknown_shipment_waits_a_day_and_is_then_dead(account: Any) -> None:
    send(account, {"id": "LATER", "status": "picked_up", "hour": 1})
    assert process_batch().waiting == 1
    assert process_batch().claimed == 0
    WebhookEvent.objects.update(next_attempt_at=timezone.now())
    shipment = ShipmentFactory(
        account=account, warehouse=account.company.warehouses.get(), tracking_id="LATER"
    )
    process_all()
    shipment.refresh_from_db()
    assert shipment.status == "picked_up"
    send(account, {"id": "NEVER", "status": "picked_up", "hour": 1})
    WebhookEvent.objects.filter(state="pending").update(
        received_at=timezone.now() - dt.timedelta(days=2), attempts=5
    )
    assert process_batch().dead == 1


def test_an_early_event_gets_its_attempts_after_a_day_without_workers(
    account: Any, settings: Any
) -> None:
    settings.SHIPCROWD = settings.SHIPCROWD | {"INBOX_BATCH": 1}
    shipment = ShipmentFactory(
        account=account, warehouse=account.company.warehouses.get(), status="in_doubt",
        tracking_id="", order_number="D-1",
    )  # fmt: skip
    send(account, {"id": "T-7", "status": "picked_up", "hour": 1})
    send(account, {"id": "T-7", "order": "D-1"})
    WebhookEvent.objects.update(received_at=timezone.now() - dt.timedelta(hours=25))
    process_all()
    WebhookEvent.objects.update(next_attempt_at=timezone.now())
    process_all()
    shipment.refresh_from_db()
    assert (shipment.status, shipment.tracking_id) == ("picked_up", "T-7")


def test_another_accounts_shipment_is_not_touched(account: Any, shipment: Shipment) -> None:
    other = CourierAccountFactory(courier=account.courier)
    send(other, scan(shipment, "lost", 3))
    process_batch()
    shipment.refresh_from_db()
    assert shipment.status == "booked"


def test_an_unknown_status_is_kept_raw_and_changes_nothing(
    account: Any, shipment: Shipment
) -> None:
    send(account, scan(shipment, "Teleported", 3))
    process_all()
    shipment.refresh_from_db()
    assert shipment.status == "booked"
    assert (Scan.objects.get().status, Scan.objects.get().courier_status) == ("", "Teleported")


def test_a_created_event_settles_doubt(account: Any) -> None:
    shipment = ShipmentFactory(
        account=account, warehouse=account.company.warehouses.get(), status="in_doubt",
        tracking_id="", order_number="D-1",
    )  # fmt: skip
    send(account, {"id": "T-7", "order": "D-1"})
    send(account, {"id": "T-7", "status": "picked_up", "hour": 1})
    process_all()
    WebhookEvent.objects.update(next_attempt_at=timezone.now())
    process_all()
    shipment.refresh_from_db()
    assert (shipment.status, shipment.tracking_id) == ("picked_up", "T-7")


def test_an_unreachable_database_is_503_so_that_the_courier_sends_again(
    account: Any, shipment: Shipment, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise OperationalError("down")

    monkeypatch.setattr("webhooks.views.store_callback", broken)
    answer = send(account, scan(shipment, "lost", 3))
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    monkeypatch.setattr("webhooks.processing._lock_due", broken)
    with pytest.raises(OperationalError):
        process_batch()


def test_a_changed_secret_is_used_once_the_cached_one_expires(
    account: Any, shipment: Shipment, settings: Any
) -> None:
    settings.SHIPCROWD = settings.SHIPCROWD | {"WEBHOOK_ACCOUNT_CACHE": 0.0}
    send(account, scan(shipment, "lost", 3), secret="new-secret")
    account.webhook_secret = "new-secret"
    account.save()
    assert send(account, scan(shipment, "lost", 3), secret="new-secret").status_code == 200
    assert "new-secret" not in repr(accounts.find_account(account.pk))


def test_the_tasks_process_the_inbox_and_can_run_twice(account: Any, shipment: Shipment) -> None:
    send(account, scan(shipment, "picked_up", 3))
    assert (tasks.process_inbox(), tasks.sweep_inbox()) == (1, 0)


def test_ekarts_callbacks_are_verified_on_the_raw_bytes(db: None) -> None:
    account = CourierAccountFactory()
    shipment = ShipmentFactory(account=account, warehouse=WarehouseFactory(company=account.company))
    body = json.dumps(
        {"ctime": 1793400000000, "status": "Out_For_Delivery", "location": "", "desc": "x",
         "attempts": "0", "wbn": "1", "id": shipment.tracking_id, "orderNumber": "1",
         "edd": 1793500000000, "ndrStatus": "Address Issue"}
    ).encode()  # fmt: skip
    wrong = ["", "zz", ekart_signature(body)[:-1], ekart_signature(body) + "00", "é" * 64,
             ekart_signature(body, "x"), ekart_signature(b" " + body)]  # fmt: skip
    for signature in wrong:
        assert send_ekart(account, body, signature=signature) == 401
    assert send_ekart(account, body) == 200
    process_all()
    shipment.refresh_from_db()
    assert (shipment.status, shipment.ndr_reason) == ("out_for_delivery", "Address Issue")
    assert shipment.estimated_delivery is not None


@pytest.mark.parametrize(
    "change",
    [{"ctime": 1793400000}, {"ctime": "x"}, {"id": ""}, {"id": 7.5}, {"edd": 12}, {"status": 3}],
)
def test_ekarts_wrong_types_are_dead_with_a_reason(db: None, change: dict[str, Any]) -> None:
    account = CourierAccountFactory()
    event = {"ctime": 1793400000000, "status": "Lost", "desc": "x", "id": "1", "wbn": "1"}
    send_ekart(account, json.dumps(event | change).encode())
    process_all()
    stored = WebhookEvent.objects.get()
    assert stored.state in ("dead", "failed")
    assert stored.reason
