"""A warehouse that was never used can be deleted, and no other."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from couriers.booking.steps import Step, booking_step
from couriers.models import (
    AuditEntry,
    CompanyApiKey,
    Scope,
    Shipment,
    Warehouse,
    WarehousePickup,
    WarehouseRegistration,
)
from tests.support.api import post_shipment
from tests.support.callbacks import other_connection
from tests.support.factories import CompanyFactory, WarehouseFactory, make_api_key


@pytest.fixture
def spare(account: Any) -> Warehouse:
    return WarehouseFactory(company=account.company, is_default=False)


def delete(client: Client, warehouse: Warehouse) -> Any:
    return client.delete(f"/api/v1/warehouses/{warehouse.pk}/")


def why_not(client: Client, warehouse: Warehouse) -> str:
    answer = delete(client, warehouse)
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/warehouse-in-use")
    assert Warehouse.objects.filter(pk=warehouse.pk).exists()
    return str(answer.json()["detail"])


def test_an_unused_one_is_deleted_with_its_registrations(
    storefront: Client, account: Any, spare: Warehouse
) -> None:
    WarehouseRegistration.objects.create(
        account=account, warehouse=spare, reference="r", state="synced"
    )
    assert delete(storefront, spare).status_code == 204
    assert delete(storefront, spare).status_code == 404
    assert not WarehouseRegistration.objects.exists()
    entry = AuditEntry.objects.get(action="delete")
    assert (entry.company_id, entry.object_key) == (account.company_id, spare.pk)


def test_the_default_stays(storefront: Client, account: Any) -> None:
    assert "default" in why_not(storefront, account.company.warehouses.get())


def test_one_that_was_used_stays(
    storefront: Client, account: Any, spare: Warehouse, order: dict[str, Any]
) -> None:
    post_shipment(storefront, order | {"warehouse": spare.pk})
    assert "shipments" in why_not(storefront, spare)
    Shipment.objects.update(status="cancelled")
    assert "shipments" in why_not(storefront, spare)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("field", ["warehouse", "courier"])
def test_what_is_deleted_while_an_order_is_booked_with_it_is_refused_by_its_field(
    storefront: Client, account: Any, spare: Warehouse, order: dict[str, Any], field: str
) -> None:
    used = spare if field == "warehouse" else account

    def delete_elsewhere(step: Step, **_: Any) -> None:
        if step is Step.RESERVING:
            table = type(used)._meta.db_table
            with other_connection() as elsewhere:
                elsewhere.execute(f"DELETE FROM {table} WHERE id = %s", [used.pk])

    booking_step.connect(delete_elsewhere)
    try:
        answer = post_shipment(storefront, order | {"warehouse": spare.pk})
    finally:
        booking_step.disconnect(delete_elsewhere)
    assert answer.status_code == 400
    assert answer.json()["errors"] == [{"field": field, "message": "was deleted just now"}]
    assert not Shipment.objects.exists()


def test_one_with_a_pickup_stays(storefront: Client, account: Any, spare: Warehouse) -> None:
    WarehousePickup.objects.create(
        account=account, warehouse=spare, day="2026-11-30", count=3, state="done",
        ended_at="2026-11-29T10:00:00Z",
    )  # fmt: skip
    assert "pickups" in why_not(storefront, spare)


def test_another_companys_is_not_found(spare: Warehouse) -> None:
    other = Client(headers={"Authorization": f"Api-Key {make_api_key(CompanyFactory())}"})
    assert delete(other, spare).status_code == 404
    assert Warehouse.objects.filter(pk=spare.pk).exists()


def test_a_key_without_the_scope_deletes_nothing(spare: Warehouse, company: Any) -> None:
    _, key = CompanyApiKey.objects.create_key(name="reads", company=company, scopes=[Scope.READ])
    client = Client(headers={"Authorization": f"Api-Key {key}"})
    assert delete(client, spare).status_code == 403
