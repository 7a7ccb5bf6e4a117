"""The audit trail: what an entry says, what it must not say, and that nothing changes it."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import ProgrammingError, connection, transaction

from couriers.models import AuditEntry, CompanyApiKey, FlagKind, Product, Shipment
from couriers.models.audit import Door, acting, name_doer, record
from couriers.models.flag import raise_flag
from couriers.operations.decisions import record_decision
from tests.support.factories import make_api_key, make_staff


@pytest.fixture
def entry(shipment: Shipment) -> AuditEntry:
    record(shipment, "clear_flag", reason="seen")
    return AuditEntry.objects.get()


def test_an_entry_is_neither_changed_nor_deleted(entry: AuditEntry) -> None:
    with pytest.raises(TypeError):
        entry.save()
    with pytest.raises(TypeError):
        entry.delete()


def assert_refused(statement: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with pytest.raises(ProgrammingError, match="append-only"), transaction.atomic():
            cursor.execute(statement)


@pytest.mark.parametrize(
    "statement", ["UPDATE {} SET reason = 'z'", "DELETE FROM {}", "TRUNCATE {}"]
)
def test_the_database_refuses_it_too(entry: AuditEntry, statement: str) -> None:
    assert_refused(statement.format(AuditEntry._meta.db_table))
    assert AuditEntry.objects.get().reason == "seen"


def test_emptying_the_shipments_does_not_empty_the_trail(entry: AuditEntry) -> None:
    assert_refused(f"TRUNCATE {Shipment._meta.db_table} CASCADE")


def test_an_entry_says_who_on_what_and_of_which_company(shipment: Shipment) -> None:
    operator = make_staff("view_shipment", username="asha")
    record_decision(shipment, operator, "lift_status", "wrong", {"scan": 7})
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.actor_name, entry.door) == (operator, "asha", "admin")
    assert (entry.shipment, entry.company) == (shipment, shipment.company)
    assert (entry.model, entry.object_key) == ("shipcrowd_couriers.shipment", shipment.pk)
    assert (entry.object_text, entry.reason) == (str(shipment), "wrong")
    assert entry.details == {"scan": 7}


def test_a_row_of_any_table_leads_to_its_company(shipment: Shipment) -> None:
    raise_flag(shipment, FlagKind.SECOND_SHIPMENT, tracking_id="T-9")
    flag = shipment.flags.get()
    registration = shipment.account.registrations.create(
        warehouse=shipment.warehouse, reference="r", state="synced"
    )
    rows: list[Any] = [flag, registration, shipment.account, shipment.company]
    for row in rows:
        record(row, "look")
    companies = AuditEntry.objects.values_list("company", flat=True)
    assert list(companies) == [shipment.company_id] * 4
    assert AuditEntry.objects.filter(shipment=shipment).count() == 1


def test_a_command_and_an_api_key_are_named(shipment: Shipment) -> None:
    with acting(Door.COMMAND, "command load_products by ops"):
        record(Product, "load_products")
    with acting(Door.API):
        name_doer("API key ab12")
        record(shipment, "ask_cancel")
    record(shipment, "search_absent")
    found = AuditEntry.objects.order_by("id").values_list("door", "actor_name", "model")
    assert list(found) == [
        ("command", "command load_products by ops", "shipcrowd_couriers.product"),
        ("api", "API key ab12", "shipcrowd_couriers.shipment"),
        ("platform", "", "shipcrowd_couriers.shipment"),
    ]


def test_secrets_phones_and_addresses_are_only_said_to_have_changed(shipment: Shipment) -> None:
    values = {
        "phone": "9876543210", "consignee_address": "9, Secret Lane", "webhook_secret": "s3cret",
        "api_token": "t", "login": {"password": "p"}, "city": "Pune",
    }  # fmt: skip
    record(shipment.account, "change", details=values, before=values, after=values)
    entry = AuditEntry.objects.get()
    for written in (entry.details, entry.before, entry.after):
        assert written == dict.fromkeys(values, "changed") | {"city": "Pune"}


def test_an_encrypted_column_is_hidden_by_its_kind(shipment: Shipment) -> None:
    record(shipment, "change", after={"options": {"alternate_phone": "9123456780"}, "status": "x"})
    assert AuditEntry.objects.get().after == {"options": "changed", "status": "x"}


def test_an_api_key_is_named_by_its_prefix_alone(shipment: Shipment) -> None:
    make_api_key(shipment.company)
    key = CompanyApiKey.objects.get()
    record(key, "change")
    entry = AuditEntry.objects.get()
    assert entry.object_key == key.prefix
    assert key.hashed_key not in str(list(AuditEntry.objects.values()))


def test_once_is_once(shipment: Shipment) -> None:
    for _ in range(3):
        record(shipment, "look", once="asha 12:00")
    record(shipment, "look", once="asha 12:01")
    record(shipment, "look")
    assert AuditEntry.objects.count() == 3
