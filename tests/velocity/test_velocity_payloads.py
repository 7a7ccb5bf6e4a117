"""What is sent to Velocity, and what is refused before anything is."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from couriers.contract.actions import ReattemptRequest
from couriers.contract.errors import CourierError, InvalidRequest
from couriers.contract.types import Direction, Item, Parcel, PaymentMode, RateRequest
from couriers.testing.samples import SampleCalls
from couriers_velocity.adapter import VelocityAdapter
from couriers_velocity.mapper import payloads, refusals
from tests.support.velocity import REFERENCE, ChosenAnswers, account_at, adapter_of, request_for


class Samples(SampleCalls):
    adapter_class = VelocityAdapter


SAMPLE = Samples().booking_request("A-1")
REQUEST = dataclasses.replace(
    SAMPLE, pickup=dataclasses.replace(SAMPLE.pickup, reference=REFERENCE)
)


def fields(**changes: Any) -> list[str]:
    return [p.field for p in refusals.booking_problems(dataclasses.replace(REQUEST, **changes))]


def test_an_order_is_sent_in_kilograms_with_both_names_of_its_warehouse() -> None:
    body = payloads.shipment_payload(REQUEST)
    assert (body["weight"], body["length"], body["breadth"], body["height"]) == (0.24, 30, 22, 8)
    assert (body["warehouse_id"], body["pickup_location"]) == ("WH1", "Main gate")
    assert body["order_date"] == f"{REQUEST.order_date.isoformat()} 00:00"
    assert (body["payment_method"], body["cod_collectible"]) == ("PREPAID", 0)
    assert body["billing_phone"] == "9876543210"
    assert body["billing_address"] == "9, Secret Lane, near the hidden gate"
    assert body["order_items"] == [
        {"name": "T-shirt", "sku": "TS-1", "units": 1, "selling_price": 1523.0}
    ]
    assert not {"carrier_id", "rto_warehouse_id", "tax"} & set(body)
    chosen = dataclasses.replace(
        REQUEST, service="CAR1", payment_mode=PaymentMode.COD, cod_amount=Decimal("1523.00"),
        options={"rto_warehouse_id": "WH2"},
    )  # fmt: skip
    body = payloads.shipment_payload(chosen)
    assert (body["carrier_id"], body["rto_warehouse_id"]) == ("CAR1", "WH2")
    assert (body["payment_method"], body["cod_collectible"]) == ("COD", 1523.0)


def test_a_return_travels_from_the_customer_to_the_warehouse() -> None:
    check = {"product_name": "T-shirt", "product_image": "https://shop.example/t.jpg"}
    back = dataclasses.replace(
        REQUEST, direction=Direction.REVERSE, return_reason="Wrong size",
        options={"quality_check": check},
    )  # fmt: skip
    body = payloads.return_payload(back)
    assert body["pickup_customer_name"] == "Asha Sample"
    assert (body["shipping_customer_name"], body["warehouse_id"]) == ("Main gate", "WH1")
    assert (body["payment_method"], body["request_pickup"]) == ("PREPAID", True)
    (item,) = body["order_items"]
    assert (item["qc_enable"], item["qc_product_image"]) == (True, check["product_image"])


@given(st.lists(st.tuples(st.integers(1, 10**7), st.integers(1, 99)), min_size=1, max_size=6))
def test_prices_and_units_add_up_to_the_order(lines: list[tuple[int, int]]) -> None:
    items = tuple(
        Item("Mug", quantity, Decimal(paise) / 100, Decimal(12)) for paise, quantity in lines
    )
    body = payloads.shipment_payload(dataclasses.replace(REQUEST, items=items))
    sent = sum(Decimal(str(i["selling_price"])) * i["units"] for i in body["order_items"])
    assert sent == Decimal(str(body["sub_total"])) == sum(item.value for item in items)
    assert sum(i["units"] for i in body["order_items"]) == sum(item.quantity for item in items)


def test_rates_are_asked_in_grams_and_the_value_only_for_cash() -> None:
    lane = RateRequest("560001", "110001", Parcel(240, 3, 2, 1), PaymentMode.COD, Decimal(999))
    body = payloads.rates_payload(lane)
    assert (body["dead_weight"], body["payment_method"], body["shipment_value"]) == (
        240,
        "cod",
        999,
    )
    prepaid = payloads.rates_payload(dataclasses.replace(lane, payment_mode=PaymentMode.PREPAID))
    assert "shipment_value" not in prepaid
    back = payloads.rates_payload(dataclasses.replace(lane, direction=Direction.REVERSE))
    assert (back["journey_type"], back["qc_applicable"]) == ("return", False)


def test_a_search_names_no_page() -> None:
    assert payloads.search_payload("A-1") == {"search": "A-1", "per_page": 20}


def test_another_attempt_sends_what_changes_and_no_day() -> None:
    assert payloads.reattempt_payload(ReattemptRequest("AWB1")) == {"awb": "AWB1"}
    change = ReattemptRequest("AWB1", address="10, New Lane", phone="9876543211")
    assert payloads.reattempt_payload(change) == {
        "awb": "AWB1", "updated_address": {"address_line": "10, New Lane"},
        "updated_phone_number": "+919876543211",
    }  # fmt: skip


def test_what_carriers_refuse_is_named_before_any_call() -> None:
    to = REQUEST.consignee
    assert fields() == []
    assert fields(consignee=dataclasses.replace(to, address="x" * 240)) == ["consignee.address"]
    assert fields(consignee=dataclasses.replace(to, name="आशा")) == ["consignee.name"]
    assert fields(consignee=dataclasses.replace(to, city="Delhi 🎉")) == ["consignee.city"]
    cod = {"payment_mode": PaymentMode.COD}
    assert fields(**cod, cod_amount=Decimal("0.50")) == ["cod_amount"]
    assert fields(**cod, cod_amount=Decimal(50_001)) == ["cod_amount"]
    assert fields(pickup=dataclasses.replace(SAMPLE.pickup, email="")) == ["warehouse.email"]
    assert fields(pickup=dataclasses.replace(SAMPLE.pickup, reference="WH1")) == [
        "warehouse.reference"
    ]
    image = "https://shop.example/t.jpg"
    check = {"quality_check": {"product_name": "T-shirt", "product_image": image}}
    assert fields(options=check) == ["options.quality_check"]
    back = {"direction": Direction.REVERSE, "return_reason": "Wrong size", "options": check}
    assert fields(**back) == []
    assert fields(**back, items=REQUEST.items * 3) == ["options.quality_check"]


@pytest.fixture
def server() -> Iterator[ChosenAnswers]:
    with ChosenAnswers().running() as running:
        yield running


@pytest.mark.django_db
def test_nothing_is_sent_of_an_order_that_is_refused(server: ChosenAnswers) -> None:
    adapter = adapter_of(account_at(server.url))
    request = request_for(adapter, cod_amount=Decimal(60_000), payment_mode=PaymentMode.COD)
    with pytest.raises(InvalidRequest):
        adapter.create_shipment(request)
    assert server.requests == []


@pytest.mark.django_db
def test_the_key_is_sent_raw_and_comes_back_in_no_error(server: ChosenAnswers) -> None:
    adapter = adapter_of(account_at(server.url, api_key="secret-key-of-an-account"))
    request = request_for(adapter)
    echoed = f"secret-key-of-an-account {request.consignee.name} {request.consignee.phone}"
    server.answer(422, {"message": f"refused: {echoed} {request.order_number}"})
    with pytest.raises(Exception, match=request.order_number) as caught:
        adapter.create_shipment(request)
    (sent, *_) = server.requests
    assert sent[1]["Authorization"] == "secret-key-of-an-account"
    for secret in ("secret-key", "Sample", request.consignee.phone):
        assert secret not in str(caught.value)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (200, {"status": 0, "message": "No"}, "OrderKept"),
        (200, {"status": "ERROR", "message": "No"}, "OrderKept"),
        (200, {"success": False}, "OrderKept"),
        (200, {"errors": {"weight": ["is missing"]}}, "OrderKept"),
        (200, {"status": 0, "payload": {"awb_code": "AWB1"}}, "Unknown"),
        (200, {"status": 1, "payload": {"awb_code": None, "awb_generated": 0}}, "OrderKept"),
        (200, {"status": 1, "payload": {"awb_code": None, "awb_generated": 1}}, "Unknown"),
        (200, {"status": 1, "payload": {}}, "Unknown"),
        (200, {"status": 1}, "Unknown"),
        (200, {}, "Unknown"),
        (200, '{"status": 1, "payload": {"awb', "Unknown"),
        (200, "<html>", "Unknown"),
        (400, {"error": "weight must be above 0"}, "OrderKept"),
        (401, {"error": "Unauthorized", "status": 401}, "CredentialsRefused"),
        (422, {"errors": {"wallet": ["Insufficient balance"]}}, "OrderKept"),
        (429, {"message": "Slow down"}, "TooManyRequests"),
        (500, {"status": 1, "payload": {"awb_code": "AWB1"}}, "Unknown"),
        (504, "", "Unknown"),
    ],
)
def test_each_answer_to_a_create_has_its_class(
    server: ChosenAnswers, status: int, body: Any, error: str
) -> None:
    adapter = adapter_of(account_at(server.url))
    request = request_for(adapter)
    server.answer(status, body)
    with pytest.raises(CourierError) as caught:
        adapter.create_shipment(request)
    assert type(caught.value).__name__ == error
    creates = [
        path for path, _, _ in server.requests if path.endswith("forward-order-orchestration")
    ]
    assert len(creates) == 1
