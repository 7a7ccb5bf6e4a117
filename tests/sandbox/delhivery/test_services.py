"""Pickups, documents, charges, days and pincodes."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import requests

from tests.support.delhivery_sandbox_client import WAREHOUSE, Delhivery

CHARGES, TAT = "/api/kinko/v1/invoice/charges/.json", "/api/dc/expected_tat"
PINCODES = "/c/api/pin-codes/json/"
LANE = {"md": "S", "ss": "Delivered", "o_pin": "560001", "d_pin": "110001", "cgm": "750"}
DAYS = {
    "origin_pin": "560001", "destination_pin": "110001", "mot": "S", "pdt": "B2C",
    "expected_pickup_date": "2026-12-01 17:00",
}  # fmt: skip


def day(ahead: int) -> str:
    today = dt.datetime.now(ZoneInfo("Asia/Kolkata")).date()
    return (today + dt.timedelta(days=ahead)).isoformat()


def pickup(delhivery: Delhivery, **changes: Any) -> requests.Response:
    body = {
        "pickup_location": WAREHOUSE["name"],
        "pickup_date": day(1),
        "pickup_time": "14:00:00",
        "expected_package_count": 3,
        **changes,
    }
    return delhivery.call("POST", "/fm/request/new/", body)


def test_a_second_pickup_of_a_day_is_open_already(delhivery: Delhivery) -> None:
    done = pickup(delhivery, pickup_date=day(5))
    assert done.status_code == 201
    assert done.json()["incoming_center_name"]
    again = pickup(delhivery, pickup_date=day(5))
    assert (again.status_code, again.json()["pr_exist"]) == (400, True)
    assert again.json()["pickup_id"] == done.json()["pickup_id"]
    delhivery.switch(pickup_done="200")
    assert pickup(delhivery, pickup_date=day(6)).status_code == 200
    assert delhivery.problems() == []


@pytest.mark.parametrize(
    ("changes", "field", "is_listed"),
    [
        ({"pickup_date": day(-1)}, "pickup_date", False),
        ({"pickup_date": day(8)}, "pickup_date", True),
        ({"pickup_date": "1/12/2026"}, "pickup_date", True),
        ({"pickup_time": "14:00"}, "pickup_time", True),
        ({"expected_package_count": "3"}, "expected_package_count", True),
        ({"pickup_location": "Nowhere"}, "pickup_location", False),
    ],
)
def test_a_pickup_is_refused_with_the_field_as_key(
    delhivery: Delhivery, changes: dict[str, Any], field: str, is_listed: bool
) -> None:
    answer = pickup(delhivery, **changes)
    assert (answer.status_code, set(answer.json())) == (400, {field})
    assert bool(delhivery.problems()) == is_listed


def test_pickups_that_come_by_themselves_and_an_empty_wallet_refuse_all(
    delhivery: Delhivery,
) -> None:
    delhivery.switch(auto_pickup=True)
    assert "Client is on auto pickup" in pickup(delhivery, pickup_date=day(3)).text
    delhivery.switch(auto_pickup=False, empty_wallet=True)
    assert "prepaid" in pickup(delhivery, pickup_date=day(3)).json()


def test_a_label_is_a_link_that_the_key_spoils(delhivery: Delhivery) -> None:
    waybill = delhivery.book()
    query = {"wbns": waybill, "pdf": "true", "pdf_size": "4R"}
    answer = delhivery.call("GET", "/api/p/packing_slip", **query).json()
    (package,) = answer["packages"]
    assert (answer["packages_found"], package["wbn"]) == (1, waybill)
    link = package["pdf_download_link"]
    assert requests.get(link, timeout=10).content.startswith(b"%PDF")
    spoilt = requests.get(link, headers=delhivery.headers, timeout=10)
    assert (spoilt.status_code, "Only one auth mechanism" in spoilt.text) == (400, True)
    assert requests.get(link[:-1] + "x", timeout=10).status_code == 403
    delhivery.switch(link_life=0)
    old = delhivery.call("GET", "/api/p/packing_slip", **query).json()["packages"][0]
    assert requests.get(old["pdf_download_link"], timeout=10).status_code == 403


def test_a_label_without_a_pdf_is_its_data_and_an_unknown_one_nothing(
    delhivery: Delhivery,
) -> None:
    waybill = delhivery.book()
    answer = delhivery.call("GET", "/api/p/packing_slip", wbns=waybill, pdf="false").json()
    assert answer["packages"][0]["pin"] == 110001
    unknown = delhivery.call("GET", "/api/p/packing_slip", wbns="5000000000000", pdf="true")
    assert (unknown.status_code, unknown.json()) == (200, {"packages": [], "packages_found": 0})


def test_a_proof_of_delivery_is_there_after_it(delhivery: Delhivery) -> None:
    path, waybill = "/api/rest/fetch/pkg/document/", delhivery.book()
    query = {"doc_type": "EPOD", "waybill": waybill}
    assert delhivery.call("GET", path, **query).status_code == 404
    unknown = delhivery.call("GET", path, doc_type="EPOD", waybill="5000000000000")
    assert (unknown.status_code, unknown.json()["message"]) == (400, "Invalid waybill passed")
    delhivery.advance(waybill, "DL/Delivered/EOD-38")
    answer = delhivery.call("GET", path, **query).json()
    (link,) = answer["data"]["EPOD"]
    assert answer["success"] is True
    assert requests.get(link, timeout=10).headers["Content-Type"] == "image/jpeg"
    assert delhivery.problems() == []


def test_an_e_way_bill_is_noted(delhivery: Delhivery) -> None:
    waybill = delhivery.book()
    bill = {"data": [{"dcn": "INV-1", "ewbn": "123456789012"}]}
    assert delhivery.call("PUT", f"/api/rest/ewaybill/{waybill}/", bill).status_code == 201
    assert delhivery.shipment(waybill)["Ewaybill"] == ["123456789012"]
    unknown = delhivery.call("PUT", "/api/rest/ewaybill/5000000000000/", bill)
    assert (unknown.status_code, unknown.json()["success"]) == (200, False)
    bill["data"][0]["ewbn"] = "123"
    assert delhivery.call("PUT", f"/api/rest/ewaybill/{waybill}/", bill).status_code == 400
    assert delhivery.problems() == ["ewbn must have twelve digits"]


def test_charges_are_a_list_of_one(delhivery: Delhivery) -> None:
    (prepaid,) = delhivery.call("GET", CHARGES, **LANE, pt="Pre-paid").json()
    (cod,) = delhivery.call("GET", CHARGES, **LANE, pt="COD", cod="900").json()
    assert (prepaid["charge_COD"], cod["charge_COD"]) == (0.0, 40.0)
    assert prepaid["charged_weight"] == 1000.0
    taxes = sum(prepaid["tax_data"].values())
    assert prepaid["total_amount"] == pytest.approx(prepaid["gross_amount"] + taxes)
    assert delhivery.problems() == []
    (zeros,) = delhivery.call("GET", CHARGES, **LANE).json()
    assert zeros["total_amount"] == 0.0
    assert delhivery.problems() == ["pt is missing: every charge is 0"]


def test_charges_are_zero_in_the_test_environment(delhivery: Delhivery) -> None:
    delhivery.switch(zero_rates=True)
    (zeros,) = delhivery.call("GET", CHARGES, **LANE, pt="COD").json()
    assert (zeros["total_amount"], zeros["charge_DL"]) == (0.0, 0.0)


@pytest.mark.parametrize("changes", [{"md": "X"}, {"cgm": ""}, {"o_pin": "5600"}, {"weight": "1"}])
def test_a_wrong_parameter_of_charges_is_named(
    delhivery: Delhivery, changes: dict[str, str]
) -> None:
    answer = delhivery.call("GET", CHARGES, **(LANE | {"pt": "COD"} | changes))
    assert answer.status_code == 400
    assert next(iter(changes)) in answer.json()["error"]


def test_days_of_travel(delhivery: Delhivery) -> None:
    answer = delhivery.call("GET", TAT, **DAYS).json()
    assert answer["data"] == {"tat": 5, "expected_delivery_date": "2026-12-06"}
    refused = delhivery.call("GET", TAT, **(DAYS | {"origin_pin": "999001"}))
    assert (refused.status_code, refused.json()) == (
        400, {"success": False, "msg": "Origin pin not serviceable.", "data": ""}
    )  # fmt: skip
    assert delhivery.problems() == []


@pytest.mark.parametrize(
    ("pin", "expected"),
    [
        ("110001", {"pre_paid": "Y", "cod": "Y", "remarks": "", "is_oda": "N", "max_weight": 0}),
        ("998001", {"pre_paid": "Y", "remarks": "Embargo"}),
        ("997001", {"pre_paid": "Y", "cod": "N", "cash": "N"}),
        ("996001", {"is_oda": "Y", "max_amount": 5000, "max_weight": 10000}),
        ("995001", {"pickup": "N", "repl": "N", "pre_paid": "Y"}),
    ],
)
def test_a_pincode_says_what_is_served(
    delhivery: Delhivery, pin: str, expected: dict[str, Any]
) -> None:
    (code,) = delhivery.call("GET", PINCODES, filter_codes=pin).json()["delivery_codes"]
    found = code["postal_code"]
    assert found["pin"] == int(pin)
    assert {name: found[name] for name in expected} == expected


def test_a_pincode_that_is_not_served_is_an_empty_list(delhivery: Delhivery) -> None:
    assert delhivery.call("GET", PINCODES, filter_codes="999001").json() == {"delivery_codes": []}


def test_the_whole_list_has_the_embargoed_too(delhivery: Delhivery) -> None:
    codes = delhivery.call("GET", PINCODES).json()["delivery_codes"]
    remarks = {code["postal_code"]["remarks"] for code in codes}
    assert (len(codes), remarks) == (19_000, {"", "Embargo"})
