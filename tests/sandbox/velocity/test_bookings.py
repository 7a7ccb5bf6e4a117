"""Forward orders: with a carrier at once or in two steps, without one, and sent again."""

from __future__ import annotations

import json
import time

import pytest
import requests

from tests.support.velocity_sandbox_client import Velocity, assert_refused, payload_of


def test_a_booking_has_awb_label_carrier_and_charges(velocity: Velocity) -> None:
    made = velocity.book()
    assert (made["awb_generated"], made["pickup_generated"], made["cod"]) == (1, 1, 1)
    assert made["order_id"].startswith("ORD")
    assert made["courier_name"] == "Shadowfax Standard"
    assert made["assigned_date_time"]["date"].endswith("+05:30")
    charges = made["charges"]
    assert float(charges["frwd_charges"]["cod_charges"]) > 0
    assert isinstance(charges["rto_charges"]["rto_charges"], str)
    assert made["applied_weight"] == 1.056, "30 x 22 x 8 cm are more than 0.24 kg"
    assert velocity.summary(made["awb_code"])["carrier"] == "Shadowfax Standard"


def test_a_label_is_fetched_without_a_key_and_never_with_one(velocity: Velocity) -> None:
    url = velocity.book()["label_url"]
    fetched = requests.get(url, timeout=5)
    assert fetched.headers["Content-Type"] == "application/pdf"
    assert fetched.content.startswith(b"%PDF")
    assert requests.get(url, headers=velocity.headers, timeout=5).status_code == 400
    assert requests.get(url.partition("?")[0], timeout=5).status_code == 403


def test_a_label_link_expires(velocity: Velocity) -> None:
    velocity.switch(label_life=0.1)
    url = velocity.book()["label_url"]
    time.sleep(0.2)
    expired = requests.get(url, timeout=5)
    assert (expired.status_code, "expired" in expired.text) == (403, True)


def test_an_order_without_carrier_is_status_1_and_can_be_assigned_later(
    velocity: Velocity,
) -> None:
    velocity.switch(no_awb_rate=1)
    body = velocity.order()
    answer = velocity.call("forward-order-orchestration", body)
    made = payload_of(answer)
    assert answer.json()["message"]
    assert (made["awb_generated"], made["label_url"]) == (0, None)
    assert "awb_code" not in made
    (found,) = velocity.find(body["order_id"])
    assert (found["tracking_number"], found["carrier"]) == (None, None)

    velocity.switch(no_awb_rate=0)
    assigned = payload_of(
        velocity.call("forward-order-shipment", {"shipment_id": made["shipment_id"]})
    )
    assert (assigned["awb_generated"], assigned["order_id"]) == (1, made["order_id"])
    again = velocity.call("forward-order-shipment", {"shipment_id": made["shipment_id"]})
    assert_refused(again, "already", 422)


def test_an_order_that_no_carrier_takes_may_be_a_422_and_is_still_there(
    velocity: Velocity,
) -> None:
    velocity.switch(failed_awb="error")
    body = velocity.order(billing_pincode="996001")
    assert_refused(velocity.call("forward-order-orchestration", body), "not serviceable", 422)
    (found,) = velocity.find(body["order_id"])
    assert found["tracking_number"] is None


def test_the_split_flow_makes_the_order_first(velocity: Velocity) -> None:
    made = payload_of(velocity.call("forward-order", velocity.order()))
    assert (made["awb_generated"], made["label_url"]) == (0, None)
    asked = {"shipment_id": made["shipment_id"], "carrier_id": "CARISGEX1QMVB"}
    assert payload_of(velocity.call("forward-order-shipment", asked))["courier_name"] == (
        "Bluedart Air"
    )
    assert_refused(velocity.call("forward-order-shipment", {"shipment_id": "x"}), "not found", 422)


def test_a_carrier_that_refuses_is_followed_by_the_next(velocity: Velocity) -> None:
    velocity.switch(fall_through_rate=1)
    assert velocity.book()["courier_name"] == "Delhivery Standard"
    velocity.switch(carrier_seconds=0.2)
    started = time.monotonic()
    velocity.book()
    assert time.monotonic() - started >= 0.6, "three carriers were asked"


def test_an_empty_wallet_gives_no_awb(velocity: Velocity) -> None:
    wallet = velocity.sandbox.state()["wallet"]
    velocity.book()
    price = wallet - velocity.sandbox.state()["wallet"]
    assert price > 0
    _set_wallet(velocity, price - 1)
    answer = velocity.create()
    assert answer.json()["payload"]["awb_generated"] == 0
    assert "wallet" in answer.json()["message"]
    _set_wallet(velocity, wallet)


def _set_wallet(velocity: Velocity, rupees: float) -> None:
    url = f"{velocity.url}/_sandbox/wallet"
    assert requests.put(url, json={"rupees": rupees}, timeout=5).status_code == 200


def test_an_order_id_that_is_sent_again_books_again_exists_or_is_refused(
    velocity: Velocity,
) -> None:
    body = velocity.order()

    def again() -> requests.Response:
        return velocity.call("forward-order-orchestration", body)

    before = velocity.sandbox.state()["duplicates"]
    first, second = payload_of(again()), payload_of(again())
    assert first["awb_code"] != second["awb_code"]
    assert velocity.sandbox.state()["duplicates"] == before + 1
    velocity.switch(duplicate_orders="existing")
    assert payload_of(again())["awb_code"] == second["awb_code"]
    velocity.switch(duplicate_orders="refuses")
    assert_refused(again(), "Duplicate order id", 422)
    assert velocity.sandbox.state()["duplicates"] == before + 1


def test_an_order_is_updated_only_before_its_awb(velocity: Velocity) -> None:
    body = velocity.order()
    made = payload_of(velocity.call("forward-order", body))
    changed = body | {"billing_city": "Faridabad"}

    def update(order_id: str) -> requests.Response:
        return velocity.call("order", changed | {"order_id": order_id}, method="PUT")

    assert update(body["order_id"]).status_code == 200
    assert velocity.find(body["order_id"])[0]["customer"]["city"] == "Faridabad"
    assert_refused(update(made["order_id"]), "not found", 422)
    velocity.switch(order_update_id="velocity")
    assert update(made["order_id"]).status_code == 200
    velocity.call("forward-order-shipment", {"shipment_id": made["shipment_id"]})
    assert_refused(update(made["order_id"]), "after the AWB", 422)


def test_a_refusal_may_be_written_in_other_fields_or_with_200(velocity: Velocity) -> None:
    velocity.switch(error_text="error")
    assert "weight" in velocity.create("weight").json()["error"]
    velocity.switch(error_text="errors")
    assert "weight" in velocity.create("weight").json()["errors"][0]
    velocity.switch(refuses_with_200=True)
    answer = velocity.create("weight")
    assert (answer.status_code, answer.json()["status"]) == (200, 0)


def test_order_numbers_choose_what_becomes_of_an_order(velocity: Velocity) -> None:
    refused = velocity.create(order_id="TEST-REFUSED-V1")
    assert_refused(refused, "as it asks for", 422)
    with pytest.raises(requests.ConnectionError):
        velocity.create(order_id="TEST-DOUBT-V1")
    (found,) = velocity.find("TEST-DOUBT-V1")
    assert found["tracking_number"]
    started = time.monotonic()
    velocity.book(order_id="TEST-SLOW-V1")
    assert time.monotonic() - started >= 0.3


def test_a_body_that_is_not_json_is_refused_and_listed(velocity: Velocity) -> None:
    url = f"{velocity.url}/custom/api/v1/order-tracking"
    answer = requests.post(url, data="{", headers=velocity.headers, timeout=5)
    assert_refused(answer, "not JSON")
    assert list(velocity.sandbox.invalid_requests())[-1]["body"] == "{"
    assert json.loads(answer.text)["status"] == "ERROR"
