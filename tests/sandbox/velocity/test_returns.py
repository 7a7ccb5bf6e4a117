"""Returns in one step and in two, their quality checks, and exchanges."""

from __future__ import annotations

from typing import Any

import requests

from tests.support.velocity_sandbox_client import (
    ITEM,
    ORDER,
    RETURN,
    Velocity,
    assert_refused,
    payload_of,
)

CHECKED = ITEM | {
    "qc_enable": True, "qc_product_name": "T-shirt", "qc_product_image": "https://x.example/a.jpg",
}  # fmt: skip


def test_a_return_has_an_awb_and_no_label(velocity: Velocity) -> None:
    made = velocity.book_return()
    assert (made["is_return"], made["awb_generated"], made["cod"]) == (1, 1, 0)
    assert "label_url" not in made
    assert made["charges"]["qc"] == "0.00"
    assert velocity.summary(made["awb_code"])["reverse"] is True
    assert velocity.status(made["awb_code"]) == "return_requested"


def test_a_return_is_found_among_returns_alone(velocity: Velocity) -> None:
    body = velocity.return_body()
    made = payload_of(velocity.call("reverse-order-orchestration", body))
    (found,) = velocity.find(body["order_id"], "returns")
    assert found["tracking_number"] == made["awb_code"]
    assert velocity.find(body["order_id"]) == []


def test_the_warehouses_phone_and_pincode_may_be_numbers(velocity: Velocity) -> None:
    velocity.book_return(shipping_pincode=560034, shipping_phone=9876543210)


def test_the_split_flow_gives_a_return_id_first(velocity: Velocity) -> None:
    made = payload_of(velocity.call("reverse-order", velocity.return_body()))
    assert (made["awb_generated"], "awb_code" in made) == (0, False)
    asked = {"return_id": made["return_id"], "warehouse_id": velocity.warehouse_id}
    assigned = payload_of(velocity.call("reverse-order-shipment", asked))
    assert assigned["awb_code"]
    assert_refused(velocity.call("reverse-order-shipment", asked), "already", 422)


def test_a_quality_check_is_done_by_a_carrier_that_can_and_costs(velocity: Velocity) -> None:
    checked = velocity.book_return(order_items=[CHECKED])
    assert checked["courier_name"] in ("Shadowfax Standard", "Delhivery Standard")
    assert checked["charges"]["qc"] == "15.00"
    without = velocity.book_return(order_items=[CHECKED], pickup_pincode="995001")
    assert (without["courier_name"], without["charges"]["qc"]) == ("Bluedart Air", "0.00")
    too_many = velocity.book_return(order_items=[CHECKED] * 3)
    assert too_many["charges"]["qc"] == "0.00"


def test_returns_are_sent_again_as_forward_orders_are(velocity: Velocity) -> None:
    velocity.switch(duplicate_orders="refuses")
    body = velocity.return_body()
    first = payload_of(velocity.call("reverse-order-orchestration", body))
    assert_refused(velocity.call("reverse-order-orchestration", body), "Duplicate", 422)
    velocity.switch(duplicate_orders="existing")
    assert payload_of(velocity.call("reverse-order-orchestration", body)) == first


def test_a_return_ends_in_the_plain_words_or_in_the_prefixed(moving_velocity: Velocity) -> None:
    awb = moving_velocity.book_return()["awb_code"]
    moving_velocity.wait_for(awb, "return_received")
    moving_velocity.switch(return_words="prefixed")
    awb = moving_velocity.book_return()["awb_code"]
    moving_velocity.wait_for(awb, "return_delivered")
    moving_velocity.switch(return_words="plain")


def exchange_body(velocity: Velocity, **changes: Any) -> dict[str, Any]:
    forward, back = velocity.order(), velocity.return_body()
    taken = ("order_id", "order_date", "payment_method", "cod_collectible", "order_items")
    sizes = ("weight", "length", "breadth", "height")
    return {
        **{name: forward[name] for name in (*taken, *sizes)},
        **{name: value for name, value in ORDER.items() if name.startswith("billing_")},
        **{name: back[name] for name in RETURN if name.startswith("pickup_")},
        "return_items": [ITEM | {"hsn": "61091000", "qc_enable": True}],
        "forward_warehouse_id": velocity.warehouse_id,
    } | changes


def exchange(velocity: Velocity, body: dict[str, Any]) -> requests.Response:
    return velocity.call("exchange-order-orchestration", body)


def test_an_exchange_books_two_parcels_and_a_repeat_gives_them_again(velocity: Velocity) -> None:
    body = exchange_body(velocity)
    made = payload_of(exchange(velocity, body))
    assert (made["awb_generated"], made["is_exchange"]) == (2, 1)
    assert made["awb_code"] == made["reverse_awb"] != made["forward_awb"]
    assert velocity.summary(made["forward_awb"])["order_number"] == body["order_id"]
    assert velocity.summary(made["reverse_awb"])["order_number"] == f"{body['order_id']}-RET"
    for link in ("forward_shipment_label", "reverse_shipment_label"):
        assert requests.get(made[link], timeout=5).content.startswith(b"%PDF")
    assert payload_of(exchange(velocity, body)) == made


def test_an_exchange_follows_the_rules_of_both_its_orders(velocity: Velocity) -> None:
    assert_refused(exchange(velocity, exchange_body(velocity, return_items=[])), "return_items")
    wrong = exchange_body(velocity, pickup_phone="+919123456789")
    assert_refused(exchange(velocity, wrong), "pickup_phone")
    assert_refused(exchange(velocity, exchange_body(velocity, weight=240)), "kg")
    lost = exchange_body(velocity, forward_warehouse_id="WHXXXX")
    assert_refused(exchange(velocity, lost), "not found", 422)
