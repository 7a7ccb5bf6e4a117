"""Actions on a shipment over the API, and the statuses in which they are refused."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from couriers.contract import india
from couriers.contract.actions import ActionResult, ActionState
from couriers.contract.errors import CircuitOpen, FieldProblem, InvalidRequest, Rejected, Unknown
from couriers.contract.statuses import STATUS_FACTS, Category, Status
from couriers.models import CourierCall, Shipment
from tests.support.api import set_status
from tests.support.drafts import raising
from tests.support.factories import ShipmentFactory

TOMORROW = (india.today() + dt.timedelta(days=1)).isoformat()
ACTIONS: dict[str, dict[str, Any]] = {
    "cancel": {},
    "track": {},
    "reattempt": {"date": TOMORROW},
    "rto": {"remark": "refused"},
    "address": {"date": TOMORROW, "phone": "98450 12345"},
    "dispatch-date": {"date": TOMORROW},
}
METHODS = {
    "cancel": "cancel_shipment",
    "track": "track_shipment",
    "reattempt": "request_reattempt",
    "rto": "request_rto",
    "address": "update_delivery_address",
    "dispatch-date": "schedule_pickup",
}


@pytest.fixture
def shipment(account: Any, able: Any) -> Shipment:
    return ShipmentFactory(
        account=account, warehouse=account.company.warehouses.get(), status="undelivered"
    )


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = str(tmp_path)
    return tmp_path


def post_action(client: Client, shipment: Shipment, name: str, body: Any = None) -> Any:
    data = ACTIONS[name] if body is None else body
    url = f"/api/v1/shipments/{shipment.pk}/{name}/"
    return client.post(url, json.dumps(data), content_type="application/json")


def is_allowed(name: str, status: Status) -> bool:
    facts = STATUS_FACTS[status]
    if name == "cancel":
        return facts.cancellable or status == Status.CANCELLED
    if name == "dispatch-date":
        return facts.category is Category.PICKUP
    return facts.reattemptable


@pytest.mark.parametrize("name", ["cancel", "reattempt", "rto", "address", "dispatch-date"])
def test_an_action_is_accepted_only_in_a_status_that_allows_it(
    storefront: Client, shipment: Shipment, able: Any, name: str
) -> None:
    for status in Status:
        if status in (Status.BOOKING, Status.IN_DOUBT, Status.FAILED):
            continue
        shipment.scans.all().delete()
        shipment.actions.all().delete()
        set_status(shipment, status)
        able.asked.clear()
        answer = post_action(storefront, shipment, name)
        if is_allowed(name, status):
            assert (answer.status_code, answer.json()["state"]) == (200, "done"), status
        else:
            assert answer.status_code == 409, status
            assert answer.json()["type"].startswith("/problems/not-")
            assert able.asked == []


def test_a_reattempt_is_sent_with_its_date_and_recorded(
    storefront: Client, shipment: Shipment, able: Any
) -> None:
    answer = post_action(
        storefront, shipment, "reattempt", {"date": TOMORROW, "instructions": "Ring"}
    )
    action = answer.json()
    assert (action["state"], action["handle"], action["remark"]) == ("done", "", "again")
    assert (action["kind"], action["date"], action["reason"]) == ("reattempt", TOMORROW, "Ring")
    (name, request) = able.asked[0]
    assert (name, request.tracking_id) == ("request_reattempt", shipment.tracking_id)
    assert (request.date.isoformat(), request.instructions) == (TOMORROW, "Ring")
    call = CourierCall.objects.get()
    assert (call.operation, call.outcome, call.shipment_id) == (
        "request_reattempt", "ok", shipment.pk,
    )  # fmt: skip


def test_a_reason_that_rules_out_a_reattempt_still_allows_rto(
    storefront: Client, shipment: Shipment, able: Any
) -> None:
    set_status(
        shipment, "undelivered", courier_status="undelivered", ndr_reason="Refused by customer"
    )
    assert (
        post_action(storefront, shipment, "reattempt").json()["type"]
        == "/problems/not-reattemptable"
    )
    assert post_action(storefront, shipment, "rto").status_code == 200
    assert able.asked == [("request_rto", (shipment.tracking_id, "refused"))]


@pytest.mark.parametrize(
    ("name", "body", "field"),
    [
        ("reattempt", {}, "date"),
        ("reattempt", {"date": "soon"}, "date"),
        ("reattempt", {"date": "2020-01-01"}, "date"),
        ("reattempt", {"date": india.today().isoformat()}, "date"),
        ("reattempt", {"date": "9999-12-31"}, "date"),
        ("reattempt", {"date": TOMORROW, "instructions": "x" * 201}, "instructions"),
        ("rto", {"remark": "x" * 201}, "remark"),
        ("rto", {"why": "x"}, "why"),
        ("address", {"date": TOMORROW}, "address"),
        ("address", {"date": TOMORROW, "phone": "98765ABCDE"}, "phone"),
        ("address", {"date": TOMORROW, "address": "x" * 501}, "address"),
        ("dispatch-date", {"date": TOMORROW, "slot": "x" * 51}, "slot"),
    ],
)
def test_an_invalid_field_is_named_before_any_call(
    storefront: Client, shipment: Shipment, able: Any, name: str, body: Any, field: str
) -> None:
    if name == "dispatch-date":
        set_status(shipment, "booked")
    answer = post_action(storefront, shipment, name, body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field)
    assert able.asked == []


def test_a_body_that_is_not_an_object_is_refused(storefront: Client, shipment: Shipment) -> None:
    for body in ([], "x", 1):
        assert post_action(storefront, shipment, "rto", body).status_code == 400


def test_a_refusal_by_the_plug_in_names_the_field(
    storefront: Client, shipment: Shipment, able: Any
) -> None:
    problem = FieldProblem("date", "must be at most seven days ahead")
    able.on_call["request_reattempt"] = raising(InvalidRequest([problem]))
    answer = post_action(storefront, shipment, "reattempt")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "date")


@pytest.mark.parametrize("name", sorted(ACTIONS))
@pytest.mark.parametrize(
    ("error", "status", "outcome"),
    [
        (Unknown("read time-out"), 502, "unknown"),
        (CircuitOpen("failing", retry_after=40), 503, "not_sent"),
        (Rejected("no", courier_message="Not in NDR state"), 422, "rejected"),
        (KeyError("a fault in the plug-in"), 502, "unknown"),
    ],
)
def test_a_failed_action_is_a_problem_and_changes_nothing(
    storefront: Client,
    shipment: Shipment,
    able: Any,
    name: str,
    error: Exception,
    status: int,
    outcome: str,
) -> None:
    if name == "dispatch-date":
        set_status(shipment, "booked")
    before = Shipment.objects.get().status
    able.on_call[METHODS[name]] = raising(error)
    storefront.raise_request_exception = False
    answer = post_action(storefront, shipment, name)
    assert answer.status_code == status
    assert Shipment.objects.get().status == before
    assert Shipment.objects.get().consignee_phone == "9876543210"
    if status == 503:
        assert answer["Retry-After"] == "40"
    if status == 422:
        assert answer.json()["courier_message"] == "Not in NDR state"
    if name != "track":
        assert CourierCall.objects.get().outcome == outcome


def test_a_new_phone_and_address_are_stored_once_the_courier_has_them(
    storefront: Client, shipment: Shipment, able: Any
) -> None:
    body = {"date": TOMORROW, "phone": "+91 98450 12345", "address": "7, New Lane"}
    assert post_action(storefront, shipment, "address", body).status_code == 200
    shipment.refresh_from_db()
    assert (shipment.consignee_phone, shipment.consignee_address) == ("9845012345", "7, New Lane")
    assert able.asked[0][1].phone == "9845012345"
    assert "7, New Lane" not in str(CourierCall.objects.values().get())


def test_an_accepted_cancellation_does_not_change_the_status_yet(
    storefront: Client, shipment: Shipment, able: Any
) -> None:
    able.on_call["cancel_shipment"] = lambda _: ActionResult(ActionState.ACCEPTED, handle="h-1")
    answer = post_action(storefront, shipment, "cancel")
    assert answer.status_code == 202
    assert (answer.json()["state"], answer.json()["handle"]) == ("accepted", "h-1")
    assert Shipment.objects.get().status == "undelivered"


def test_a_return_has_its_own_operations_for_pickup_and_cancellation(
    storefront: Client, shipment: Shipment, able: Any
) -> None:
    set_status(shipment, "booked", direction="reverse")
    assert post_action(storefront, shipment, "dispatch-date").status_code == 200
    assert post_action(storefront, shipment, "cancel").status_code == 200
    assert [name for name, _ in able.asked] == [
        "schedule_reverse_pickup", "cancel_reverse_shipment",
    ]  # fmt: skip
    set_status(shipment, "undelivered", direction="reverse")
    assert post_action(storefront, shipment, "rto").status_code == 409


def test_a_pickup_has_the_couriers_reference_of_the_warehouse(
    storefront: Client, shipment: Shipment, account: Any, able: Any
) -> None:
    set_status(shipment, "booked")
    shipment.warehouse.registrations.create(account=account, reference="WH-7", state="synced")
    post_action(storefront, shipment, "dispatch-date", {"date": TOMORROW, "slot": "10-13"})
    request = able.asked[0][1]
    assert (request.pickup.reference, request.slot) == ("WH-7", "10-13")
    assert request.tracking_ids == (shipment.tracking_id,)


@pytest.mark.parametrize("name", ["reattempt", "rto", "address", "dispatch-date"])
def test_an_action_that_the_courier_lacks_is_not_supported_and_not_recorded(
    storefront: Client, account: Any, toy: Any, name: str
) -> None:
    shipment = ShipmentFactory(
        account=account,
        warehouse=account.company.warehouses.get(),
        status="booked" if name == "dispatch-date" else "undelivered",
    )
    answer = post_action(storefront, shipment, name)
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/not-supported")
    assert not CourierCall.objects.exists()


@pytest.mark.parametrize("name", [*sorted(ACTIONS), "label"])
def test_another_companys_shipment_is_a_404_for_every_action(
    storefront: Client, able: Any, name: str
) -> None:
    other = ShipmentFactory(status="undelivered")
    url = f"/api/v1/shipments/{other.pk}/{name}/"
    answer = storefront.get(url) if name == "label" else post_action(storefront, other, name)
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")
    assert able.asked == []
