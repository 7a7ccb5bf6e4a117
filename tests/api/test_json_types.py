"""A value of another JSON type than the schema describes is refused by its field."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from couriers.models import Shipment, Warehouse
from tests.support.api import post_json, post_shipment
from tests.support.factories import make_api_key

WAREHOUSE = {
    "name": "Second",
    "contact_name": "Gate 2",
    "phone": "9845012345",
    "address": "2, Example Road",
    "city": "Bengaluru",
    "state": "Karnataka",
    "pincode": "560001",
}


def put_at(order: Any, path: str, value: Any) -> None:
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    for part in parents:
        order = order[part]
    order[last] = value


@pytest.mark.parametrize(
    ("path", "field", "value"),
    [
        ("order_number", "order_number", 1e2),
        ("order_number", "order_number", True),
        ("payment_mode", "payment_mode", 1),
        ("order_date", "order_date", 20261123),
        ("order_date", "order_date", "20261123"),
        ("order_date", "order_date", "2026-W48-1"),
        ("cod_amount", "cod_amount", "1e3"),
        ("cod_amount", "cod_amount", "1_523"),
        ("cod_amount", "cod_amount", "\uff11\uff15"),
        ("cod_amount", "cod_amount", True),
        ("consignee.phone", "consignee.phone", 9876543210),
        ("items.0.quantity", "items[0].quantity", "1"),
        ("items.0.quantity", "items[0].quantity", True),
        ("items.0.quantity", "items[0].quantity", 1.5),
        ("items.0.gst_rate", "items[0].gst_rate", " 12"),
        ("parcel.weight_g", "parcel.weight_g", "240"),
    ],
)
def test_a_value_of_another_type_is_refused_by_its_field(
    storefront: Client, account: Any, order: Any, path: str, field: str, value: Any
) -> None:
    put_at(order, path, value)
    answer = post_shipment(storefront, order)
    assert answer.status_code == 400
    assert [problem["field"] for problem in answer.json()["errors"]] == [field]
    assert not Shipment.objects.exists()


@pytest.mark.parametrize(
    ("path", "value"),
    [("cod_amount", 1523), ("items.0.value", 1523.0), ("items.0.quantity", 1.0)],
)
def test_a_number_is_read_where_the_schema_has_one(
    storefront: Client, account: Any, order: Any, path: str, value: Any
) -> None:
    put_at(order, path, value)
    assert post_shipment(storefront, order).status_code == 201


@pytest.mark.parametrize("value", ["yes", 1, "true", []])
def test_a_truth_value_is_true_or_false(storefront: Client, value: Any) -> None:
    answer = post_json(storefront, "/api/v1/warehouses/", WAREHOUSE | {"is_default": value})
    assert [problem["field"] for problem in answer.json()["errors"]] == ["is_default"]
    assert Warehouse.objects.count() == 1


def test_the_ids_of_a_list_are_texts(storefront: Client, account: Any) -> None:
    body = {"courier": "toy", "shipments": ["shp_1", 2]}
    answer = post_json(storefront, "/api/v1/manifests/", body)
    assert [problem["field"] for problem in answer.json()["errors"]] == ["shipments[1]"]


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "Api-Key", "API-KEY"])
def test_a_key_is_sent_by_either_scheme(company: Any, scheme: str) -> None:
    client = Client(headers={"Authorization": f"{scheme} {make_api_key(company)}"})
    assert client.get("/api/v1/shipments/").status_code == 200


@pytest.mark.parametrize("scheme", ["Basic", "Token", "Bearer,"])
def test_a_key_of_another_scheme_is_no_key(company: Any, scheme: str) -> None:
    client = Client(headers={"Authorization": f"{scheme} {make_api_key(company)}"})
    assert client.get("/api/v1/shipments/").status_code == 401
