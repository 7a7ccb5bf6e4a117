"""What API keys, commands and logins do is in the audit trail, once, and by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.test import Client

from couriers.models import AuditEntry, CompanyApiKey, Product, ShipmentAction
from couriers.operations import products
from tests.support.factories import make_staff
from tests.support.staff import PASSWORD, log_in

PRODUCTS = (
    b"sku,name,category,hsn_code,gst_rate,weight_g,length_cm,width_cm,height_cm\n"
    b"MUG,Mug,Kitchen,6912,12,410,12,10,11\n"
)


def entries() -> list[tuple[str, str, str]]:
    found = AuditEntry.objects.order_by("id")
    return list(found.values_list("door", "actor_name", "action"))


def test_an_action_asked_by_a_key_is_one_entry_of_the_shipment(
    storefront: Client, shipment: Any, able: Any
) -> None:
    url = f"/api/v1/shipments/{shipment.pk}/cancel/"
    assert storefront.post(url).status_code in (200, 202)
    storefront.post(url)
    entry = AuditEntry.objects.get()
    prefix = CompanyApiKey.objects.get().prefix
    assert (entry.door, entry.actor_name) == ("api", f"API key {prefix}")
    assert (entry.action, entry.shipment, entry.company) == (
        "ask_action", shipment, shipment.company,
    )  # fmt: skip
    assert entry.details == {"kind": ShipmentAction.objects.get().kind}


def test_warehouses_of_the_api_have_before_and_after_without_phones(
    storefront: Client, company: Any
) -> None:
    warehouse = company.warehouses.get()
    old = warehouse.name
    url = f"/api/v1/warehouses/{warehouse.pk}/"
    body = {"name": "Gate 2", "phone": "9876500000", "city": warehouse.city}
    assert storefront.patch(url, body, "application/json").status_code == 200
    entry = AuditEntry.objects.get()
    assert (entry.door, entry.action, entry.company) == ("api", "change", company)
    assert (entry.before, entry.after) == ({"name": old}, {"name": "Gate 2", "phone": "changed"})


def test_products_of_the_api_are_added_changed_and_deleted(
    storefront: Client, company: Any
) -> None:
    body = {"sku": "MUG", "name": "Mug", "hsn_code": "6912"}
    pk = storefront.post("/api/v1/products/", body, "application/json").json()["id"]
    url = f"/api/v1/products/{pk}/"
    storefront.patch(url, {"name": "Cup"}, "application/json")
    storefront.patch(url, {"name": "Cup"}, "application/json")
    assert storefront.delete(url).status_code == 204
    added, changed, deleted = AuditEntry.objects.order_by("id")
    assert (added.action, added.after["sku"]) == ("add", "MUG")
    assert (changed.before, changed.after) == ({"name": "Mug"}, {"name": "Cup"})
    assert (deleted.action, deleted.before["sku"], deleted.company) == ("delete", "MUG", company)


def test_a_load_of_products_is_one_entry(company: Any, tmp_path: Path) -> None:
    file = tmp_path / "p.csv"
    file.write_bytes(PRODUCTS)
    call_command("load_products", str(file), company=company.slug)
    entry = AuditEntry.objects.get()
    assert entry.actor_name.startswith("command load_products by ")
    assert (entry.door, entry.action, entry.company) == ("command", "load_products", company)
    assert entry.details == {"added": 1, "changed": 0}
    operator = make_staff("add_product")
    products.load_products(company, "p.csv", PRODUCTS.replace(b"Mug", b"Cup"), actor=operator)
    products.load_products(company, "p.csv", PRODUCTS.replace(b"Mug", b"Cup"), actor=operator)
    assert entries()[1:] == [("admin", "operator", "load_products")]
    assert Product.objects.get().name == "Cup"


def test_a_command_that_changes_things_is_an_entry(db: None, toy: Any) -> None:
    call_command("seed_couriers")
    entry = AuditEntry.objects.get()
    assert (entry.door, entry.action) == ("command", "run_command")
    assert entry.details == {"command": "seed_couriers"}
    assert entry.actor_name.startswith("command seed_couriers by ")


def test_a_roll_out_by_a_command_is_one_entry(account: Any) -> None:
    call_command("courier_rollout", "toy", off=True, reason="it is down")
    ((door, name, action),) = entries()
    assert (door, action) == ("command", "change_rollout")
    assert name.startswith("command courier_rollout by ")


@pytest.fixture
def asha(db: None) -> Any:
    return get_user_model().objects.create_user("asha", password=PASSWORD, is_staff=True)


def test_logins_of_staff_are_in_it(asha: Any) -> None:
    assert log_in("asha", PASSWORD).status_code == 302
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor, entry.door) == ("login", asha, "admin")


def test_refused_logins_are_one_entry_a_minute_and_name_no_stranger(asha: Any) -> None:
    for _ in range(3):
        log_in("asha", "wrong-pass-word")
    for name in ("my-password-typed-here", "another"):
        log_in(name, "x")
    found = AuditEntry.objects.order_by("id")
    assert len(found) in (2, 3)  # the minute may end meanwhile
    assert {entry.action for entry in found} == {"login_refused"}
    assert {entry.object_text for entry in found} == {"asha", ""}
    assert "typed-here" not in str(list(AuditEntry.objects.values()))
    assert "wrong-pass" not in str(list(AuditEntry.objects.values()))
