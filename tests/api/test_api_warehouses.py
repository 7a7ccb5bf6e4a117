"""Warehouses over the API: one default and unique names in each company."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from couriers.api import warehouses
from couriers.models import Warehouse
from tests.support.factories import WarehouseFactory

URL = "/api/v1/warehouses/"
BODY = {
    "name": "North", "contact_name": "Gate", "phone": "+91 98450 12345",
    "address": "2, Example Road", "city": "Delhi", "state": "DL", "pincode": "110001",
}  # fmt: skip


def send(client: Client, method: str, url: str, **body: Any) -> Any:
    return getattr(client, method)(url, json.dumps(body), content_type="application/json")


def test_patch_changes_a_warehouse_and_put_replaces_it(storefront: Client, company: Any) -> None:
    own = company.warehouses.get()
    url = f"{URL}{own.pk}/"
    answer = send(storefront, "patch", url, phone="098450-54321", state="karnataka")
    assert (answer.status_code, answer.json()["phone"]) == (200, "9845054321")
    assert answer.json()["name"] == own.name
    assert send(storefront, "put", url, **BODY).json()["city"] == "Delhi"
    assert send(storefront, "put", url, name="x").status_code == 400
    assert (
        send(storefront, "patch", url, name="North").status_code == 200
    )  # the name it has already
    assert storefront.delete(url).status_code == 409  # it is the default


def test_a_text_of_several_lines_and_a_pincode_with_blanks_are_cleaned(
    storefront: Client, company: Any
) -> None:
    body = BODY | {"address": "2, Example Road\nNear Temple\u200e", "pincode": "110\u00a0001"}
    answer = send(storefront, "post", URL, **body)
    assert answer.status_code == 201
    assert answer.json()["address"] == "2, Example Road Near Temple"
    assert answer.json()["pincode"] == "110001"


def test_a_new_default_replaces_the_old_default(storefront: Client, company: Any) -> None:
    first = company.warehouses.get()
    second = send(storefront, "post", URL, **BODY, is_default=True).json()
    assert list(Warehouse.objects.filter(is_default=True)) == [Warehouse(pk=second["id"])]
    send(storefront, "patch", f"{URL}{first.pk}/", is_default=True)
    assert list(Warehouse.objects.filter(is_default=True)) == [first]


@pytest.mark.parametrize("method", ["patch", "put"])
def test_the_default_cannot_be_undone(storefront: Client, company: Any, method: str) -> None:
    own = company.warehouses.get()
    body = BODY | {"is_default": False}
    answer = send(storefront, method, f"{URL}{own.pk}/", **body)
    assert answer.status_code == 400
    assert answer.json()["errors"] == [
        {
            "field": "is_default",
            "message": "is the company's default: make another warehouse the default instead",
        }
    ]
    assert send(storefront, "put", f"{URL}{own.pk}/", **BODY).json()["is_default"] is True
    other = WarehouseFactory(company=company, is_default=False)
    url = f"{URL}{other.pk}/"
    assert send(storefront, "patch", url, is_default=False).status_code == 200
    assert send(storefront, "patch", url, is_default=True).status_code == 200
    answer = send(storefront, method, f"{URL}{own.pk}/", **body)
    assert (answer.status_code, answer.json()["is_default"]) == (200, False)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "Taken"}, "name"), ({"name": "x" * 101}, "name"), ({"phone": "12"}, "phone"),
        ({"pincode": "012345"}, "pincode"), ({"state": "Atlantis"}, "state"),
        ({"address": "x" * 501}, "address"), ({"is_default": "perhaps"}, "is_default"),
        ({"id": "whs_x", "surprise": 1}, "surprise"),
        ({"name": "A\u202eB"}, "name"), ({"contact_name": "\u200e"}, "contact_name"),
        ({"phone": "98450 12345 ext 2"}, "phone"), ({"phone": "1234567890"}, "phone"),
        ({"state": "Kerala"}, "state"),
        ({"address": "a\u0007b"}, "address"), ({"city": "De\u200blhi"}, "city"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("method", ["post", "patch"])
def test_an_invalid_field_is_named(
    storefront: Client, company: Any, method: str, change: Any, field: str
) -> None:
    WarehouseFactory(company=company, name="Taken", is_default=False)
    own = company.warehouses.get(is_default=True)
    url = URL if method == "post" else f"{URL}{own.pk}/"
    answer = send(storefront, method, url, **(BODY if method == "post" else {}) | change)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field)


def test_a_body_that_is_a_list_is_refused(storefront: Client, company: Any) -> None:
    answer = storefront.post(URL, "[]", content_type="application/json")
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/validation")


def test_another_companys_warehouse_is_a_404_and_its_name_can_be_used(
    storefront: Client, company: Any
) -> None:
    other = WarehouseFactory(name="North")
    for method in ("get", "put", "patch"):
        answer = getattr(storefront, method)(f"{URL}{other.pk}/", content_type="application/json")
        assert answer.status_code == 404
    assert send(storefront, "post", URL, **BODY, is_default=True).status_code == 201
    other.refresh_from_db()
    assert other.is_default


def test_registrations_are_listed_in_a_bounded_number_of_statements(
    storefront: Client, account: Any, django_assert_max_num_queries: Any
) -> None:
    own = account.company.warehouses.get()
    own.registrations.create(account=account, state="failed", reason="Pincode not served")
    for number in range(5):
        WarehouseFactory(company=account.company, is_default=False, name=f"W{number}")
    with django_assert_max_num_queries(4):
        found = storefront.get(URL).json()
    mine = next(w for w in found if w["id"] == own.pk)
    assert mine["registrations"] == [
        {"courier": "toy", "reference": "", "state": "failed", "reason": "Pincode not served"}
    ]


def test_the_number_of_warehouses_is_limited(
    storefront: Client, company: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warehouses, "MAX_WAREHOUSES", 1)
    assert send(storefront, "post", URL, **BODY).status_code == 400


def test_a_warehouse_may_have_an_e_mail_address(storefront: Client, company: Any) -> None:
    made = send(storefront, "post", URL, **BODY, email=" Gate@acme.example ").json()
    url = f"{URL}{made['id']}/"
    assert made["email"] == "Gate@acme.example"
    assert send(storefront, "patch", url, city="Agra").json()["email"] == "Gate@acme.example"
    refused = send(storefront, "patch", url, email="gate")
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "email")
    assert send(storefront, "patch", url, email="").json()["email"] == ""
    assert send(storefront, "put", url, **BODY).json()["email"] == ""
