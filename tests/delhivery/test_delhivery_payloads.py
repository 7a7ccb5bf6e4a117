"""What is sent to Delhivery, and what is refused before any call."""

from __future__ import annotations

import dataclasses
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs

import pytest

from couriers.contract.action_rules import ActionFacts, allowed_actions
from couriers.contract.statuses import Status
from couriers.contract.types import Direction, Item, Parcel, PaymentMode, RateRequest
from couriers.http.calls import Call
from couriers_delhivery.adapter import DelhiveryAdapter
from couriers_delhivery.client import OPERATIONS
from couriers_delhivery.mapper import payloads
from couriers_delhivery.mapper.refusals import booking_problems
from couriers_delhivery.mapper.statuses import DELHIVERY_MAPPER
from tests.support.delhivery import REQUEST, WAYBILL, request_with, return_with

BOX = {"weight_g": 500, "length_cm": 10, "width_cm": 10, "height_cm": 10}
CHECK = {"item": "T-shirt", "questions": [{"questions_id": "q1", "value": ["L"]}]}


def sent(request: Any = REQUEST, *numbers: str) -> Any:
    form = payloads.create_form(request, numbers)
    assert form["format"] == "json"
    return form["data"]


def the_shipment(request: Any = REQUEST, *numbers: str) -> Any:
    (shipment,) = sent(request, *numbers)["shipments"]
    return shipment


def test_the_pickup_location_stands_beside_the_shipments_letter_by_letter() -> None:
    assert sent()["pickup_location"] == {"name": "Main Gate  1"}
    assert "pickup_location" not in the_shipment()


def test_a_prepaid_shipment_has_grams_and_no_cash() -> None:
    shipment = the_shipment()
    assert shipment["payment_mode"] == "Prepaid"
    assert (shipment["weight"], shipment["shipment_height"]) == (240, 8)
    assert (shipment["total_amount"], shipment["pin"], shipment["phone"]) == (
        1523.0, "411004", "9876543210",
    )  # fmt: skip
    assert not {"cod_amount", "shipment_type", "client", "waybill", "ewbn"} & set(shipment)


def test_cash_is_in_rupees() -> None:
    request = request_with(payment_mode=PaymentMode.COD, cod_amount=Decimal("1523.50"))
    assert (the_shipment(request)["payment_mode"], the_shipment(request)["cod_amount"]) == (
        "COD", 1523.5,
    )  # fmt: skip


def test_the_reserved_number_is_sent() -> None:
    assert the_shipment(REQUEST, WAYBILL)["waybill"] == WAYBILL


def test_characters_that_break_the_vendors_own_way_are_blanks() -> None:
    consignee = dataclasses.replace(REQUEST.consignee, name="Asha & Co", address="9% #4; A\\B")
    items = (dataclasses.replace(REQUEST.items[0], name="Salt & Pepper; 50%"),)
    shipment = the_shipment(request_with(consignee=consignee, items=items))
    assert (shipment["name"], shipment["add"]) == ("Asha Co", "9 4 A B")
    assert shipment["products_desc"] == "Salt Pepper 50"
    assert not any(set("&#%;\\") & set(str(value)) for value in shipment.values())


def test_the_body_is_a_percent_encoded_form() -> None:
    consignee = dataclasses.replace(REQUEST.consignee, name="आशा + Sample")
    form = payloads.create_form(request_with(consignee=consignee), ())
    body, kind = Call("create", OPERATIONS["create_shipment"], "/", form=form).body()
    assert kind == "application/x-www-form-urlencoded"
    assert body is not None
    assert parse_qs(body.decode())["format"] == ["json"]
    assert b"{" not in body


def test_goods_are_cut_at_200_characters() -> None:
    items = tuple(dataclasses.replace(REQUEST.items[0], name="T" * 90) for _ in range(4))
    assert len(the_shipment(request_with(items=items))["products_desc"]) == 200


def test_a_return_travels_from_the_customer_to_the_warehouse() -> None:
    shipment = the_shipment(return_with())
    assert (shipment["payment_mode"], shipment["name"]) == ("Pickup", "Asha Sample")
    assert (shipment["return_pin"], shipment["return_phone"]) == ("560001", "9845012345")
    assert not [name for name in the_shipment() if name.startswith("return_")]


def test_a_quality_check_is_by_questions() -> None:
    shipment = the_shipment(return_with(options={"quality_check": [CHECK]}))
    assert shipment["qc_type"] == "param"
    (check,) = shipment["custom_qc"]
    assert (check["item"], check["return_reason"]) == ("T-shirt", "Wrong size")
    assert check["questions"][0]["questions_id"] == "q1"


def test_several_boxes_are_a_group_with_numbers_of_their_own() -> None:
    request = request_with(
        payment_mode=PaymentMode.COD,
        cod_amount=Decimal("100.00"),
        options={"packages": [BOX | {"count": 2}, BOX | {"weight_g": 900}]},
    )
    boxes = sent(request, "1" * 14, "2" * 14, "3" * 14)["shipments"]
    assert [box["waybill"][0] for box in boxes] == ["1", "2", "3"]
    assert {(b["shipment_type"], b["master_id"], b["mps_children"]) for b in boxes} == {
        ("MPS", "1" * 14, 3)
    }
    assert [box["weight"] for box in boxes] == [500, 500, 900]
    assert {box["mps_amount"] for box in boxes} == {100.0}
    assert round(sum(box["cod_amount"] for box in boxes), 2) == 100.0
    assert round(sum(box["total_amount"] for box in boxes), 2) == 1523.0


def test_options_that_are_not_given_are_not_sent() -> None:
    shipment = the_shipment(request_with(service="Express", options={"fragile_shipment": True}))
    assert (shipment["shipping_mode"], shipment["fragile_shipment"]) == ("Express", True)
    assert not {"dangerous_good", "transport_speed", "address_type"} & set(shipment)


DEAR = (Item("Camera", 1, Decimal(50_000), Decimal(18)),)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"order_number": "A" * 51}, "order_number"),
        ({"order_number": ""}, "order_number"),
        *[({"order_number": f"A{sign}1"}, "order_number") for sign in "&#%;\\,"],
        ({"service": "SURFACE"}, "service"),
        ({"payment_mode": PaymentMode.COD}, "cod_amount"),
        ({"items": DEAR}, "options.ewaybill_number"),
        ({"options": {"packages": [BOX | {"count": 20}, BOX]}}, "options.packages"),
        ({"options": {"quality_check": [CHECK]}}, "options.quality_check"),
        ({"options": {"shipment_type": "Forward"}}, "options.shipment_type"),
    ],
)
def test_what_delhivery_would_refuse_is_named_before_any_call(
    changes: dict[str, Any], field: str
) -> None:
    assert field in [problem.field for problem in booking_problems(request_with(**changes))]


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"packages": [BOX]}, "options.packages"),
        ({"quality_check": [CHECK] * 3}, "options.quality_check"),
        ({"quality_check": [CHECK | {"questions": CHECK["questions"] * 7}]},  # type: ignore[operator]
         "options.quality_check[0].questions"),
    ],
)  # fmt: skip
def test_what_a_return_cannot_have_is_named(options: dict[str, Any], field: str) -> None:
    assert [p.field for p in booking_problems(return_with(options=options))] == [field]


def test_good_requests_pass() -> None:
    ewaybill = {"ewaybill_number": "123456789012"}
    for request in (
        REQUEST,
        return_with(options={"quality_check": [CHECK] * 2}),
        request_with(order_number="A" * 50, items=DEAR, options=ewaybill),
        request_with(options={"packages": [BOX | {"count": 20}]}),
    ):
        assert booking_problems(request) == []


def test_a_warehouse_is_registered_with_texts_alone() -> None:
    payload = payloads.warehouse_payload(REQUEST.pickup, "main")
    assert set(payload) == {
        "name", "registered_name", "phone", "pin", "address", "city", "state", "country",
        "return_address", "return_pin", "return_city", "return_state", "return_country",
    }  # fmt: skip
    assert all(isinstance(value, str) for value in payload.values())


def test_a_price_is_asked_in_grams_with_the_payment_mode() -> None:
    request = RateRequest(
        "560001", "411004", Parcel(750, 30, 22, 8), PaymentMode.COD, Decimal(999), Decimal(999)
    )
    params = payloads.charges_params(request, "Express")
    assert (params["md"], params["cgm"], params["pt"], params["ss"]) == (
        "E", "750", "COD", "Delivered",
    )  # fmt: skip
    back = payloads.charges_params(
        dataclasses.replace(request, direction=Direction.REVERSE), "Surface"
    )
    assert (back["md"], back["pt"], back["ss"]) == ("S", "Pre-paid", "DTO")
    assert "cod" not in back


def allowed(
    status: Status, direction: Direction = Direction.FORWARD, code: str = "", attempts: int = 1
) -> set[str]:
    reason = DELHIVERY_MAPPER.map("Pending", kind="UD", code=code).reason if code else None
    facts = ActionFacts(status, direction, reason, attempts)
    return {str(kind) for kind in allowed_actions(DelhiveryAdapter, facts)}


def test_actions_are_offered_when_delhivery_takes_them() -> None:
    assert allowed(Status.BOOKED) == {"cancel", "address"}
    assert allowed(Status.IN_TRANSIT) == {"cancel", "address"}
    assert allowed(Status.OUT_FOR_DELIVERY) == set()
    assert allowed(Status.UNDELIVERED, code="EOD-11") == {"cancel", "address", "reattempt", "rto"}
    assert "reattempt" not in allowed(Status.UNDELIVERED, code="EOD-40")
    assert "reattempt" not in allowed(Status.UNDELIVERED, code="EOD-11", attempts=3)
    assert allowed(Status.PICKUP_SCHEDULED, Direction.REVERSE) == {"cancel", "address"}
    assert allowed(Status.PICKED_UP, Direction.REVERSE) == set()
    assert allowed(Status.PICKUP_CANCELLED, Direction.REVERSE) == {"pickup"}


def test_today_is_a_day_for_a_pickup() -> None:
    days = DelhiveryAdapter.action_rules["pickup"][0].days  # type: ignore[index]
    assert (days.first, days.last) == (0, 7)
