"""Returns of some goods of an order: by SKU and quantity, never more than was delivered."""

from __future__ import annotations

import itertools
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from couriers.booking.returned_goods import ReturnedItem, returned_goods
from couriers.models import Shipment
from couriers.operations.erasure import erase_locked
from tests.support.api import post_shipment, set_status
from tests.support.factories import make_api_key
from tests.support.threads import run_at_once

LINES = (("MUG", 3, "100.00"), ("CAP", 1, "250.00"), ("MUG", 1, "40.00"), ("", 2, "10.01"))


@pytest.fixture
def delivered(storefront: Client, account: Any, order: dict[str, Any]) -> Shipment:
    """A delivered order: two lines of mugs at different prices, a cap, and two of no SKU."""
    line = order["items"][0]
    order["items"] = [
        line | {"name": f"{sku or 'Gift'} {number}", "sku": sku, "quantity": n, "value": value}
        for number, (sku, n, value) in enumerate(LINES)
    ]
    order |= {"payment_mode": "prepaid", "cod_amount": "0"}
    pk = post_shipment(storefront, order).json()["id"]
    Shipment.objects.update(status="delivered")
    return Shipment.objects.get(pk=pk)


def send_back(client: Client, shipment: Shipment, key: str, *items: Any, **body: Any) -> Any:
    wanted = {"items": list(items)} if items else {}
    return client.post(
        f"/api/v1/shipments/{shipment.pk}/return/",
        {"return_reason": "Wrong size", **wanted, **body},
        content_type="application/json",
        headers={"Idempotency-Key": key},
    )


def mugs(quantity: int) -> dict[str, Any]:
    return {"sku": "MUG", "quantity": quantity}


def lines_of(answer: Any) -> list[tuple[str, int, str]]:
    assert answer.status_code == 201, answer.content
    return [(one["name"], one["quantity"], one["value"]) for one in answer.json()["items"]]


def problems_of(answer: Any) -> list[str]:
    assert answer.status_code == 400, answer.content
    return [problem["field"] for problem in answer.json()["errors"]]


def test_a_part_has_its_share_of_the_value(storefront: Client, delivered: Shipment) -> None:
    first = send_back(storefront, delivered, "k1", mugs(1))
    assert lines_of(first) == [("MUG 0", 1, "33.33")]
    assert first.json()["total_amount"] == "33.33"
    second = send_back(storefront, delivered, "k2", mugs(3))
    assert lines_of(second) == [("MUG 0", 2, "66.67"), ("MUG 2", 1, "40.00")]


def test_a_line_without_a_sku_is_named_by_its_place(
    storefront: Client, delivered: Shipment
) -> None:
    answer = send_back(storefront, delivered, "k1", {"line": 3, "quantity": 1})
    assert lines_of(answer) == [("Gift 3", 1, "5.01")]
    assert lines_of(send_back(storefront, delivered, "k2", {"line": 3, "quantity": 1})) == [
        ("Gift 3", 1, "5.00")
    ]


def test_without_items_the_rest_comes_back(storefront: Client, delivered: Shipment) -> None:
    send_back(storefront, delivered, "k1", mugs(2), {"sku": "CAP", "quantity": 1})
    rest = send_back(storefront, delivered, "k2")
    assert lines_of(rest) == [("MUG 0", 1, "33.33"), ("MUG 2", 1, "40.00"), ("Gift 3", 2, "10.01")]
    assert problems_of(send_back(storefront, delivered, "k3")) == ["items"]


def test_never_more_than_was_delivered(storefront: Client, delivered: Shipment, toy: Any) -> None:
    booked = list(toy.booked)
    too_many = send_back(storefront, delivered, "k1", mugs(2), mugs(3))
    assert problems_of(too_many) == ["items[1].quantity"]
    assert "2 that were delivered" in too_many.json()["errors"][0]["message"]
    for wrong, field in (
        ({"sku": "HAT", "quantity": 1}, "items[0].sku"),
        ({"line": 4, "quantity": 1}, "items[0].line"),
        ({"line": -1, "quantity": 1}, "items[0].line"),
        ({"quantity": 1}, "items[0].sku"),
        ({"sku": "MUG", "line": 0, "quantity": 1}, "items[0].sku"),
        ({"sku": "", "quantity": 1}, "items[0].sku"),
        ({"sku": "MUG", "quantity": 0}, "items[0].quantity"),
        ({"sku": "MUG", "quantity": 1, "value": "1.00"}, "items[0].value"),
    ):
        assert problems_of(send_back(storefront, delivered, "k1", wrong)) == [field]
    assert toy.booked == booked


def test_a_return_that_ended_frees_its_goods(storefront: Client, delivered: Shipment) -> None:
    first = send_back(storefront, delivered, "k1", {"sku": "CAP", "quantity": 1}).json()
    again = send_back(storefront, delivered, "k2", {"sku": "CAP", "quantity": 1})
    assert problems_of(again) == ["items[0].quantity"]
    set_status(Shipment.objects.get(pk=first["id"]), "cancelled")
    assert send_back(storefront, delivered, "k2", {"sku": "CAP", "quantity": 1}).status_code == 201


def test_a_delivered_return_keeps_its_goods(storefront: Client, delivered: Shipment) -> None:
    first = send_back(storefront, delivered, "k1", {"sku": "CAP", "quantity": 1}).json()
    set_status(Shipment.objects.get(pk=first["id"]), "delivered")
    again = send_back(storefront, delivered, "k2", {"sku": "CAP", "quantity": 1})
    assert problems_of(again) == ["items[0].quantity"]


def test_a_repeated_request_is_answered_whatever_was_returned_since(
    storefront: Client, delivered: Shipment
) -> None:
    first = send_back(storefront, delivered, "k1", mugs(1))
    send_back(storefront, delivered, "k2", mugs(3))
    again = send_back(storefront, delivered, "k1", mugs(1))
    assert (again.status_code, again.content) == (201, first.content)
    erase_locked([delivered.pk])
    again = send_back(storefront, delivered, "k1", mugs(1))
    assert (again.status_code, again.content) == (201, first.content)


def test_the_same_key_for_other_goods_is_another_request(
    storefront: Client, delivered: Shipment
) -> None:
    send_back(storefront, delivered, "k1", mugs(1))
    answer = send_back(storefront, delivered, "k1", mugs(2))
    assert answer.status_code == 422
    assert "items[].quantity" in answer.json()["fields"]


@pytest.mark.django_db(transaction=True)
def test_of_two_returns_at_once_one_gets_the_last_piece(
    company: Any, storefront: Client, delivered: Shipment
) -> None:
    headers = {"Authorization": f"Api-Key {make_api_key(company)}"}

    def send(number: int) -> int:
        client = Client(headers=headers)
        cap = {"sku": "CAP", "quantity": 1}
        return int(send_back(client, delivered, f"k{number}", cap).status_code)

    turns = itertools.count()
    statuses = run_at_once(lambda: send(next(turns)), 4)
    assert statuses.count(201) == 1
    assert delivered.returns.live().count() == 1


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    paise=st.integers(1, 10**9),
    quantity=st.integers(1, 40),
    data=st.data(),
)
def test_the_parts_of_a_line_add_up_to_it(
    shipment: Shipment, paise: int, quantity: int, data: st.DataObject
) -> None:
    value = Decimal(paise) / 100
    line = {"name": "Mug", "sku": "MUG", "quantity": quantity, "value": f"{value:.2f}"}
    shipment.items = [line | {"gst_rate": "12", "category": "", "hsn_code": ""}]
    shipment.save()
    shipment.returns.all().delete()
    left, worth = quantity, Decimal(0)
    while left:
        part = data.draw(st.integers(1, left))
        (item,) = returned_goods(shipment, [ReturnedItem(part, "MUG")])
        assert item.quantity == part
        assert item.value == item.value.quantize(Decimal("0.01"))
        assert 0 <= item.value <= value - worth
        left -= part
        worth += item.value
        back = Shipment.objects.get(pk=shipment.pk)
        back.pk, back.original, back.direction = f"shp_{left:05}", shipment, "reverse"
        back.order_number, back.tracking_id = f"R-{left}", f"R-{left}"
        back.items = [line | {"quantity": part, "value": f"{item.value:.2f}"}]
        back.items[0] |= {"gst_rate": "12", "category": "", "hsn_code": ""}
        back.save(force_insert=True)
    assert worth == value
