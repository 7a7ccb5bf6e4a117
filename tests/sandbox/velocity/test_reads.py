"""Tracking, search, rates, serviceability and money: the calls that change nothing."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
import requests

from sandbox.process import SandboxProcess
from tests.support.velocity_sandbox_client import ITEM, Velocity, assert_refused

QUESTION = {
    "journey_type": "forward", "origin_pincode": "560034", "destination_pincode": "110001",
    "dead_weight": 240, "length": 10, "width": 10, "height": 10, "payment_method": "prepaid",
}  # fmt: skip
LANE = {"from": "560034", "to": "110001", "payment_mode": "cod", "shipment_type": "forward"}


def test_tracking_has_velocitys_word_and_the_carriers_texts(velocity: Velocity) -> None:
    awb = velocity.book()["awb_code"]
    velocity.advance(awb, "picked_up", "in_transit", "delivered")
    data = velocity.track(awb)[awb]["tracking_data"]
    (track,) = data["shipment_track"]
    assert (data["shipment_status"], track["current_status"]) == ("delivered", "delivered")
    texts = [activity["activity"] for activity in data["shipment_track_activities"]]
    assert texts == ["DELIVERED", "BAG RECEIVED AT FACILITY", "PICKED UP"], "newest first"
    dates = [track["pickup_date"], track["delivered_date"]]
    dates += [activity["date"] for activity in data["shipment_track_activities"]]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", date) for date in dates)


def test_several_parcels_are_tracked_in_a_call_up_to_a_limit(velocity: Velocity) -> None:
    awbs = [velocity.book()["awb_code"] for _ in range(3)]
    assert set(velocity.track(*awbs)) == set(awbs)
    velocity.switch(tracking_limit=2)
    assert_refused(velocity.call("order-tracking", {"awbs": awbs}), "1 to 2")


def test_an_unknown_awb_is_missing_null_an_error_or_refused(velocity: Velocity) -> None:
    awb = velocity.book()["awb_code"]
    assert set(velocity.track(awb, "X")) == {awb}
    velocity.switch(unknown_awb="null")
    assert velocity.track("X") == {"X": None}
    velocity.switch(unknown_awb="error")
    assert "not found" in velocity.track("X")["X"]["error"]
    velocity.switch(unknown_awb="refuses")
    assert_refused(velocity.call("order-tracking", {"awbs": [awb, "X"]}), "X", 422)


def test_words_are_written_in_several_ways_and_may_be_new(velocity: Velocity) -> None:
    awb = velocity.book()["awb_code"]
    velocity.advance(awb, "out_for_delivery")
    forms = {}
    for form in ("snake", "title", "dash", "upper"):
        velocity.switch(status_form=form)
        forms[form] = velocity.status(awb)
    assert forms == {
        "snake": "out_for_delivery", "title": "Out For Delivery", "dash": "out-for-delivery",
        "upper": "OUT_FOR_DELIVERY",
    }  # fmt: skip
    velocity.switch(status_form="snake", activity_form="code")
    velocity.advance(awb, "ndr_raised", "held_at_hub")
    assert velocity.status(awb) == "held_at_hub"
    activities = velocity.track(awb)[awb]["tracking_data"]["shipment_track_activities"]
    assert activities[1]["activity"].startswith("EOD-")


def test_the_search_is_full_text_and_no_case_matters(velocity: Velocity) -> None:
    mark = f"Mark{time.monotonic_ns()}"
    by_number = velocity.order(order_id=f"{mark}-1")
    by_item = velocity.order(order_items=[ITEM | {"name": mark}])
    by_name = velocity.order(billing_last_name=mark)
    for body in (by_number, by_item, by_name):
        velocity.call("forward-order-orchestration", body)
    found = velocity.find(mark.upper())
    assert [one["order"]["external_id"] for one in found] == [
        by_name["order_id"], by_item["order_id"], by_number["order_id"]
    ]  # fmt: skip
    assert found[0]["carrier"]["name"]
    assert found[0]["order"]["display_id"] == by_name["order_id"]
    (by_awb,) = velocity.find(found[0]["tracking_number"])
    assert by_awb["shipment_milestones"]["delivered_at"] is None


def test_a_new_order_is_found_after_a_lag(velocity: Velocity) -> None:
    velocity.switch(search_lag=0.5)
    body = velocity.order()
    velocity.call("forward-order-orchestration", body)
    assert velocity.find(body["order_id"]) == []
    time.sleep(0.6)
    assert len(velocity.find(body["order_id"])) == 1


def test_pages_have_the_oddities_that_were_seen(velocity: Velocity) -> None:
    def numbers(**changes: Any) -> list[str]:
        found = velocity.find("shop-pages", per_page=2, **changes)
        return [one["order"]["external_id"] for one in found]

    for number in range(3):
        velocity.book(order_id=f"shop-pages-{number}")
    assert numbers() == ["shop-pages-2", "shop-pages-1"]
    assert numbers(page={"number": 2}) == ["shop-pages-0"]
    assert numbers(next_search_after=[1]) == numbers()
    answer = velocity.call("shipments", {"search": "shop-pages", "page": 2})
    assert answer.status_code == 500
    wide = velocity.call("shipments", {"search": "", "per_page": 500}).json()
    assert wide["meta"]["page"]["size"] == 100


def test_rates_are_for_grams_and_name_each_carrier(velocity: Velocity) -> None:
    result = velocity.call("rates", QUESTION).json()["result"]
    details = result["shipment_details"]
    assert (details["zone"], details["applicable_weight"]) == ("zone_d", 240)
    cheapest = result["serviceable_couriers"][0]
    assert cheapest["charges"] == {
        "forward_freight_charges": 53.6, "cod_charges": 0.0, "rto_charges": 48.24,
        "total_forward_charges": 53.6,
    }  # fmt: skip
    assert (
        cheapest["expected_delivery"]["delivery"]["datetime"]
        > (cheapest["expected_delivery"]["pickup"]["datetime"])
    )
    levels = {one["carrier_name"]: one["service_level"] for one in result["serviceable_couriers"]}
    assert levels["Bluedart Air"] == "air"
    cash = velocity.call("rates", QUESTION | {"payment_method": "cod", "shipment_value": 1000})
    assert cash.json()["result"]["serviceable_couriers"][0]["charges"]["cod_charges"] == 31


def test_rates_of_returns_have_one_price(velocity: Velocity) -> None:
    body = {k: v for k, v in QUESTION.items() if k != "payment_method"}
    asked = body | {"journey_type": "return", "qc_applicable": True}
    couriers = velocity.call("rates", asked).json()["result"]["serviceable_couriers"]
    assert {one["carrier_name"] for one in couriers} == {"Shadowfax Standard", "Delhivery Standard"}
    assert set(couriers[0]["charges"]) == {"total_return_charges"}


def test_a_lane_that_nobody_serves_is_an_empty_list_and_failed_rates(velocity: Velocity) -> None:
    result = velocity.call("serviceability", LANE | {"to": "999001"}).json()["result"]
    assert result["serviceability_results"] == []
    failed = velocity.call("rates", QUESTION | {"destination_pincode": "999001"})
    assert (failed.status_code, failed.json()["status"]) == (400, "ERROR")
    prepaid = LANE | {"to": "997001", "payment_mode": "prepaid"}
    assert velocity.call("serviceability", prepaid).json()["result"]["serviceability_results"]
    cash = velocity.call("serviceability", LANE | {"to": "997001"}).json()["result"]
    assert cash["serviceability_results"] == []


@pytest.mark.parametrize(
    ("pincode", "cash"), [("996001", 1000), ("998001", 5001)], ids=["no carrier", "COD limit"]
)
def test_serviceability_may_differ_from_the_booking(
    velocity: Velocity, pincode: str, cash: int
) -> None:
    result = velocity.call("serviceability", LANE | {"to": pincode}).json()["result"]
    assert result["serviceability_results"]
    made = velocity.book(billing_pincode=pincode, cod_collectible=cash, sub_total=cash)
    assert made["awb_generated"] == 0


@pytest.mark.parametrize(
    ("path", "body", "about"),
    [
        ("rates", QUESTION | {"payment_method": "COD"}, "payment_method"),
        ("rates", QUESTION | {"payment_method": "cod"}, "shipment_value"),
        ("rates", QUESTION | {"dead_weight": 0}, "dead_weight"),
        ("rates", QUESTION | {"dead_weight": 240_000}, "dead_weight"),
        ("rates", QUESTION | {"breadth": 3}, "breadth"),
        ("rates", QUESTION | {"origin_pincode": 560034}, "origin_pincode"),
        ("rates", QUESTION | {"journey_type": "return"}, "qc_applicable"),
        ("serviceability", LANE | {"to": "11000"}, "to"),
        ("serviceability", LANE | {"payment_mode": "PREPAID"}, "payment_mode"),
        ("serviceability", LANE | {"weight": 1}, "weight"),
        ("shipments", {"query": "A-1"}, "query"),
        ("shipments", {"search": "A-1", "per_page": "20"}, "per_page"),
        ("order-tracking", {"awbs": "A"}, "awbs"),
        ("order-tracking", {"awb": ["A"]}, "awb"),
    ],
)
def test_a_question_is_refused_as_the_documents_say(
    velocity: Velocity, path: str, body: dict[str, Any], about: str
) -> None:
    before = velocity.sandbox.state()["invalid_requests"]
    answer = velocity.call(path, body)
    assert_refused(answer, about)
    assert velocity.sandbox.state()["invalid_requests"] == before + 1


def test_money_is_asked_for_five_times_a_minute() -> None:
    with SandboxProcess("velocity", "--hold") as running:
        velocity = Velocity(running)
        cash = velocity.book()
        prepaid = velocity.book(payment_method="PREPAID", cod_collectible=0)
        awbs = [cash["awb_code"], prepaid["awb_code"], "X"]
        velocity.advance(cash["awb_code"], "delivered")

        def ask(path: str) -> requests.Response:
            return velocity.call(path, {"awbs": awbs})

        unpaid, is_prepaid, unknown = ask("cod-remittance").json()["data"]
        assert (unpaid["cod_amount"], unpaid["utr_no"]) == (1000, None)
        assert unpaid["remittance_date"] > unpaid["delivery_date"]
        assert ("prepaid" in is_prepaid["error"], "exist" in unknown["error"]) == (True, True)
        running.post("/_sandbox/remit", {"tracking_id": cash["awb_code"], "utr_no": "UTR1"})
        assert ask("cod-remittance").json()["data"][0]["utr_no"] == "UTR1"
        charged = ask("shipping-charges").json()["data"][0]["charges"][0]
        assert charged["amount_with_gst"] > charged["amount_without_gst"]
        assert [ask("cod-remittance").status_code for _ in range(4)] == [200, 200, 200, 429]
        assert ask("shipping-charges").status_code == 200, "each call has a limit of its own"
