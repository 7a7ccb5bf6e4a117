"""The search of every list: by an index, exactly or by the beginning."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db import connection
from django.db.models import Model, Q
from django.test import Client
from django.test.utils import CaptureQueriesContext

from couriers.admin.base import PageAdmin
from couriers.models import (
    AccountCheck,
    AuditEntry,
    BulkTurn,
    CallbackTally,
    Company,
    CompanyApiKey,
    CompanyLogo,
    Courier,
    CourierAccount,
    CourierRule,
    CourierToken,
    IdempotencyKey,
    Product,
    Scan,
    Shipment,
    Warehouse,
    WarehouseRegistration,
)
from tests.support.admin_links import list_url
from tests.support.admin_pages import models_of_the_apps
from tests.support.everything import make_everything
from tests.support.plans import whole_reads
from webhooks.models import WebhookEndpoint

# Tables with a row for each company, courier, account, key or warehouse.
SMALL = {
    AccountCheck, BulkTurn, CallbackTally, Company, CompanyApiKey, CompanyLogo, Courier,
    CourierAccount, CourierRule, CourierToken, Warehouse, WarehouseRegistration, WebhookEndpoint,
}  # fmt: skip
PAGES = {
    model: page
    for model in models_of_the_apps()
    if isinstance(page := admin.site._registry.get(model), PageAdmin)
}
LARGE = [model for model in PAGES if model not in SMALL and model.__name__ != "StaffScope"]


@pytest.fixture
def operator(client: Client, db: None) -> Client:
    client.force_login(get_user_model().objects.create_superuser("op", password="op"))
    return client


@pytest.mark.parametrize("model", LARGE, ids=lambda model: model.__name__)
@pytest.mark.parametrize("text", ["A-1", "12345", "Mug"])
def test_no_search_reads_a_whole_table(
    operator: Client, account: Any, model: type[Model], text: str
) -> None:
    make_everything(account)
    with CaptureQueriesContext(connection) as queries:
        assert operator.get(list_url(model), {"q": text}).status_code in (200, 302)
    tables = (f'FROM "{model._meta.db_table}"', f'FROM "{Shipment._meta.db_table}"')
    asked = [
        one["sql"]
        for one in queries
        # The sidebar's badges count the work lists (benchmarks/lists.py has their plans).
        if any(table in one["sql"] for table in tables) and '"on_list"' not in one["sql"]
    ]
    assert asked
    for sql in asked:
        if '."id" IN (' not in sql:  # the rows of the page, by the keys that were found
            assert not whole_reads(sql), sql


def test_a_search_without_its_index_is_seen(db: None) -> None:
    of_person = AuditEntry.objects.filter(Q(actor_name="asha") | Q(object_key="7"))[:50]
    sql = str(of_person.query).replace("= asha", "= 'asha'").replace("= 7", "= '7'")
    assert whole_reads(sql) == []
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX couriers_audit_of_person")
    assert whole_reads(sql)


def found(client: Client, model: type[Model], text: str) -> list[Any]:
    return list(client.get(list_url(model), {"q": text}).context["cl"].result_list)


def test_rows_are_found_by_whatever_finds_their_shipment(operator: Client, account: Any) -> None:
    make_everything(account)
    shipment = Shipment.objects.get()
    for text in (shipment.order_number, shipment.tracking_id, "+91 98765 43210", "asha"):
        assert found(operator, Scan, text) == list(Scan.objects.all())
    assert found(operator, Scan, "NOBODY") == []


def test_a_column_is_found_exactly_or_by_its_beginning(operator: Client, account: Any) -> None:
    make_everything(account)
    key = IdempotencyKey.objects.first()
    assert key is not None
    assert found(operator, IdempotencyKey, key.key)
    assert found(operator, IdempotencyKey, key.key[:-1]) == []
    for text in ("MUG-11", "mug", "Mu"):
        assert [one.sku for one in found(operator, Product, text)] == ["MUG-11"]
    assert found(operator, Product, "ug-11") == []
