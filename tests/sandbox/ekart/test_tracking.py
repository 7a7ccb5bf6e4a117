"""The network's own history, in both of its shapes."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest

from tests.support.sandbox_client import Ekart, assert_refused, noon

LONG_AGO = dt.timedelta(minutes=5)


def history(ekart: Ekart, name: str) -> tuple[str, dict[str, Any]]:
    """The key of the answer, and what is under it."""
    ((key, value),) = ekart.call("GET", f"/data/v1/elite/track/{name}").json().items()
    return key, value


def test_the_history_is_found_by_waybill_and_by_tracking_id(held: Ekart) -> None:
    shipment = held.book()
    assert history(held, shipment["id"]) == history(held, shipment["wbn"])
    assert history(held, shipment["id"])[0] == shipment["wbn"]


def test_statuses_are_in_the_words_of_the_network(lively: Ekart) -> None:
    shipment = lively.book()
    lively.wait_for(shipment["id"], "Undelivered")
    lively.call("POST", "/api/v2/package/ndr", {"action": "RTO", "wbn": shipment["id"]})
    lively.wait_for(shipment["id"], "RTO Delivered")
    _, parcel = history(lively, shipment["wbn"])
    words = [event["status"] for event in reversed(parcel["history"])]
    assert words == [
        "order_placed", "pickup_scheduled", "out_for_pickup", "pickup_complete", "in_transit",
        "out_for_delivery", "undelivered", "rto_requested", "rto_in_transit", "rto_delivered",
    ]  # fmt: skip
    assert (parcel["rto"], parcel["delivered"], parcel["mh_inscanned"]) == (True, False, True)


def test_a_delivered_parcel_has_a_receiver(held: Ekart) -> None:
    shipment = held.book()
    assert "receiver" not in history(held, shipment["wbn"])[1]
    held.advance(shipment["id"], "Delivered")
    _, parcel = history(held, shipment["wbn"])
    assert (parcel["delivered"], parcel["receiver"]["name"]) == (True, "Asha Sample")


def test_dates_are_texts_in_india_time_and_numbers_are_texts(held: Ekart) -> None:
    shipment = held.book(weight=240)
    _, parcel = history(held, shipment["wbn"])
    (event,) = parcel["history"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0530", event["event_date"])
    assert re.fullmatch(r"\S+T\d\d:\d\d:\d\d\.\d{3}\+05:30", event["event_date_iso8601"])
    moment = dt.datetime.fromisoformat(event["event_date_iso8601"])
    assert abs(dt.datetime.now(dt.UTC) - moment) < LONG_AGO
    assert (parcel["weight"], parcel["shipment_value"]) == ("240.0", "1523.0")


def test_goods_over_twenty_kilograms_have_the_shape_of_large_ones(held: Ekart) -> None:
    assert "is_mps" not in history(held, held.book(weight=20_000)["wbn"])[1]
    shipment = held.book(weight=20_001)
    held.advance(shipment["id"], "Picked Up")
    _, goods = history(held, shipment["wbn"])
    assert (goods["is_mps"], goods["status"]) == ("false", "Picked Up")
    (package,) = goods["shipments"]
    assert (package["delivered"], package["rto"], package["weight"]) == (
        "false",
        "false",
        "20001.0",
    )
    assert [event["status"] for event in package["history"]] == ["pickup_complete", "order_placed"]
    assert re.fullmatch(r"\S+T\S+\+05:30", package["history"][0]["event_date_iso8601"])


def test_several_packages_are_listed_one_by_one(held: Ekart) -> None:
    size = {"length": 9, "width": 9, "height": 9}
    packages = [size | {"weight": 900, "count": 2}, size | {"weight": 100}]
    shipment = held.book(mps=True, items=[{"product_name": "Desk"}], packages=packages)
    _, goods = history(held, shipment["wbn"])
    assert goods["is_mps"] == "true"
    assert [package["weight"] for package in goods["shipments"]] == ["900.0", "900.0", "100.0"]
    assert len({package["shipment_id"] for package in goods["shipments"]}) == 3


def test_the_history_of_a_registered_pickup_address_knows_its_name(held: Ekart) -> None:
    address = {"alias": "Depot", "phone": 9876543210, "address_line1": "x", "pincode": 560001}
    held.call("POST", "/api/v2/address", address)
    shipment = held.book(pickup_location={"name": "Depot"})
    assert history(held, shipment["wbn"])[1]["sender"]["address1"] == "Depot"


def test_a_changed_address_is_in_the_history(held: Ekart) -> None:
    shipment = held.book()
    held.advance(shipment["id"], "Undelivered")
    body = {"action": "Re-Attempt", "wbn": shipment["id"], "date": noon(1), "phone": "9123456789"}
    held.call("POST", "/api/v2/package/ndr", body)
    assert history(held, shipment["wbn"])[1]["customer"]["phone"] == "9123456789"


def test_the_history_of_an_unknown_waybill_is_not_found(held: Ekart) -> None:
    assert_refused(held.call("GET", "/data/v1/elite/track/unknown"), "does not exist", 404)


def test_a_picked_up_shipment_has_a_time_of_pick_up_and_an_expected_delivery(held: Ekart) -> None:
    shipment = held.book()
    path = f"/api/v1/track/{shipment['id']}"
    before = held.call("GET", path).json()
    assert "edd" not in before
    assert "pickupTime" not in before["track"]
    held.advance(shipment["id"], "Picked Up")
    after = held.call("GET", path).json()
    assert after["track"]["pickupTime"] == after["track"]["ctime"] < after["edd"]


@pytest.mark.parametrize("name", ["id", "wbn"])
def test_ekarts_own_tracking_knows_a_shipment_by_its_tracking_id_alone(
    held: Ekart, name: str
) -> None:
    answer = held.call("GET", f"/api/v1/track/{held.book()[name]}")
    assert answer.status_code == (200 if name == "id" else 404)
