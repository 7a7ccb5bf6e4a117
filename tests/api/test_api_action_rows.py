"""Actions and pickups over the API: their rows, what is open, and what is allowed."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client

from couriers.contract import india
from couriers.contract.actions import ActionKind, ActionResult, ActionRule, ActionState, PickupScope
from couriers.contract.statuses import Status
from couriers.models import CompanyApiKey, Shipment, WarehousePickup
from tests.support.api import post_json, set_status
from tests.support.factories import ShipmentFactory, WarehouseFactory

TOMORROW = (india.today() + dt.timedelta(days=1)).isoformat()
ACCEPTED = ActionResult(ActionState.ACCEPTED, handle="UPL1")


@pytest.fixture
def shipment(account: Any, able: Any) -> Shipment:
    return ShipmentFactory(
        account=account, warehouse=account.company.warehouses.get(), status="undelivered"
    )


def url(shipment: Shipment, name: str = "") -> str:
    return f"/api/v1/shipments/{shipment.pk}/" + (f"{name}/" if name else "")


# Rows


def test_an_accepted_action_is_a_202_with_its_row(
    storefront: Client, shipment: Shipment, able: Any
) -> None:
    able.on_call["request_rto"] = lambda _: ACCEPTED
    answer = post_json(storefront, url(shipment, "rto"), {"remark": "refused"})
    assert (answer.status_code, answer["Location"]) == (202, url(shipment, "actions"))
    assert answer["Retry-After"] == "60"
    action = answer.json()
    assert action["id"].startswith("act_")
    assert (action["kind"], action["state"], action["reason"], action["asked_by"]) == (
        "rto", "accepted", "refused", "api_key",
    )  # fmt: skip
    prefix = shipment.actions.get().key_prefix
    assert CompanyApiKey.objects.filter(prefix=prefix).exists()


def test_the_actions_of_a_shipment_are_listed_newest_first(
    storefront: Client, shipment: Shipment, able: Any
) -> None:
    made = [post_json(storefront, url(shipment, "rto"), {}).json()["id"] for _ in range(3)]
    first = storefront.get(url(shipment, "actions"), {"page_size": 2}).json()
    assert [row["id"] for row in first["results"]] == sorted(made, reverse=True)[:2]
    last = storefront.get(first["next"]).json()
    assert ([row["id"] for row in last["results"]], last["next"]) == ([min(made)], None)


def test_another_companys_actions_are_a_404(storefront: Client, able: Any) -> None:
    assert storefront.get(url(ShipmentFactory(), "actions")).status_code == 404


def test_a_cancellation_says_what_follows(
    storefront: Client, shipment: Shipment, able: Any
) -> None:
    answer = storefront.post(url(shipment, "cancel"))
    assert (answer.status_code, answer.json()["status"]) == (200, "rto_requested")
    assert storefront.get(url(shipment)).json()["status"] == "rto_requested"


def test_another_action_while_one_is_open_is_a_409_that_names_it(
    storefront: Client, shipment: Shipment, able: Any
) -> None:
    able.on_call["request_rto"] = lambda _: ACCEPTED
    first = post_json(storefront, url(shipment, "rto"), {"remark": "refused"})
    same = post_json(storefront, url(shipment, "rto"), {"remark": "refused"})
    assert (same.status_code, same.json()) == (202, first.json())
    other = storefront.post(url(shipment, "cancel"))
    assert (other.status_code, other.json()["type"]) == (409, "/problems/action-open")
    assert other.json()["action"] == first.json()["id"]
    assert other.json()["shipment"] == shipment.pk


# Rules


def test_a_shipment_lists_what_its_courier_takes_now(
    storefront: Client, shipment: Shipment
) -> None:
    def allowed(status: str, **more: Any) -> list[str]:
        set_status(shipment, status, **more)
        found: list[str] = storefront.get(url(shipment)).json()["actions_allowed"]
        return found

    assert allowed("undelivered") == ["cancel", "reattempt", "rto", "address"]
    assert allowed("booked") == ["cancel", "pickup"]
    assert allowed("delivered") == []
    reason = {"courier_status": "undelivered", "ndr_reason": "Refused by customer"}
    assert allowed("undelivered", **reason) == ["cancel", "rto", "address"]
    assert allowed("undelivered", direction="reverse") == ["cancel"]


def test_a_courier_without_a_plug_in_takes_no_action(
    storefront: Client, shipment: Shipment
) -> None:
    from couriers.contract.registry import CourierFactory

    CourierFactory.unregister("toy")
    assert storefront.get(url(shipment)).json()["actions_allowed"] == []


def test_a_courier_without_days_takes_a_reattempt_without_a_date(
    storefront: Client, shipment: Shipment, able: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = ActionRule(frozenset({Status.UNDELIVERED}))
    monkeypatch.setattr(able, "action_rules", {ActionKind.REATTEMPT: rule})
    for body, field, message in (
        ({"date": TOMORROW}, "date", "is not taken: Toy chooses the day itself"),
        ({"instructions": "Ring"}, "instructions", "is not taken by Toy"),
    ):
        answer = post_json(storefront, url(shipment, "reattempt"), body)
        assert answer.json()["errors"] == [{"field": field, "message": message}]
    assert post_json(storefront, url(shipment, "reattempt"), {}).status_code == 200
    assert able.asked[0][1].date is None


def test_a_courier_that_changes_names_takes_one_before_the_pickup(
    storefront: Client, shipment: Shipment, able: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = ActionRule(frozenset({Status.BOOKED}), fields=frozenset({"name", "phone", "address"}))
    monkeypatch.setattr(able, "action_rules", {ActionKind.ADDRESS: rule})
    set_status(shipment, "booked")
    answer = post_json(storefront, url(shipment, "address"), {"name": "Asha Rao"})
    assert (answer.status_code, able.asked[0][1].name) == (200, "Asha Rao")
    shipment.refresh_from_db()
    assert shipment.consignee_name == "Asha Rao"
    assert "Asha" not in answer.content.decode()


# Pickups


@pytest.fixture
def pickups(account: Any, able: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(able, "pickup_scope", PickupScope.WAREHOUSE)
    return f"/api/v1/warehouses/{account.company.warehouses.get().pk}/pickups/"


def test_a_pickup_is_a_201_once_and_a_200_afterwards(
    storefront: Client, pickups: str, able: Any
) -> None:
    body = {"courier": "toy", "date": TOMORROW, "slot": "10-13", "count": 12}
    first = post_json(storefront, pickups, body)
    again = post_json(storefront, pickups, body | {"count": 20})
    assert (first.status_code, again.status_code, len(able.asked)) == (201, 200, 1)
    assert first.json() == again.json()
    assert (first.json()["count"], first.json()["state"]) == (12, "done")
    assert storefront.get(pickups).json() == {"results": [first.json()], "next": None}


def test_an_accepted_pickup_is_a_202(storefront: Client, pickups: str, able: Any) -> None:
    able.on_call["schedule_pickup"] = lambda _: ACCEPTED
    answer = post_json(storefront, pickups, {"courier": "toy", "date": TOMORROW, "count": 1})
    assert (answer.status_code, answer.json()["handle"]) == (202, "UPL1")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"count": 0}, "count"),
        ({"count": 1.5}, "count"),
        ({"date": india.today().isoformat()}, "date"),
        ({"date": None}, "date"),
        ({"slot": "noon"}, "slot"),
        ({"courier": "nobody"}, "courier"),
        ({"parcels": 3}, "parcels"),
    ],
)
def test_a_wrong_pickup_is_refused_by_the_field(
    storefront: Client, pickups: str, able: Any, body: dict[str, Any], field: str
) -> None:
    whole = {"courier": "toy", "date": TOMORROW, "count": 1, **body}
    answer = post_json(storefront, pickups, whole)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field)
    assert (able.asked, WarehousePickup.objects.count()) == ([], 0)


def test_a_courier_without_pickups_of_warehouses_is_not_supported(
    storefront: Client, account: Any, able: Any
) -> None:
    at = f"/api/v1/warehouses/{account.company.warehouses.get().pk}/pickups/"
    answer = post_json(storefront, at, {"courier": "toy", "date": TOMORROW, "count": 1})
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/not-supported")


def test_another_companys_warehouse_is_a_404(storefront: Client, able: Any) -> None:
    at = f"/api/v1/warehouses/{WarehouseFactory().pk}/pickups/"
    assert storefront.get(at).status_code == 404
    body = {"courier": "toy", "date": TOMORROW, "count": 1}
    assert post_json(storefront, at, body).status_code == 404
