"""Key rotation: afterwards the first key reads everything, and no value has changed."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.core.checks import run_checks
from django.db import connection
from django.test import Client
from django.utils import timezone

from couriers.contract.platform_errors import UnreadableValue
from couriers.models import BulkJob, BulkOrder, CourierAccount, CourierToken, Shipment
from couriers.operations import key_rotation
from tests.support.commands import run_json
from tests.support.factories import CourierAccountFactory, ShipmentFactory
from webhooks.models import WebhookEvent

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def keys(settings: Any) -> Any:
    """Set FERNET_KEYS and make the fields read them, as a new process would."""

    def use(*given: str) -> None:
        settings.FERNET_KEYS = list(given)
        key_rotation.forget_keys()

    use("old")
    yield use
    settings.FERNET_KEYS = ["gone"]
    key_rotation.forget_keys()


@pytest.fixture
def rows(keys: Any, account: Any) -> list[Shipment]:
    """Rows of every table with secrets, written under the old key."""
    CourierToken.objects.create(account=account, access_token="T", expires_at=timezone.now())
    job = BulkJob.objects.create(company=account.company, total=1)
    BulkOrder.objects.create(job=job, position=0, order_number="A-1", request="9, Secret Lane")
    now = timezone.now()
    for number, body in enumerate((b'{"to": "9876543210"}', None)):
        WebhookEvent.objects.create(
            account=account, content_hash=number.to_bytes(32), body=body, next_attempt_at=now,
            received_at=now,
        )  # fmt: skip
    warehouse = account.company.warehouses.get()
    return [
        ShipmentFactory(account=account, warehouse=warehouse, options={"n": n}) for n in range(7)
    ]


def test_every_table_with_secrets_is_found_by_its_fields() -> None:
    found = {
        model.__name__: {field.name for field in fields}
        for model, fields in key_rotation.encrypted_fields()
    }
    assert found["Shipment"] == {
        "consignee_phone", "consignee_address", "consignee_landmark", "consignee_email", "options",
    }  # fmt: skip
    assert found["IdempotencyKey"] == {"response_body"}
    assert found["StoredDocument"] == {"file_key", "link"}
    assert set(found) == {
        "BulkOrder", "Company", "CourierAccount", "CourierToken", "IdempotencyKey", "LabelJob",
        "ManifestChunk", "OperatorJob", "Shipment", "ShipmentAction", "ShipmentNote",
        "StoredDocument", "Warehouse", "WebhookEndpoint", "WebhookEvent",
    }  # fmt: skip


def test_after_a_rotation_the_first_key_alone_reads_everything(
    keys: Any, rows: list[Shipment], account: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_rotation, "BATCH", 3)
    keys("new")
    with pytest.raises(UnreadableValue):
        _ = CourierAccount.objects.get().login
    keys("new", "old")
    values = 7 * 3 + 4 + 1 + 1 + 1 + 2 + 2
    assert run_json("rotate_keys") == {"values": values, "rotated": values, "unreadable": 0}
    assert run_json("rotate_keys") == {"values": values, "rotated": 0, "unreadable": 0}
    keys("new")
    assert [s.options for s in Shipment.objects.order_by("id")] == [
        s.options for s in sorted(rows, key=lambda s: s.pk)
    ]
    for row in Shipment.objects.all():
        assert (row.consignee_phone, row.consignee_address) == ("9876543210", "9, Secret Lane")
    assert CourierAccount.objects.get().login == account.login
    assert CourierToken.objects.get().access_token == "T"
    assert BulkOrder.objects.get().request == "9, Secret Lane"
    erased, event = WebhookEvent.objects.all()
    assert (erased.body, event.read_body()) == (None, b'{"to": "9876543210"}')
    assert {row.updated_at for row in Shipment.objects.all()} == {row.updated_at for row in rows}


def test_a_concurrent_change_is_not_overwritten(
    keys: Any, rows: list[Shipment], monkeypatch: pytest.MonkeyPatch
) -> None:
    def write() -> None:
        Shipment.objects.filter(pk=rows[3].pk).update(consignee_phone="9123456780")
        connection.close()

    writer = threading.Thread(target=write)

    def write_while_another_writes(model: Any, *rest: Any) -> None:
        if model is Shipment and not writer.ident:
            writer.start()
            writer.join(0.5)
        store(model, *rest)

    store = key_rotation._write
    monkeypatch.setattr(key_rotation, "_write", write_while_another_writes)
    keys("new", "old")
    run_json("rotate_keys")
    writer.join()
    keys("new")
    assert Shipment.objects.get(pk=rows[3].pk).consignee_phone == "9123456780"


def test_a_value_that_no_key_reads_is_counted_and_left_unchanged(
    keys: Any, rows: list[Shipment]
) -> None:
    keys("other")
    lost = rows[3]
    Shipment.objects.filter(pk=lost.pk).update(consignee_phone="1")
    keys("new", "old")
    assert run_json("rotate_keys", code=3)["unreadable"] == 1
    keys("other")
    assert Shipment.objects.only("consignee_phone").get(pk=lost.pk).consignee_phone == "1"


def test_a_process_whose_keys_do_not_fit_is_not_ready(
    keys: Any, rows: list[Shipment], client: Client
) -> None:
    assert client.get("/readyz").json()["status"] == "ok"
    assert "couriers.W021" not in ids_of_database_checks()
    keys("other")
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["down"]) == (503, ["fernet_keys"])
    assert "couriers.W021" in ids_of_database_checks()
    keys("other", "old")
    assert client.get("/readyz").status_code == 200


def test_one_foreign_row_takes_no_process_out_of_service(
    keys: Any, rows: list[Shipment], account: CourierAccount, client: Client
) -> None:
    keys("other")
    CourierAccountFactory()
    keys("old")
    assert client.get("/readyz").status_code == 200
    found = [m for m in run_checks(databases=["default"]) if m.id == "couriers.W021"]
    assert "courieraccount.login" in found[0].msg


def ids_of_database_checks() -> set[str]:
    return {str(message.id) for message in run_checks(databases=["default"])}
