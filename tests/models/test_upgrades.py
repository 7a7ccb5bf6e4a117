"""Upgrades of a database with rows in it: nothing is lost, and what contradicts is flagged."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.db import IntegrityError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from couriers.documents.storing import read_stored
from couriers.models import (
    AuditEntry,
    Courier,
    IdempotencyKey,
    Shipment,
    StoredDocument,
    Warehouse,
)
from couriers.models.phones import stored_phone_hash
from tests.support import dump
from tests.support.upgrades import APP, migrating
from webhooks.models import WebhookEvent
from webhooks.payloads import keyed_hash

BEFORE = [(APP, "0002_products_and_warnings")]
AFTER = [(APP, "0003_one_live_shipment_of_an_order")]
INBOX = "shipcrowd_webhooks"
PERMISSIONS = [
    ("auth", "0012_alter_user_first_name_max_length"),
    ("contenttypes", "0002_remove_content_type_name"),
]
BEFORE_ROLLOUTS = [(APP, "0016_registrations_in_doubt"), *PERMISSIONS]
PLAIN = [(APP, "0005_logins_and_callback_tallies"), (INBOX, "0001_initial")]


@pytest.fixture
def migrate(transactional_db: None) -> Iterator[Any]:
    with migrating() as to:
        yield to


def make_shipment(apps: Any, courier: str, number: str, **fields: Any) -> str:
    """Store a shipment of the order with the courier, by the models of that time."""
    get = apps.get_model
    company, _ = get(APP, "Company").objects.get_or_create(
        slug="acme",
        defaults={
            "name": "Acme", "gstin": "29AAGCR4375J1ZU", "address": "1 Example Street",
            "state": "Karnataka",
        },
    )  # fmt: skip
    warehouse, _ = get(APP, "Warehouse").objects.get_or_create(
        company=company, name="Main", defaults={"is_default": True}
    )
    row, _ = get(APP, "Courier").objects.get_or_create(code=courier, defaults={"name": courier})
    account, _ = get(APP, "CourierAccount").objects.get_or_create(company=company, courier=row)
    values = {
        "status": "booked", "tracking_id": f"T-{courier}-{number}", "direction": "forward",
        "order_date": timezone.now().date(), "payment_mode": "prepaid", "total_amount": 1,
        "taxable_amount": 1, "tax_amount": 0, "weight_g": 1, "length_cm": 1, "width_cm": 1,
        "height_cm": 1, "consignee_name": "Asha",
    }  # fmt: skip
    made = get(APP, "Shipment").objects.create(
        company=company, account=account, courier=row, warehouse=warehouse, order_number=number,
        **(values | fields),
    )  # fmt: skip
    return str(made.pk)


@pytest.mark.slow
def test_an_order_that_is_live_with_two_couriers_is_flagged_and_kept(migrate: Any) -> None:
    old = migrate(BEFORE)
    first = make_shipment(old, "one", "A-1")
    second = make_shipment(old, "two", "A-1")
    make_shipment(old, "one", "A-2")
    make_shipment(old, "two", "A-2", status="cancelled")
    make_shipment(old, "two", "A-3", direction="reverse")
    make_shipment(old, "one", "A-3")
    new = migrate(AFTER)
    assert new.get_model(APP, "Shipment").objects.count() == 6
    flags = new.get_model(APP, "ShipmentFlag").objects.values_list(
        "shipment_id", "kind", "tracking_id"
    )
    assert set(flags) == {
        (first, "live_twice", "T-two-A-1"),
        (second, "live_twice", "T-one-A-1"),
    }
    beside = new.get_model(APP, "Shipment").objects.filter(live_beside_another=True)
    assert [shipment.pk for shipment in beside] == [second]


@pytest.mark.slow
def test_what_is_stored_plain_is_encrypted_by_the_upgrade(
    migrate: Any, settings: Any, tmp_path: Any
) -> None:
    settings.MEDIA_ROOT = str(tmp_path)
    (tmp_path / "a.pdf").write_bytes(b"%PDF-plain")
    old = migrate(PLAIN)
    pk = make_shipment(
        old, "one", "A-1", consignee_phone="9811122233", consignee_address="1 Hidden Street"
    )
    unreadable = make_shipment(old, "one", "A-2")
    lost = Fernet(Fernet.generate_key()).encrypt(b"x")
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE shipcrowd_couriers_shipment SET consignee_phone = %s WHERE id = %s",
            [lost, unreadable],
        )
    get = old.get_model
    get(APP, "Warehouse").objects.update(phone="9845012345", address="1 \\Gate")
    label = get(APP, "StoredLabel").objects
    label.create(shipment_id=pk, tracking_id="T-1", file="a.pdf")
    label.create(shipment_id=pk, tracking_id="T-2", file="gone.pdf")
    body = b'{"id": "T-1", "phone": "9811122233"}'
    digest = hashlib.sha256(b"content").digest()
    account = get(APP, "CourierAccount").objects.get().pk
    get(INBOX, "WebhookEvent").objects.create(
        account_id=account, content_hash=digest, body=body, next_attempt_at=now, received_at=now
    )

    migrate(MigrationExecutor(connection).loader.graph.leaf_nodes())
    assert not [
        where for where, text in [*dump.tables(), *dump.files(tmp_path)]
        for needle in ("9811122233", "9845012345", "Gate", "%PDF")
        if dump.contains(text, needle)
    ]  # fmt: skip
    event = WebhookEvent.objects.get()
    assert (event.read_body(), bytes(event.content_hash)) == (body, keyed_hash(account, digest))
    warehouse = Warehouse.objects.get()
    assert (warehouse.phone, warehouse.address) == ("9845012345", "1 \\Gate")
    hashes = dict(Shipment.objects.values_list("pk", "phone_hash"))
    assert hashes == {pk: stored_phone_hash("9811122233"), unreadable: ""}
    found, missing = StoredDocument.objects.order_by("tracking_id")
    assert read_stored(found) == b"%PDF-plain"
    assert (missing.file_key, missing.file.name) == (None, "gone.pdf")


@pytest.mark.slow
def test_labels_become_documents_and_those_who_may_view_them_still_may(
    migrate: Any, django_user_model: Any
) -> None:
    old = migrate([(APP, "0010_scopes_and_use_of_api_keys"), *PERMISSIONS])
    pk = make_shipment(old, "one", "A-1")
    old.get_model(APP, "StoredLabel").objects.create(shipment_id=pk, tracking_id="T-1", file="a")
    kinds = old.get_model("contenttypes", "ContentType").objects
    kind = kinds.get_or_create(app_label=APP, model="storedlabel")[0]
    permission = old.get_model("auth", "Permission").objects.get_or_create(
        codename="view_storedlabel", content_type=kind, name="Can view stored label"
    )[0]
    user = django_user_model.objects.create_user("watcher")
    user.user_permissions.add(permission.pk)

    migrate(MigrationExecutor(connection).loader.graph.leaf_nodes())
    # A process of the former version is still running.
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO shipcrowd_couriers_storedlabel (shipment_id, tracking_id, file, stored_at)"
            " VALUES (%s, 'T-2', 'b', now())",
            [pk],
        )
    found = StoredDocument.objects.order_by("tracking_id").values_list("kind", "state", "file")
    assert list(found) == [("label", "stored", "a"), ("label", "stored", "b")]
    watcher = django_user_model.objects.get(pk=user.pk)
    assert watcher.has_perm(f"{APP}.view_storeddocument")


@pytest.mark.slow
def test_couriers_are_for_all_companies_after_the_upgrade_and_the_former_release_goes_on(
    migrate: Any,
) -> None:
    old = migrate(BEFORE_ROLLOUTS)
    pk = make_shipment(old, "one", "A-1")
    company = old.get_model(APP, "Company").objects.get()
    entries = old.get_model(APP, "AuditEntry").objects
    entries.create(company=company, shipment_id=pk, action="lift_status", reason="a wrong scan")

    migrate(MigrationExecutor(connection).loader.graph.leaf_nodes())
    # A process of the former version is still running.
    entries.create(company=company, shipment_id=pk, action="lift_status", reason="another one")
    old.get_model(APP, "Courier").objects.create(code="two", name="Two")
    assert set(Courier.objects.values_list("rollout", "rollout_percentage")) == {("all", 0)}
    assert set(AuditEntry.objects.values_list("courier", "company")) == {(None, company.pk)}
    with pytest.raises(IntegrityError):
        AuditEntry.objects.create(courier_id="nobody", action="change_rollout", reason="x")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT convalidated FROM pg_constraint WHERE conname = 'couriers_audit_courier_exists'"
        )
        assert cursor.fetchall() == [(True,)]


@pytest.mark.slow
def test_stored_answers_are_encrypted_by_the_upgrade(migrate: Any) -> None:
    plain = b'{"id":"shp_1","courier":"one"}'
    old = migrate([(APP, "0031_tries_of_accounts"), *PERMISSIONS])
    shipment = make_shipment(old, "one", "A-1")
    keys = old.get_model(APP, "IdempotencyKey").objects
    company = old.get_model(APP, "Company").objects.get()
    common = {"company": company, "shipment_id": shipment, "fingerprints": {}}
    keys.create(key="ended", response_status=201, response_body=plain, **common)
    keys.create(key="open", **common)
    new = migrate([(APP, "0037_the_whole_shipment"), *PERMISSIONS])
    ended, waiting = IdempotencyKey.objects.order_by("key")
    sealed: Any = ended.response_body
    assert (ended.answer(), waiting.answer()) == (plain, None)
    assert plain not in sealed.token
    # It may be run again.
    import_module("couriers.migrations.0037_the_whole_shipment").encrypt_answers(new, None)
    again: Any = IdempotencyKey.objects.get(key="ended").response_body
    assert again.token == sealed.token
