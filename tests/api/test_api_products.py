"""Products over the API: one of each SKU in a company, and nothing of another company."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from couriers.models import Product
from tests.support.api import post_json
from tests.support.factories import CompanyFactory, make_api_key

URL = "/api/v1/products/"
MUG = {
    "sku": "MUG-11", "name": "Mug, 330 ml", "category": "Kitchen", "hsn_code": "6912",
    "gst_rate": "12.00", "weight_g": 410, "length_cm": 12, "width_cm": 10, "height_cm": 11,
}  # fmt: skip


def send(client: Client, method: str, url: str, **body: Any) -> Any:
    return client.generic(method, url, json.dumps(body), "application/json")


def named(answer: Any) -> list[str]:
    assert answer.status_code == 400, answer.content
    return [problem["field"] for problem in answer.json()["errors"]]


def test_a_product_is_added_shown_changed_replaced_and_deleted(storefront: Client) -> None:
    made = post_json(storefront, URL, MUG)
    assert made.status_code == 201
    assert MUG.items() <= made.json().items()
    url = f"{URL}{made.json()['id']}/"
    assert made["Location"] == url
    assert storefront.get(url).json() == made.json()
    changed = send(storefront, "PATCH", url, weight_g=400)
    assert (changed.json()["weight_g"], changed.json()["hsn_code"]) == (400, "6912")
    replaced = send(storefront, "PUT", url, sku="MUG-12", gst_rate=None).json()
    assert (replaced["sku"], replaced["name"], replaced["weight_g"]) == ("MUG-12", "", None)
    assert storefront.delete(url).status_code == 204
    assert storefront.get(url).status_code == 404


def test_an_sku_is_unique_in_its_company(storefront: Client) -> None:
    other = Client(headers={"Authorization": f"Api-Key {make_api_key(CompanyFactory())}"})
    url = f"{URL}{post_json(storefront, URL, MUG).json()['id']}/"
    assert named(post_json(storefront, URL, MUG | {"sku": " MUG-11 "})) == ["sku"]
    assert post_json(other, URL, MUG).status_code == 201
    second = post_json(storefront, URL, MUG | {"sku": "mug-11"}).json()
    assert named(send(storefront, "PATCH", f"{URL}{second['id']}/", sku="MUG-11")) == ["sku"]
    assert send(storefront, "PATCH", url, sku="MUG-11").status_code == 200


def test_another_companys_product_is_a_404(storefront: Client) -> None:
    url = f"{URL}{post_json(storefront, URL, MUG).json()['id']}/"
    other = Client(headers={"Authorization": f"Api-Key {make_api_key(CompanyFactory())}"})
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        body = {} if method in ("GET", "DELETE") else MUG
        assert send(other, method, url, **body).status_code == 404
    assert other.get(URL).json()["results"] == []
    assert Product.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"sku": ""}, "sku"), ({"sku": "x" * 101}, "sku"), ({"sku": "a\u202eb"}, "sku"),
        ({"name": "x" * 201}, "name"), ({"hsn_code": "61091"}, "hsn_code"),
        ({"hsn_code": "7701"}, "hsn_code"), ({"gst_rate": "7"}, "gst_rate"),
        ({"hsn_code": "shirt"}, "hsn_code"), ({"gst_rate": "101"}, "gst_rate"),
        ({"gst_rate": "-5"}, "gst_rate"), ({"gst_rate": "12.345"}, "gst_rate"),
        ({"gst_rate": "many"}, "gst_rate"), ({"weight_g": 0}, "weight_g"),
        ({"weight_g": 10**12}, "weight_g"), ({"length_cm": 1.5}, "length_cm"),
        ({"height_cm": 1001}, "height_cm"), ({"colour": "red"}, "colour"), ({"id": "x"}, "id"),
        ({"created_at": "2026-11-25T00:00:00Z"}, "created_at"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_a_field_that_is_wrong_is_named(
    storefront: Client, method: str, change: dict[str, Any], field: str
) -> None:
    url = URL if method == "POST" else f"{URL}{post_json(storefront, URL, MUG).json()['id']}/"
    before = list(Product.objects.values())
    assert named(send(storefront, method, url, **(MUG | {"sku": "NEW"} | change))) == [field]
    assert list(Product.objects.values()) == before


def test_the_list_is_paged_and_finds_an_sku(
    storefront: Client, django_assert_max_num_queries: Any
) -> None:
    for number in range(5):
        post_json(storefront, URL, MUG | {"sku": f"SKU {number}"})
    with django_assert_max_num_queries(3):
        first = storefront.get(f"{URL}?page_size=3").json()
    second = storefront.get(first["next"]).json()
    skus = [row["sku"] for row in first["results"] + second["results"]]
    assert skus == [f"SKU {number}" for number in (4, 3, 2, 1, 0)]
    assert second["next"] is None
    found = storefront.get(f"{URL}?sku=SKU%203").json()["results"]
    assert [row["sku"] for row in found] == ["SKU 3"]
    assert storefront.get(f"{URL}?sku=sku%203").json()["results"] == []
    assert named(storefront.get(f"{URL}?sku={'x' * 101}")) == ["sku"]
    assert named(storefront.get(f"{URL}?name=Mug")) == ["name"]
