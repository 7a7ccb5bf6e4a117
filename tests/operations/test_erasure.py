"""The end of the data: what is erased of a shipment, when, and that nothing fails afterwards."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
import time_machine
from cryptography.fernet import Fernet
from django.conf import settings as project
from django.core.checks import run_checks
from django.db import connection
from django.test import Client

from couriers.booking.bulk_jobs import book_due_orders
from couriers.models import BulkJob, BulkOrder, Event, Scan, Shipment, StoredDocument
from couriers.operations import erasure, retention
from tests.support.api import SHIPMENTS, post_json, post_shipment, set_status
from tests.support.callbacks import other_connection, send
from tests.support.commands import run_json
from tests.support.erasure import PERSONAL, age, dump_of, ended, make_full_shipment
from tests.support.factories import ShipmentFactory, make_staff
from webhooks.models import WebhookEvent
from webhooks.processing import process_batch

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = str(tmp_path)
    settings.SHIPCROWD = project.SHIPCROWD | {"RETENTION_PAUSE": 0.0}
    return tmp_path


@pytest.fixture
def full(account: Any) -> Shipment:
    return make_full_shipment(account)


@pytest.fixture
def erased(full: Shipment) -> Shipment:
    retention.purge()
    full.refresh_from_db()
    assert full.erased_at is not None
    return full


@pytest.mark.django_db(transaction=True)  # files are deleted after the commit
def test_after_its_time_nothing_personal_is_left_and_the_books_are(
    full: Shipment, media: Path
) -> None:
    before = dump_of()
    assert [text for text in PERSONAL if text not in before] == ["9876543210", "Secret Lane",
                                                                 "9123456780"]  # fmt: skip
    assert run_json("purge_expired")["consignees"] == 1
    shipment = Shipment.objects.get()
    after = dump_of()
    assert [text for text in PERSONAL if text in after] == []
    assert (shipment.consignee_name, shipment.consignee_phone, shipment.consignee_address) == (
        "", "", "",
    )  # fmt: skip
    assert (shipment.options, shipment.phone_hash, shipment.warnings) == ({}, "", [])
    action = shipment.actions.get()
    assert (action.asked, action.reason, action.words, action.kind) == ({}, "", "", "address")
    kept = ("total_amount", "tax_amount", "status", "tracking_id", "order_number", "status_at",
            "consignee_pincode", "consignee_state", "updated_at")  # fmt: skip
    assert [getattr(shipment, name) for name in kept] == [getattr(full, name) for name in kept]
    assert shipment.items == [
        full.items[0] | {"name": "", "sku": "", "category": ""},
    ]  # fmt: skip
    assert shipment.items[0]["value"] == "1523.00"
    assert not StoredDocument.objects.exists()
    assert list(media.rglob("*.sealed")) == []
    assert run_json("purge_expired")["consignees"] == 0


def test_scans_keep_time_and_status_and_one_of_each(erased: Shipment) -> None:
    rows = list(Scan.objects.order_by("status").values_list("status", "courier_status", "location"))
    assert rows == [("", "", ""), ("delivered", "Delivered", "")]


def test_the_events_of_a_shipment_keep_no_words_of_the_courier(shipment: Shipment) -> None:
    set_status(shipment, "undelivered", ndr_reason="Asha was away")
    set_status(shipment, "delivered", ndr_reason="")
    erasure.erase_locked([shipment.pk])
    told = [event.data["shipment"] for event in Event.objects.order_by("number")]
    assert [(each["status"], each["ndr_reason"]) for each in told] == [
        ("undelivered", ""), ("delivered", ""),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("status", "days", "is_erased"),
    [
        ("delivered", 399, False),
        ("rto_delivered", 401, True),
        ("failed", 401, True),
        ("in_transit", 399, False),
        ("in_transit", 401, True),
        ("in_doubt", 900, False),
        ("booking", 900, False),
    ],
)
def test_the_time_runs_from_the_end_or_from_the_last_news(
    account: Any, status: str, days: int, is_erased: bool
) -> None:
    lease = {"lease_expires_at": ended(0)} if status == "booking" else {}
    shipment = ShipmentFactory(
        account=account, warehouse=account.company.warehouses.get(), status=status, **lease
    )
    age(shipment, days)
    retention.purge()
    shipment.refresh_from_db()
    assert (shipment.erased_at is not None) is is_erased


def test_a_wrong_time_of_the_courier_erases_nothing_early(account: Any) -> None:
    shipment = ShipmentFactory(
        account=account, warehouse=account.company.warehouses.get(), status="delivered",
        status_at=dt.datetime(2020, 1, 1, tzinfo=dt.UTC),
    )  # fmt: skip
    retention.purge()
    shipment.refresh_from_db()
    assert shipment.erased_at is None


def test_a_row_that_no_key_opens_is_erased_all_the_same(full: Shipment) -> None:
    token = Fernet(Fernet.generate_key()).encrypt(b"x")
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {Shipment._meta.db_table} SET consignee_phone = %s, consignee_address = %s,"
            " options = %s",
            [token] * 3,
        )
        cursor.execute(f"UPDATE {StoredDocument._meta.db_table} SET file_key = %s", [token])
    assert retention.purge().counts["consignees"] == 1
    assert Shipment.objects.get().consignee_phone == ""


@pytest.mark.django_db(transaction=True)
def test_erasure_goes_in_batches_and_leaves_locked_rows(account: Any, settings: Any) -> None:
    settings.SHIPCROWD = settings.SHIPCROWD | {"RETENTION_BATCH": 2}
    ids = []
    for _ in range(5):
        made = ShipmentFactory(
            account=account, warehouse=account.company.warehouses.get(), status="delivered"
        )
        ids.append(age(made, 401).pk)
    steps: list[int] = []
    with other_connection() as other, other.transaction():
        other.execute(
            f"SELECT 1 FROM {Shipment._meta.db_table} WHERE id = %s FOR UPDATE", [min(ids)]
        )
        retention.purge(progress=steps.append)
    assert (steps, Shipment.objects.filter(erased_at=None).get().pk) == ([2, 2], min(ids))


def test_texts_of_a_rejected_bulk_order_are_erased_too(account: Any) -> None:
    job = BulkJob.objects.create(company=account.company, total=2)
    for position, days in enumerate((399, 401)):
        BulkOrder.objects.create(
            job=job, position=position, outcome="rejected", reason="words", finished_at=ended(days),
            problems=[{"field": "f", "message": "words"}],
        )  # fmt: skip
    assert run_json("purge_expired")["bulk_orders"] == 1
    assert [(o.reason, o.problems) for o in BulkOrder.objects.order_by("position")][1] == ("", [])
    assert run_json("purge_expired")["bulk_orders"] == 0


def test_a_shorter_time_than_the_law_wants_is_a_warning(settings: Any) -> None:
    settings.SHIPCROWD = settings.SHIPCROWD | {"RETENTION_CONSIGNEE_DAYS": 364}
    assert "couriers.W030" in {message.id for message in run_checks()}
    settings.SHIPCROWD = settings.SHIPCROWD | {"RETENTION_CONSIGNEE_DAYS": 365}
    assert "couriers.W030" not in {message.id for message in run_checks()}


def test_a_late_callback_brings_no_words_back(account: Any, erased: Shipment) -> None:
    late = {"id": erased.tracking_id, "status": "lost", "hour": 1, "text": "left with Ravi",
            "place": "gate 4", "reason": "door locked"}  # fmt: skip
    assert send(account, late).status_code == 200
    assert process_batch().processed == 1
    dump = dump_of()
    assert [text for text in PERSONAL if text in dump] == []
    assert WebhookEvent.objects.get().body is None
    assert Scan.objects.filter(status="lost", description="").count() == 1
    # The same callback again is still known, and stores nothing.
    send(account, late)
    assert (WebhookEvent.objects.count(), WebhookEvent.objects.get().body) == (1, None)


def test_the_pages_and_the_api_show_an_erased_shipment(
    erased: Shipment, storefront: Client, client: Client
) -> None:
    url = f"{SHIPMENTS}{erased.pk}/"
    assert storefront.get(url).json()["erased_at"].endswith("Z")
    assert storefront.get(SHIPMENTS).json()["results"][0]["id"] == erased.pk
    assert storefront.get(f"{url}scans/").status_code == 200
    assert client.get(f"/track/{erased.pk}/").status_code == 200
    client.force_login(make_staff("view_shipment", "view_scan", "view_idempotencykey",
                                  "view_auditentry"))  # fmt: skip
    page = client.get(f"/admin/shipcrowd_couriers/shipment/{erased.pk}/change/")
    assert page.status_code == 200
    assert "Consignee erased" in page.content.decode()
    for model in ("shipment", "scan", "idempotencykey"):
        assert client.get(f"/admin/shipcrowd_couriers/{model}/").status_code == 200


@pytest.mark.parametrize(
    ("action", "body"),
    [
        ("reattempt/", {"date": "2026-12-20"}),
        ("address/", {"date": "2026-12-20", "phone": "9876543210"}),
        ("rto/", {}),
        ("dispatch-date/", {"date": "2026-12-20"}),
        ("return/", {"return_reason": "too small", "order_number": "A-1-R1"}),
    ],
)
def test_what_needs_the_consignee_is_refused_by_name(
    able: Any, erased: Shipment, storefront: Client, action: str, body: Any
) -> None:
    # Also where an operator has lifted the end.
    if action in ("reattempt/", "address/", "rto/"):
        set_status(erased, "undelivered")
    answer = post_json(storefront, f"{SHIPMENTS}{erased.pk}/{action}", body)
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/shipment-erased")
    assert answer.json()["shipment"] == erased.pk
    assert able.asked == []


def test_a_label_is_not_fetched_again(able: Any, erased: Shipment, storefront: Client) -> None:
    for path in ("label/", "label/data/"):
        answer = storefront.get(f"{SHIPMENTS}{erased.pk}/{path}")
        assert (answer.status_code, answer.json()["type"]) == (409, "/problems/shipment-erased")
    assert able.asked == []


def test_a_key_is_answered_with_its_shipment_and_books_nothing(
    account: Any, storefront: Client, order: dict[str, Any], toy: Any
) -> None:
    first = post_shipment(storefront, order, **{"Idempotency-Key": "k"}).json()
    set_status(Shipment.objects.get(), "delivered")
    assert run_json("erase_consignee", "--company", account.company.slug, "--order", "A-1")
    stored = dump_of("shipcrowd_couriers_idempotencykey")
    assert "consignee.pincode" in stored
    assert [name for name in ("consignee.phone", "consignee.name", "items[].name")
            if name in stored] == []  # fmt: skip
    again = post_shipment(storefront, order, **{"Idempotency-Key": "k"})
    assert (again.status_code, again["Idempotent-Replayed"]) == (201, "true")
    assert (again.json()["id"], again.json()["status"]) == (first["id"], "delivered")
    other = post_shipment(storefront, order | {"cod_amount": "1.00"}, **{"Idempotency-Key": "k"})
    assert (other.status_code, other.json()["fields"]) == (422, ["cod_amount"])
    assert len(toy.booked) == 1


@pytest.mark.django_db(transaction=True)  # the workers are threads
def test_without_a_key_an_erased_order_is_refused_and_not_called_booked(
    account: Any, storefront: Client, order: dict[str, Any], toy: Any
) -> None:
    post_shipment(storefront, order)
    set_status(Shipment.objects.get(), "delivered")
    run_json("erase_consignee", "--company", account.company.slug, "--order", "A-1")
    answer = post_shipment(storefront, order)
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/shipment-erased")
    bulk = post_json(storefront, f"{SHIPMENTS}bulk/", {"orders": [order]})
    job = json.loads(bulk.content)["id"]
    book_due_orders(job, seconds=5)
    row = BulkOrder.objects.get()
    assert (row.outcome, "has been erased" in row.reason) == ("rejected", True)
    assert len(toy.booked) == 1


def test_an_ended_order_that_was_erased_is_booked_again_from_its_new_request(
    account: Any, storefront: Client, order: dict[str, Any]
) -> None:
    post_shipment(storefront, order)
    set_status(Shipment.objects.get(), "rto_delivered")
    run_json("erase_consignee", "--company", account.company.slug, "--order", "A-1")
    assert post_shipment(storefront, order).json()["type"] == "/problems/order-ended"
    answer = post_shipment(storefront, order, **{"Idempotency-Key": "once more"})
    assert answer.status_code == 201
    assert Shipment.objects.get(pk=answer.json()["id"]).consignee_phone == "9876543210"


def test_a_failed_booking_that_was_erased_and_is_booked_again_is_whole(
    account: Any, storefront: Client, order: dict[str, Any]
) -> None:
    post_shipment(storefront, order)
    set_status(Shipment.objects.get(), "failed", tracking_id="")
    run_json("erase_consignee", "--company", account.company.slug, "--order", "A-1")
    assert Shipment.objects.get().erased_at is not None
    assert post_shipment(storefront, order).status_code == 201
    shipment = Shipment.objects.get()
    assert (shipment.erased_at, shipment.consignee_phone) == (None, "9876543210")
    assert shipment.phone_hash != ""


def test_a_repeated_return_is_answered_after_its_original_was_erased(
    account: Any, full: Shipment, storefront: Client
) -> None:
    body = {"return_reason": "too small", "order_number": "A-1-R1", "order_date": "2026-11-27"}
    url = f"{SHIPMENTS}{full.pk}/return/"
    with time_machine.travel("2026-11-28T06:00:00Z"):
        first = post_json(storefront, url, body)
        assert first.status_code == 201, first.content
        retention.purge()
        again = post_json(storefront, url, body)
    assert (again.status_code, again.content) == (201, first.content)
