"""The create call: its form, its four answers, duplicates and reserved waybills."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.support.delhivery_sandbox_client import CLIENT, WAREHOUSE, Delhivery

LOCATION = {"name": WAREHOUSE["name"]}
BOX = {"shipment_type": "MPS", "mps_children": 2, "mps_amount": 0}


def raw(package: dict[str, Any]) -> str:
    return "format=json&data=" + json.dumps({"shipments": [package], "pickup_location": LOCATION})


def test_a_booked_package_has_its_order_as_refnum(delhivery: Delhivery) -> None:
    package = delhivery.package(payment_mode="COD", cod_amount="1523.00", pin=110001)
    answer = delhivery.create(package)
    (booked,) = answer["packages"]
    assert (answer["success"], booked["status"], booked["remarks"]) == (True, "Success", [""])
    assert (booked["refnum"], booked["payment"]) == (package["order"], "COD")
    assert (booked["cod_amount"], answer["cod_count"], answer["package_count"]) == (1523.0, 1, 1)
    assert delhivery.problems() == []


@pytest.mark.parametrize(
    ("name", "words"),
    [("Rao & Sons", "Unterminated string"), ("Rao # Sons", "Unterminated string")],
)
def test_a_raw_body_is_broken_by_signs_that_a_form_knows(
    delhivery: Delhivery, name: str, words: str
) -> None:
    whole = delhivery.send(raw(delhivery.package()), "application/json").json()
    assert whole["success"] is True
    broken = delhivery.send(raw(delhivery.package(name=name)), "application/json").json()
    assert (broken["success"], broken["packages"]) == (False, [])
    assert words in broken["rmk"]
    assert "Content-Type must be application/x-www-form-urlencoded" in delhivery.problems()


def test_an_encoded_form_passes_those_signs_and_lists_them(delhivery: Delhivery) -> None:
    package = delhivery.package(name="Rao & Sons 100%")
    assert delhivery.create(package)["success"] is True
    assert "name has one of &#%;\\" in delhivery.problems()


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"data": "{}"}, "format key missing in the post"),
        ({"format": "json", "data": "{}"}, "shipment list contains no data"),
        ({"format": "json", "data": '{"shipments": []}'}, "shipment list contains no data"),
        ({"format": "json", "data": "{"}, "Expecting property name"),
    ],
)
def test_a_request_that_cannot_be_read_is_refused_whole(
    delhivery: Delhivery, form: dict[str, str], words: str
) -> None:
    answer = delhivery.send(urlencode(form)).json()
    assert (answer["success"], answer["packages"]) == (False, [])
    assert words in answer["rmk"]


@pytest.mark.parametrize("name", ["bengaluru 1", "Bengaluru 1 ", "Mysuru"])
def test_the_name_of_a_warehouse_counts_by_case_and_spaces(delhivery: Delhivery, name: str) -> None:
    answer = delhivery.create(delhivery.package(), warehouse=name)
    assert answer["packages"] == []
    assert answer["rmk"] == "ClientWarehouse matching query does not exist."


@pytest.mark.parametrize(
    ("switch", "words"),
    [
        ("warehouse_inactive", "Client-Warehouse is not active."),
        ("client_inactive", "client is not active"),
        ("other_environment", "'NoneType' object has no attribute 'end_date'"),
    ],
)
def test_an_account_can_be_refused_whole(delhivery: Delhivery, switch: str, words: str) -> None:
    delhivery.switch(**{switch: True})
    before = delhivery.sandbox.state()["booked"]
    answer = delhivery.create(delhivery.package())
    assert (answer["success"], answer["packages"], answer["rmk"]) == (False, [], words)
    assert delhivery.sandbox.state()["booked"] == before


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"pin": "999001"}, "999001 is non serviceable pincode"),
        ({"pin": "998001"}, "998001 is non serviceable pincode"),
        ({"weight": 60_000}, "110001 is non serviceable pincode"),
        ({"pin": "997001", "payment_mode": "COD", "cod_amount": 5}, "Package type COD not"),
        ({"pin": "12"}, "Consignee pin code is invalid"),
        ({"phone": "9999999999"}, "suspicious order/consignee"),
        ({"phone": "12345"}, "Incorrect phone number(s) for order"),
        ({"phone": ""}, "No phone number provided."),
        ({"name": " "}, "consignee name not provided"),
        ({"add": ""}, "add is required"),
        ({"order": "D" * 51}, "oid does not pass the validator"),
        ({"payment_mode": "Cash"}, 'Payment mode "Cash" could not be standardized'),
        ({"payment_mode": "COD"}, "COD amount missing for COD/Cash package"),
        ({"shipment_type": "Forward"}, "Waybill does not match master"),
        ({"waybill": "1234567890123"}, "wbn: 1234567890123 is not available"),
        ({"total_amount": 50_000}, "ewbn is required"),
    ],
)
def test_every_refusal_of_a_package_has_the_same_frame(
    delhivery: Delhivery, changes: dict[str, Any], reason: str
) -> None:
    before = delhivery.sandbox.state()["booked"]
    remark = delhivery.refusal(**changes)
    start = "Crashing while saving package due to exception "
    assert remark.startswith(start + reason)
    assert remark.endswith(". Package might have been partially saved.")
    assert delhivery.sandbox.state()["booked"] == before


@pytest.mark.parametrize(
    "phone", ["919845012345", "+919845012345", "+91-9845012345", "09845012345"]
)
def test_prefixes_of_phones_are_taken(delhivery: Delhivery, phone: str) -> None:
    delhivery.book(phone=phone)


def test_remarks_can_be_a_text_with_an_error_code_beside_them(delhivery: Delhivery) -> None:
    delhivery.switch(remarks="text")
    (package,) = delhivery.create(delhivery.package(phone="9999999999"))["packages"]
    assert "suspicious" in package["remarks"]
    assert package["err_code"] == "ER0005"


@pytest.mark.parametrize(
    ("switch", "reason"),
    [
        ("empty_wallet", "insufficient balance"),
        ("capacity_exceeded", "capacity of 110001"),
        ("pickups_fail", "pickup failure rate"),
    ],
)
def test_an_account_can_refuse_a_package(delhivery: Delhivery, switch: str, reason: str) -> None:
    delhivery.switch(**{switch: True})
    assert reason in delhivery.refusal()


def test_a_return_can_have_a_quality_check(delhivery: Delhivery) -> None:
    item = {
        "item": "Shoe",
        "questions": [{"questions_id": "1", "options": ["yes"], "value": "yes"}],
    }
    asked = {"payment_mode": "Pickup", "qc_type": "param", "custom_qc": [item]}
    answer = delhivery.create(delhivery.package(**asked, return_pin="560001"))
    assert (answer["success"], answer["pickups_count"]) == (True, 1)
    assert answer["packages"][0]["payment"] == "Pickup"
    assert delhivery.problems() == []
    delhivery.create(delhivery.package(**asked | {"custom_qc": [item] * 3}))
    assert delhivery.problems() == ["custom_qc must be 1 to 2 items"]


def test_an_exchange_is_booked(delhivery: Delhivery) -> None:
    answer = delhivery.create(delhivery.package(payment_mode="REPL"))
    assert (answer["success"], answer["replacement_count"]) == (True, 1)


def test_only_an_equal_order_is_a_duplicate(delhivery: Delhivery) -> None:
    package = delhivery.package()
    assert delhivery.create(package)["success"] is True
    (again,) = delhivery.create(package)["packages"]
    assert f"Duplicate Order Id : {package['order']}" in again["remarks"][0]
    before = delhivery.sandbox.state()["duplicates"]
    for name in ("total_amount", "products_desc", "name"):
        changed = package | {name: 99 if name == "total_amount" else "Other"}
        assert delhivery.create(changed)["success"] is True
    assert delhivery.sandbox.state()["duplicates"] == before + 3


def test_a_reserved_waybill_is_used_once_by_its_account_alone(delhivery: Delhivery) -> None:
    answer = delhivery.call("GET", "/waybill/api/fetch/json/", cl=CLIENT)
    waybill = answer.json()
    assert isinstance(waybill, str)
    other = Delhivery(delhivery.sandbox, "other-key")
    assert f"wbn: {waybill} is not available" in other.refusal(waybill=waybill)
    assert delhivery.book(waybill=waybill) == waybill
    assert "Duplicate waybill" in delhivery.refusal(waybill=waybill)


def test_several_boxes_are_one_booking(delhivery: Delhivery) -> None:
    master, second = delhivery.call(
        "GET", "/waybill/api/bulk/json/", cl=CLIENT, count=2
    ).json().split(",")  # fmt: skip
    before = delhivery.sandbox.state()
    first = delhivery.package(waybill=master, master_id=master, **BOX)
    answer = delhivery.create(first, first | {"waybill": second})
    assert [package["waybill"] for package in answer["packages"]] == [master, second]
    after = delhivery.sandbox.state()
    assert (after["booked"], after["boxes"]) == (before["booked"] + 1, before["boxes"] + 1)
    delhivery.advance(master, "UD/In Transit/X-PPOM")
    assert delhivery.status(second) == "UD/In Transit/X-PPOM"


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"colour": "red"}, "colour is no field"),
        ({"cod_amount": 5}, "cod_amount must be left out for Prepaid"),
        ({"phone": 9845012345}, "phone must be text"),
        ({"weight": "light"}, "weight must be a number"),
        ({"weight": 0}, "weight must be above 0 grams"),
        ({"shipping_mode": "Air"}, "shipping_mode must be one of Surface, Express"),
        ({"client": CLIENT}, "client must be left out"),
        ({"shipment_type": "MPS"}, "master_id is required for MPS"),
        ({"qc_type": "param", "custom_qc": []}, "a quality check is for returns"),
    ],
)
def test_what_breaks_the_document_is_listed_whatever_is_answered(
    delhivery: Delhivery, changes: dict[str, Any], problem: str
) -> None:
    delhivery.create(delhivery.package(**changes))
    assert problem in delhivery.problems()


def test_an_order_number_can_choose_a_refusal_and_a_lost_answer(delhivery: Delhivery) -> None:
    assert "as it asks for" in delhivery.refusal(order="TEST-REFUSED-1")
    with pytest.raises(OSError, match=r"reset|aborted"):
        delhivery.create(delhivery.package(order="TEST-DOUBT-1"))
    found = delhivery.track(ref_ids="TEST-DOUBT-1")
    assert len(found["ShipmentData"]) == 1


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("partial_save", "Package might have been partially saved."),
        ("might_be_saved", "Package might be saved"),
        ("duplicate_order", "Duplicate Order Id : "),
        ("duplicate_waybill", "Duplicate waybill"),
        ("other_environment", "'NoneType' object has no attribute 'end_date'"),
    ],
)
@pytest.mark.parametrize("when", ["before", "after"])
def test_an_ambiguous_answer_comes_with_and_without_a_booking(
    delhivery: Delhivery, kind: str, words: str, when: str
) -> None:
    delhivery.sandbox.set_faults(("create_shipment", f"{kind}_{when}", 1))
    package = delhivery.package()
    answer = delhivery.create(package)
    assert answer["success"] is False
    assert words in json.dumps(answer)
    assert {one["refnum"] for one in answer["packages"]} <= {package["order"]}
    found = delhivery.track(ref_ids=package["order"])
    assert ("ShipmentData" in found) == (when == "after")
