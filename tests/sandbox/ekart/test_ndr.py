"""What can be done about a parcel that was not delivered."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.sandbox_client import Ekart, assert_refused, day, noon

NDR = "/api/v2/package/ndr"


@pytest.fixture
def undelivered(lively: Ekart) -> str:
    tracking_id = lively.book()["id"]
    lively.wait_for(tracking_id, "Undelivered")
    return tracking_id


def attempt(ekart: Ekart, tracking_id: str, **changes: Any) -> Any:
    body = {"action": "Re-Attempt", "wbn": tracking_id, "date": noon(1)} | changes
    return ekart.call("POST", NDR, body)


def test_another_attempt_delivers_the_parcel(lively: Ekart, undelivered: str) -> None:
    answer = attempt(lively, undelivered).json()
    assert (answer["status"], answer["tracking_id"]) == (True, undelivered)
    lively.wait_for(undelivered, "Delivered")
    assert lively.statuses(undelivered)[-3:] == ["Undelivered", "Out for Delivery", "Delivered"]
    track = lively.call("GET", f"/api/v1/track/{undelivered}").json()["track"]
    assert track["attempts"] == 2


def test_a_return_takes_the_parcel_back_to_the_seller(lively: Ekart, undelivered: str) -> None:
    answer = lively.call("POST", NDR, {"action": "RTO", "wbn": undelivered})
    assert answer.json()["status"] is True
    lively.wait_for(undelivered, "RTO Delivered")
    assert lively.statuses(undelivered)[-4:] == [
        "Undelivered", "Seller RTO Requested", "RTO In Transit", "RTO Delivered"
    ]  # fmt: skip


def test_a_parcel_that_is_not_undelivered_is_told_so(held: Ekart) -> None:
    tracking_id = held.book()["id"]
    answer = attempt(held, tracking_id)
    assert answer.status_code == 200
    assert answer.json()["status"] is False
    assert "Order Placed" in answer.json()["remark"]
    assert held.summary(tracking_id)["ndr_actions"] == []


def test_on_hold_an_action_is_recorded_and_nothing_moves(held: Ekart) -> None:
    shipment = held.book()
    tracking_id = shipment["id"]
    held.advance(tracking_id, "Undelivered")
    attempt(held, tracking_id, instructions="Ring twice")
    summary = held.summary(tracking_id)
    assert (summary["status"], summary["ndr_actions"]) == ("Undelivered", ["Re-Attempt"])
    assert (summary["address_changed"], summary["phone_changed"]) == (False, False)

    attempt(held, tracking_id, address="7, New Road", phone="9123456789")
    summary = held.summary(tracking_id)
    assert (summary["address_changed"], summary["phone_changed"]) == (True, True)
    label = {"ids": [tracking_id]}
    (data,) = held.call("POST", "/api/v1/package/label", label, json_only="true").json()
    assert (data["address"], data["phone"]) == ("7, New Road", "9123456789")


def test_address_and_phone_ride_on_another_attempt_alone(held: Ekart) -> None:
    tracking_id = held.book()["id"]
    held.advance(tracking_id, "Undelivered")
    held.call("POST", NDR, {"action": "RTO", "wbn": tracking_id, "address": "7, New Road"})
    assert held.summary(tracking_id)["address_changed"] is False


@pytest.mark.parametrize("ahead", [1, 7])
def test_an_attempt_is_from_tomorrow_to_seven_days_ahead(held: Ekart, ahead: int) -> None:
    tracking_id = held.book()["id"]
    held.advance(tracking_id, "Undelivered")
    assert attempt(held, tracking_id, date=noon(ahead)).json()["status"] is True


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
    held: Ekart, changes: dict[str, Any], about: str
) -> None:
    tracking_id = held.book()["id"]
    held.advance(tracking_id, "Undelivered")
    assert_refused(attempt(held, tracking_id, **changes), about)


def test_another_attempt_needs_a_date(held: Ekart) -> None:
    answer = held.call("POST", NDR, {"action": "Re-Attempt", "wbn": held.book()["id"]})
    assert_refused(answer, "date is required")


def test_an_action_on_an_unknown_shipment_is_not_found(held: Ekart) -> None:
    assert_refused(attempt(held, "unknown"), "does not exist", 404)


def test_an_action_knows_a_shipment_by_its_tracking_id_alone(held: Ekart) -> None:
    assert_refused(attempt(held, held.book()["wbn"]), "does not exist", 404)
