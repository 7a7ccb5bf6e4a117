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


def test_the_history_is_found_by_waybill_and_by_tracking_id(ekart: Ekart) -> None:
    shipment = ekart.book()
    assert history(ekart, shipment["id"]) == history(ekart, shipment["wbn"])
    assert history(ekart, shipment["id"])[0] == shipment["wbn"]


def test_the_history_has_the_statuses_of_the_network(moving_ekart: Ekart) -> None:
    shipment = moving_ekart.book()
    moving_ekart.wait_for(shipment["id"], "Undelivered")
    moving_ekart.call("POST", "/api/v2/package/ndr", {"action": "RTO", "wbn": shipment["id"]})
    moving_ekart.wait_for(shipment["id"], "RTO Delivered")
    _, parcel = history(moving_ekart, shipment["wbn"])
    words = [event["status"] for event in reversed(parcel["history"])]
    assert words == [
        "order_placed", "pickup_scheduled", "out_for_pickup", "pickup_complete", "in_transit",
        "out_for_delivery", "undelivered", "rto_requested", "rto_in_transit", "rto_delivered",
    ]  # fmt: skip
    assert (parcel["rto"], parcel["delivered"], parcel["mh_inscanned"]) == (True, False, True)


def test_a_delivered_parcel_has_a_receiver(ekart: Ekart) -> None:
    shipment = ekart.book()
    assert "receiver" not in history(ekart, shipment["wbn"])[1]
    ekart.advance(shipment["id"], "Delivered")
    _, parcel = history(ekart, shipment["wbn"])
    assert (parcel["delivered"], parcel["receiver"]["name"]) == (True, "Asha Sample")


def test_the_history_has_times_in_india_time_and_numbers_as_texts(ekart: Ekart) -> None:
    shipment = ekart.book(weight=240)
    _, parcel = history(ekart, shipment["wbn"])
    (event,) = parcel["history"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0530", event["event_date"])
    assert re.fullmatch(r"\S+T\d\d:\d\d:\d\d\.\d{3}\+05:30", event["event_date_iso8601"])
    moment = dt.datetime.fromisoformat(event["event_date_iso8601"])
    assert abs(dt.datetime.now(dt.UTC) - moment) < LONG_AGO
    assert (parcel["weight"], parcel["shipment_value"]) == ("240.0", "1523.0")


def test_goods_over_twenty_kilograms_have_the_history_of_large_goods(ekart: Ekart) -> None:
    assert "is_mps" not in history(ekart, ekart.book(weight=20_000)["wbn"])[1]
    shipment = ekart.book(weight=20_001)
    ekart.advance(shipment["id"], "Picked Up")
    _, goods = history(ekart, shipment["wbn"])
    assert (goods["is_mps"], goods["status"]) == ("false", "Picked Up")
    (package,) = goods["shipments"]
    assert (package["delivered"], package["rto"], package["weight"]) == (
        "false",
        "false",
        "20001.0",
    )
    assert [event["status"] for event in package["history"]] == ["pickup_complete", "order_placed"]
    assert re.fullmatch(r"\S+T\S+\+05:30", package["history"][0]["event_date_iso8601"])


def test_the_history_lists_each_of_several_packages(ekart: Ekart) -> None:
    size = {"length": 9, "width": 9, "height": 9}
    packages = [size | {"weight": 900, "count": 2}, size | {"weight": 100}]
    shipment = ekart.book(mps=True, items=[{"product_name": "Desk"}], packages=packages)
    _, goods = history(ekart, shipment["wbn"])
    assert goods["is_mps"] == "true"
    assert [package["weight"] for package in goods["shipments"]] == ["900.0", "900.0", "100.0"]
    assert len({package["shipment_id"] for package in goods["shipments"]}) == 3


def test_the_history_has_the_alias_of_a_registered_pickup_address(ekart: Ekart) -> None:
    address = {"alias": "Depot", "phone": 9876543210, "address_line1": "x", "pincode": 560001}
    ekart.call("POST", "/api/v2/address", address)
    shipment = ekart.book(pickup_location={"name": "Depot"})
    assert history(ekart, shipment["wbn"])[1]["sender"]["address1"] == "Depot"


def test_the_history_has_a_changed_phone(ekart: Ekart) -> None:
    shipment = ekart.book()
    ekart.advance(shipment["id"], "Undelivered")
    body = {"action": "Re-Attempt", "wbn": shipment["id"], "date": noon(1), "phone": "9123456789"}
    ekart.call("POST", "/api/v2/package/ndr", body)
    assert history(ekart, shipment["wbn"])[1]["customer"]["phone"] == "9123456789"


def test_the_history_of_an_unknown_waybill_is_not_found(ekart: Ekart) -> None:
    assert_refused(ekart.call("GET", "/data/v1/elite/track/unknown"), "does not exist", 404)


def test_a_picked_up_shipment_has_a_time_of_pick_up_and_an_expected_delivery(ekart: Ekart) -> None:
    shipment = ekart.book()
    path = f"/api/v1/track/{shipment['id']}"
    before = ekart.call("GET", path).json()
    assert "edd" not in before
    assert "pickupTime" not in before["track"]
    ekart.advance(shipment["id"], "Picked Up")
    after = ekart.call("GET", path).json()
    assert after["track"]["pickupTime"] == after["track"]["ctime"] < after["edd"]


@pytest.mark.parametrize("name", ["id", "wbn"])
def test_tracking_takes_a_tracking_id_but_no_waybill(ekart: Ekart, name: str) -> None:
    answer = ekart.call("GET", f"/api/v1/track/{ekart.book()[name]}")
    assert answer.status_code == (200 if name == "id" else 404)
