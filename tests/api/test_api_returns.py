"""Returns over the API. One order may have several, and each is booked once."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from couriers.contract.errors import Rejected
from couriers.models import IdempotencyKey, Shipment
from couriers.operations.retention import purge
from tests.support.api import post_shipment
from tests.support.drafts import raising
from tests.support.factories import CompanyFactory, make_api_key


@pytest.fixture
def delivered(storefront: Client, account: Any, order: Any) -> Shipment:
    pk = post_shipment(storefront, order).json()["id"]
    Shipment.objects.update(status="delivered")
    return Shipment.objects.get(pk=pk)


def post_return(client: Client, shipment: Shipment, key: str = "", **body: Any) -> Any:
    return client.post(
        f"/api/v1/shipments/{shipment.pk}/return/",
        {"return_reason": "Wrong size", **body},
        content_type="application/json",
        headers={"Idempotency-Key": key} if key else {},
    )


def test_a_return_has_a_number_of_its_own_and_is_replayed(
    storefront: Client, delivered: Shipment, toy: Any
) -> None:
    first = post_return(storefront, delivered, "k1")
    data = first.json()
    assert first.status_code == 201, data
    assert (data["order_number"], data["direction"], data["original"]) == (
        f"{delivered.order_number}-R1", "reverse", delivered.pk,
    )  # fmt: skip
    again = post_return(storefront, delivered, "k1")
    assert (again.content, again["Idempotent-Replayed"]) == (first.content, "true")
    assert toy.booked == [delivered.order_number, f"{delivered.order_number}-R1"]


def test_a_second_return_of_an_order_is_booked_on_its_own(
    storefront: Client, delivered: Shipment
) -> None:
    Shipment.objects.update(items=[delivered.items[0] | {"quantity": 3, "value": "1000.00"}])
    item = {"sku": "TS-3XL", "quantity": 1}
    first = post_return(storefront, delivered, "k1", items=[item]).json()
    second = post_return(storefront, delivered, "k2", items=[item]).json()
    assert first["id"] != second["id"]
    assert second["order_number"] == f"{delivered.order_number}-R2"
    assert (first["total_amount"], second["total_amount"]) == ("333.33", "333.34")


def test_a_given_order_number_identifies_the_return(
    storefront: Client, delivered: Shipment
) -> None:
    first = post_return(storefront, delivered, order_number="BACK-1")
    again = post_return(storefront, delivered, order_number="BACK-1")
    assert (first.status_code, again.content) == (201, first.content)


def test_a_return_without_its_own_number_or_a_key_is_refused(
    storefront: Client, delivered: Shipment, toy: Any
) -> None:
    answer = post_return(storefront, delivered)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "order_number")
    same = post_return(storefront, delivered, order_number=delivered.order_number)
    assert same.status_code == 400
    assert toy.booked == [delivered.order_number]


def test_the_same_key_with_another_return_is_422(storefront: Client, delivered: Shipment) -> None:
    post_return(storefront, delivered, "k1")
    answer = post_return(storefront, delivered, "k1", return_reason="Torn")
    assert (answer.status_code, answer.json()["fields"]) == (422, ["return_reason"])


def test_only_a_delivered_shipment_can_be_returned(storefront: Client, delivered: Shipment) -> None:
    Shipment.objects.update(status="in_transit")
    answer = post_return(storefront, delivered, "k1")
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/not-returnable")


def test_another_companys_shipment_is_not_found(delivered: Shipment) -> None:
    other = Client(headers={"Authorization": f"Api-Key {make_api_key(CompanyFactory())}"})
    assert post_return(other, delivered, "k1").status_code == 404


def test_a_return_without_a_date_is_replayed_on_the_next_day(
    storefront: Client, delivered: Shipment
) -> None:
    """The date that was left out is still that of the first request."""
    first = post_return(storefront, delivered, order_number="BACK-1")
    with time_machine.travel(timezone.now() + dt.timedelta(days=1)):
        again = post_return(storefront, delivered, order_number="BACK-1")
    assert (again.status_code, again.content) == (201, first.content)


def test_the_counter_skips_a_number_in_use(storefront: Client, delivered: Shipment) -> None:
    Shipment.objects.update(items=[delivered.items[0] | {"quantity": 2}])
    taken, one = f"{delivered.order_number}-R2", [{"sku": "TS-3XL", "quantity": 1}]
    first = post_return(storefront, delivered, "k1", order_number=taken, items=one)
    assert first.status_code == 201
    answer = post_return(storefront, delivered, "k2", items=one)
    assert answer.json()["order_number"] == f"{delivered.order_number}-R3"


def test_a_keys_retention_begins_with_its_last_attempt(
    storefront: Client, delivered: Shipment, toy: Any
) -> None:
    toy.on_create = raising(Rejected("no"))
    assert post_return(storefront, delivered, "k1").status_code == 422
    IdempotencyKey.objects.update(created_at=timezone.now() - dt.timedelta(days=31))
    toy.on_create = None
    first = post_return(storefront, delivered, "k1")
    purge()
    assert post_return(storefront, delivered, "k1").content == first.content
    assert toy.booked.count(f"{delivered.order_number}-R1") == 1
