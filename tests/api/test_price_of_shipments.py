"""The company's price of a shipment: as it was quoted, and as the courier's charges make it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.core import signing
from django.test import Client
from django.utils import timezone

from couriers.contract.types import Booking, Charges
from couriers.models import Shipment
from tests.support.api import post_json, post_shipment
from tests.support.factories import (
    CompanyFactory,
    CourierAccountFactory,
    WarehouseFactory,
    make_api_key,
)

POLICY = {"markup_percent": "10", "flat_fee": "5.00"}


@pytest.fixture
def quote(storefront: Client, account: Any, able: Any, order: dict[str, Any]) -> dict[str, Any]:
    """A quote for the order, from the company's warehouse."""
    account.company.rate_policy = POLICY
    account.company.save()
    return ask_for(storefront, account, order)


def ask_for(client: Client, account: Any, order: dict[str, Any]) -> dict[str, Any]:
    lane = {
        "courier": "toy",
        "pickup_pincode": account.company.warehouses.get().pincode,
        "drop_pincode": order["consignee"]["pincode"],
        "parcel": order["parcel"],
        "payment_mode": order["payment_mode"],
        "invoice_amount": "1523.00",
        "cod_amount": order["cod_amount"],
    }
    answer = post_json(client, "/api/v1/rates/", lane)
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()["quotes"][0]
    return found


def test_price_quoted_and_price_booked_stand_side_by_side(
    storefront: Client, quote: dict[str, Any], order: dict[str, Any], toy: Any
) -> None:
    toy.on_create = lambda _: Booking("T-1", charges=Charges(Decimal("100.00")))
    booked = post_shipment(storefront, order | {"quote": quote["quote"]})
    assert booked.status_code == 201, booked.content
    price = booked.json()["price"]
    assert price["quoted"] == quote["price"]
    assert price["booked"] == {
        "base": "100.00", "markup": "10.00", "fee": "5.00", "gst": "0.00", "rounding": "0.00",
        "total": "115.00",
    }  # fmt: skip
    assert booked.json()["service"] == quote["service"]
    assert storefront.get(booked["Location"]).json()["price"] == price


def test_without_a_quote_and_charges_there_is_no_price(
    storefront: Client, account: Any, order: dict[str, Any]
) -> None:
    assert post_shipment(storefront, order).json()["price"] == {"quoted": None, "booked": None}


def test_a_later_policy_does_not_change_the_price(
    storefront: Client, quote: dict[str, Any], order: dict[str, Any], account: Any
) -> None:
    booked = post_shipment(storefront, order | {"quote": quote["quote"]})
    account.company.rate_policy = {}
    account.company.save()
    assert storefront.get(booked["Location"]).json()["price"]["quoted"] == quote["price"]


def test_a_policy_that_fails_loses_no_booking(
    storefront: Client, account: Any, order: dict[str, Any], toy: Any, settings: Any
) -> None:
    settings.SHIPCROWD = {**settings.SHIPCROWD, "PRICING": "tests.support.broken.no_such_policy"}
    toy.on_create = lambda _: Booking("T-1", charges=Charges(Decimal("100.00")))
    booked = post_shipment(storefront, order)
    assert (booked.status_code, booked.json()["price"]["booked"]) == (201, None)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"consignee": {"pincode": "110001", "city": "", "state": ""}}, "drop pincode"),
        ({"parcel": {"weight_g": 5000}}, "weight"),
        ({"payment_mode": "prepaid", "cod_amount": "0"}, "payment mode, COD amount"),
        ({"service": "other"}, "service"),
    ],
)
def test_a_quote_is_for_what_was_asked(
    storefront: Client, quote: dict[str, Any], order: dict[str, Any], change: Any, said: str
) -> None:
    for name, value in change.items():
        order[name] = order[name] | value if isinstance(value, dict) else value
    answer = post_shipment(storefront, order | {"quote": quote["quote"]})
    assert answer.status_code == 400, answer.content
    (problem,) = answer.json()["errors"]
    assert problem["field"] == "quote"
    assert said in problem["message"]
    assert not Shipment.objects.exists()


def test_a_quote_that_is_not_ours_or_too_old_is_refused(
    storefront: Client, quote: dict[str, Any], order: dict[str, Any]
) -> None:
    def problem(text: str) -> str:
        answer = post_shipment(storefront, order | {"quote": text})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "quote")
        return str(answer.json()["errors"][0]["message"])

    assert "no quote" in problem("x")
    assert "no quote" in problem(quote["quote"][:-1] + "\u0915")
    assert "no quote" in problem(signing.dumps({"price": {}}, salt="another"))
    problem("x" * 1001)
    with time_machine.travel(timezone.now() + dt.timedelta(days=7, minutes=1)):
        assert "older" in problem(quote["quote"])


def test_a_quote_is_of_one_company(quote: dict[str, Any], order: dict[str, Any], able: Any) -> None:
    other = CompanyFactory()
    CourierAccountFactory(company=other, courier_id="toy")
    WarehouseFactory(company=other)
    client = Client(headers={"Authorization": f"Api-Key {make_api_key(other)}"})
    answer = post_shipment(client, order | {"quote": quote["quote"]})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "quote")
    assert "company" in answer.json()["errors"][0]["message"]
