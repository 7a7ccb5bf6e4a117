"""NDR actions: what can be done about an undelivered parcel."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.sandbox_client import Ekart, assert_refused, day, noon

NDR = "/api/v2/package/ndr"


@pytest.fixture
def undelivered(moving_ekart: Ekart) -> str:
    tracking_id = moving_ekart.book()["id"]
    moving_ekart.wait_for(tracking_id, "Undelivered")
    return tracking_id


def reattempt(ekart: Ekart, tracking_id: str, **changes: Any) -> Any:
    body = {"action": "Re-Attempt", "wbn": tracking_id, "date": noon(1)} | changes
    return ekart.call("POST", NDR, body)


def test_a_reattempt_delivers_the_parcel(moving_ekart: Ekart, undelivered: str) -> None:
    answer = reattempt(moving_ekart, undelivered).json()
    assert (answer["status"], answer["tracking_id"]) == (True, undelivered)
    moving_ekart.wait_for(undelivered, "Delivered")
    assert moving_ekart.statuses(undelivered)[-3:] == [
        "Undelivered",
        "Out for Delivery",
        "Delivered",
    ]
    track = moving_ekart.call("GET", f"/api/v1/track/{undelivered}").json()["track"]
    assert track["attempts"] == 2


def test_an_rto_returns_the_parcel_to_the_seller(moving_ekart: Ekart, undelivered: str) -> None:
    answer = moving_ekart.call("POST", NDR, {"action": "RTO", "wbn": undelivered})
    assert answer.json()["status"] is True
    moving_ekart.wait_for(undelivered, "RTO Delivered")
    assert moving_ekart.statuses(undelivered)[-4:] == [
        "Undelivered", "Seller RTO Requested", "RTO In Transit", "RTO Delivered"
    ]  # fmt: skip


def test_an_action_on_a_parcel_that_is_not_undelivered_is_refused(ekart: Ekart) -> None:
    tracking_id = ekart.book()["id"]
    answer = reattempt(ekart, tracking_id)
    assert answer.status_code == 200
    assert answer.json()["status"] is False
    assert "Order Placed" in answer.json()["remark"]
    assert ekart.summary(tracking_id)["ndr_actions"] == []


def test_an_action_on_hold_is_recorded_and_changes_no_status(ekart: Ekart) -> None:
    shipment = ekart.book()
    tracking_id = shipment["id"]
    ekart.advance(tracking_id, "Undelivered")
    reattempt(ekart, tracking_id, instructions="Ring twice")
    summary = ekart.summary(tracking_id)
    assert (summary["status"], summary["ndr_actions"]) == ("Undelivered", ["Re-Attempt"])
    assert (summary["address_changed"], summary["phone_changed"]) == (False, False)

    reattempt(ekart, tracking_id, address="7, New Road", phone="9123456789")
    summary = ekart.summary(tracking_id)
    assert (summary["address_changed"], summary["phone_changed"]) == (True, True)
    label = {"ids": [tracking_id]}
    (data,) = ekart.call("POST", "/api/v1/package/label", label, json_only="true").json()
    assert (data["address"], data["phone"]) == ("7, New Road", "9123456789")


def test_an_rto_changes_no_address(ekart: Ekart) -> None:
    tracking_id = ekart.book()["id"]
    ekart.advance(tracking_id, "Undelivered")
    ekart.call("POST", NDR, {"action": "RTO", "wbn": tracking_id, "address": "7, New Road"})
    assert ekart.summary(tracking_id)["address_changed"] is False


@pytest.mark.parametrize("ahead", [1, 7])
def test_a_reattempt_is_from_tomorrow_to_seven_days_ahead(ekart: Ekart, ahead: int) -> None:
    tracking_id = ekart.book()["id"]
    ekart.advance(tracking_id, "Undelivered")
    assert reattempt(ekart, tracking_id, date=noon(ahead)).json()["status"] is True


@pytest.mark.parametrize(
    ("changes", "about"),
    [
        ({"date": noon(0)}, "tomorrow"),
        ({"date": noon(8)}, "7 days"),
        ({"date": noon(1) // 1000}, "tomorrow"),
        ({"date": 10**30}, "date"),
        ({"date": str(noon(1))}, "date"),
        ({"date": str(day(1))}, "date"),
        ({"action": "Edit"}, "action"),
        ({"phone": 9123456789}, "phone"),
        ({"phone": "+919123456789"}, "phone"),
        ({"address": ""}, "address"),
        ({"instructions": 7}, "instructions"),
        ({"links": "http://x.example"}, "links"),
        ({"wbn": None}, "wbn"),
    ],
)
def test_an_action_is_refused_as_the_document_says(
    ekart: Ekart, changes: dict[str, Any], about: str
) -> None:
    tracking_id = ekart.book()["id"]
    ekart.advance(tracking_id, "Undelivered")
    assert_refused(reattempt(ekart, tracking_id, **changes), about)


def test_a_reattempt_needs_a_date(ekart: Ekart) -> None:
    answer = ekart.call("POST", NDR, {"action": "Re-Attempt", "wbn": ekart.book()["id"]})
    assert_refused(answer, "date is required")


def test_an_action_on_an_unknown_shipment_is_not_found(ekart: Ekart) -> None:
    assert_refused(reattempt(ekart, "unknown"), "does not exist", 404)


def test_an_action_does_not_take_a_waybill(ekart: Ekart) -> None:
    assert_refused(reattempt(ekart, ekart.book()["wbn"]), "does not exist", 404)
