"""What is refused in the bodies that make orders and warehouses, and listed as invalid."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.velocity_sandbox_client import ITEM, WAREHOUSE, Velocity, assert_refused

ADDRESS = WAREHOUSE["address_attributes"]
CREATE, RETURN = "forward-order-orchestration", "reverse-order-orchestration"
FORWARD_FAULTS: list[tuple[dict[str, Any], str]] = [
    ({"order_id": 7}, "order_id"),
    ({"order_date": "2026-11-23"}, "order_date"),
    ({"order_date": "23-11-2026 12:23"}, "order_date"),
    ({"order_date": "2026-11-23 12:23:00"}, "order_date"),
    ({"billing_phone": "+919123456789"}, "ten digits"),
    ({"billing_phone": 9123456789}, "ten digits"),
    ({"billing_phone": "1123456789"}, "ten digits"),
    ({"billing_pincode": 110001}, "six digits"),
    ({"billing_country": "Bharat"}, "billing_country"),
    ({"billing_address": "x" * 256}, "255"),
    ({"billing_address": "7, Gandhi Road \U0001f3e0"}, "carriers refuse"),
    ({"billing_address": "7\nGandhi Road"}, "carriers refuse"),
    ({"billing_customer_name": "मीरा"}, "carriers refuse"),
    ({"billing_customer_name": "x" * 101}, "100"),
    ({"billing_city": "x" * 51}, "50"),
    ({"billing_email": "meera"}, "billing_email"),
    ({"shipping_is_billing": False}, "shipping_is_billing"),
    ({"print_label": 1}, "print_label"),
    ({"weight": 0}, "weight"),
    ({"weight": "0.24"}, "weight"),
    ({"weight": 240}, "kg"),
    ({"length": 3000}, "cm"),
    ({"height": -1}, "height"),
    ({"order_items": []}, "at least one"),
    ({"order_items": [ITEM | {"units": 0}]}, "units"),
    ({"order_items": [ITEM | {"units": 1.5}]}, "units"),
    ({"order_items": [ITEM | {"selling_price": "500"}]}, "selling_price"),
    ({"order_items": [ITEM | {"tax": 107.14}]}, "percentage"),
    ({"order_items": [ITEM | {"hsn": "61091000"}]}, "hsn is not a known field"),
    ({"payment_method": "prepaid"}, "payment_method"),
    ({"payment_method": "PREPAID"}, "cod_collectible must be 0"),
    ({"cod_collectible": 0.5}, "at least 1"),
    ({"cod_collectible": True}, "cod_collectible"),
    ({"pickup_location": "Elsewhere"}, "pickup_location"),
    ({"shipping_pincode": "110001"}, "shipping_pincode is not a known field"),
    ({"vendor_details": {"pincode": "110001"}}, "vendor_details.pincode"),
    ({"carrier_id": None}, "carrier_id"),
    ({"billing_last_name": None}, "billing_last_name"),
    ({"order_items": [ITEM | {"name": "T-shirt\0"}]}, "name"),
    ({"order_items": [ITEM | {"selling_price": 10**8}]}, "selling_price"),
]


@pytest.mark.parametrize(("changes", "about"), FORWARD_FAULTS)
def test_a_forward_order_is_refused_and_listed(
    velocity: Velocity, changes: dict[str, Any], about: str
) -> None:
    body = velocity.order(**changes)
    booked = velocity.sandbox.state()["booked"]
    assert_refused(velocity.call(CREATE, body), about)
    assert velocity.sandbox.state()["booked"] == booked
    listed = list(velocity.sandbox.invalid_requests())[-1]
    assert (listed["operation"], listed["body"]) == ("create_shipment", body)
    assert about in listed["error"]


@pytest.mark.parametrize(
    "name",
    [
        "order_id", "order_date", "billing_customer_name", "billing_address", "billing_city",
        "billing_pincode", "billing_state", "billing_country", "billing_phone", "print_label",
        "order_items", "payment_method", "sub_total", "cod_collectible", "length", "breadth",
        "height", "weight", "pickup_location", "warehouse_id",
    ],
)  # fmt: skip
def test_a_required_field_is_named_where_it_is_missing(velocity: Velocity, name: str) -> None:
    assert_refused(velocity.create(name), name)


@pytest.mark.parametrize(
    ("changes", "about"),
    [
        ({"payment_method": "COD"}, "PREPAID"),
        ({"pickup_phone": "09123456789"}, "pickup_phone"),
        ({"shipping_city": ""}, "shipping_city"),
        ({"cod_collectible": 0}, "cod_collectible is not a known field"),
        ({"order_items": [ITEM | {"qc_enable": True}]}, "qc_product_name"),
        ({"order_items": [ITEM | {"qc_questions": ["?"] * 7}]}, "qc_questions"),
        ({"order_items": [ITEM | {"qc_enable": "yes"}]}, "qc_enable"),
        ({"request_pickup": "yes"}, "request_pickup"),
    ],
)
def test_a_return_is_refused(velocity: Velocity, changes: dict[str, Any], about: str) -> None:
    assert_refused(velocity.call(RETURN, velocity.return_body(**changes)), about)


@pytest.mark.parametrize(
    ("changes", "about"),
    [
        ({"email": ""}, "email"),
        ({"phone_number": "+919876543210"}, "phone_number"),
        ({"address_attributes": ADDRESS | {"zip": 560034}}, "zip"),
        ({"address_attributes": ADDRESS | {"pincode": "560034"}}, "pincode"),
        ({"address_attributes": {}}, "street_address"),
        ({"alias": "Main"}, "alias"),
    ],
)
def test_a_warehouse_is_refused(velocity: Velocity, changes: dict[str, Any], about: str) -> None:
    assert_refused(velocity.call("warehouse", WAREHOUSE | changes), about)


def test_each_call_makes_another_warehouse(velocity: Velocity) -> None:
    made = {velocity.call("warehouse", WAREHOUSE).json()["payload"]["warehouse_id"] for _ in "ab"}
    assert len(made) == 2


def test_a_declined_order_is_not_an_invalid_request(velocity: Velocity) -> None:
    before = velocity.sandbox.state()["invalid_requests"]
    assert_refused(velocity.create(warehouse_id="WHXXXX"), "not found", 422)
    velocity.create(billing_pincode="999001")
    velocity.call("order-tracking", {"awbs": ["unknown"]})
    assert velocity.sandbox.state()["invalid_requests"] == before


def test_letters_of_other_european_languages_are_printed(velocity: Velocity) -> None:
    assert velocity.book(billing_customer_name="Zoë D'Souza")["awb_code"]
