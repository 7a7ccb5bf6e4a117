"""Tracking by waybill and by order: its shapes, its lag, what it does not find, its times."""

from __future__ import annotations

import datetime as dt
import re
import time
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.support.delhivery_sandbox_client import Delhivery

NOT_FOUND = "Data does not exists for provided Waybill(s)"


def test_verbose_adds_scans_and_then_the_consignee(delhivery: Delhivery) -> None:
    waybill = delhivery.book(order="T-1")
    plain, scans, whole = (delhivery.shipment(waybill, verbose) for verbose in (0, 1, 2))
    assert set(scans) - set(plain) == {"Scans"}
    assert set(whole) - set(scans) == {"Consignee"}
    assert (plain["AWB"], plain["ReferenceNo"], plain["Quantity"]) == (waybill, "T-1", "1")
    assert plain["Status"]["RecievedBy"] == ""
    consignee = whole["Consignee"]
    assert (consignee["PinCode"], consignee["Address1"], consignee["Telephone1"]) == (
        110001,
        [],
        "",
    )


def test_scans_and_status_name_the_same_things_differently(delhivery: Delhivery) -> None:
    waybill = delhivery.book()
    delhivery.advance(waybill, "UD/Pending/EOD-11")
    shipment = delhivery.shipment(waybill)
    scan, status = shipment["Scans"][-1]["ScanDetail"], shipment["Status"]
    assert (scan["ScanType"], scan["Scan"]) == (status["StatusType"], status["Status"])
    assert (scan["StatusCode"], status["StatusCode"]) == ("EOD-11", "EOD-11")
    assert "Consignee unavailable" in scan["Instructions"]
    assert delhivery.scans(waybill) == [
        "UD/Manifested/X-UCI", "UD/Not Picked/X-PNP", "UD/Pending/EOD-11",
    ]  # fmt: skip


def test_times_are_of_india_without_a_zone(delhivery: Delhivery) -> None:
    text = delhivery.shipment(delhivery.book(), 0)["Status"]["StatusDateTime"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?", text)
    now = dt.datetime.now(ZoneInfo("Asia/Kolkata")).replace(tzinfo=None)
    assert abs(now - dt.datetime.fromisoformat(text)) < dt.timedelta(seconds=30)


def test_the_search_by_order_lags_and_the_waybill_does_not(delhivery: Delhivery) -> None:
    delhivery.switch(search_lag=0.5)
    waybill = delhivery.book(order="T-LAG")
    assert delhivery.track(ref_ids="T-LAG")["Error"] == NOT_FOUND
    assert delhivery.shipment(waybill)["ReferenceNo"] == "T-LAG"
    time.sleep(0.6)
    (found,) = delhivery.track(ref_ids="T-LAG")["ShipmentData"]
    assert found["Shipment"]["AWB"] == waybill


def test_one_order_can_have_several_shipments(delhivery: Delhivery) -> None:
    waybills = {delhivery.book(order="T-TWICE", total_amount=amount) for amount in (1, 2)}
    found = delhivery.track(ref_ids="T-TWICE")["ShipmentData"]
    assert {one["Shipment"]["AWB"] for one in found} == waybills


def test_unknown_numbers_are_missing_from_a_list(delhivery: Delhivery) -> None:
    waybill = delhivery.book()
    found = delhivery.track(waybill=f"5000000000000,{waybill}")["ShipmentData"]
    assert [one["Shipment"]["AWB"] for one in found] == [waybill]


@pytest.mark.parametrize("status", ["200", "400"])
def test_nothing_found_is_an_error_with_one_status_or_the_other(
    delhivery: Delhivery, status: str
) -> None:
    delhivery.switch(not_found=status)
    answer = delhivery.call("GET", "/api/v1/packages/json/", waybill="5000000000000")
    assert answer.status_code == int(status)
    assert answer.json() == {"Success": False, "Error": NOT_FOUND, "rmk": NOT_FOUND}


def test_an_account_sees_only_its_own(delhivery: Delhivery) -> None:
    waybill = delhivery.book(order="T-OWN")
    other = Delhivery(delhivery.sandbox, "other-key")
    assert other.track(waybill=waybill)["Success"] is False
    assert other.track(ref_ids="T-OWN")["Success"] is False


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ({}, "waybill or ref_ids is required"),
        ({"waybill": "1", "ref_ids": "2"}, "and not both"),
        ({"waybill": ",".join(map(str, range(51)))}, "at most 50"),
        ({"waybill": "1,,2"}, "an empty number"),
        ({"waybill": "1", "verbose": "3"}, "verbose must be 0, 1 or 2"),
        ({"waybill": "1", "token": "sandbox"}, "not in the query"),
        ({"waybill": "1", "wbns": "1"}, "wbns is no parameter"),
    ],
)
def test_a_request_that_breaks_the_document_is_listed(
    delhivery: Delhivery, query: dict[str, Any], problem: str
) -> None:
    delhivery.call("GET", "/api/v1/packages/json/", **query)
    (listed,) = delhivery.problems()
    assert problem in listed


def test_the_dates_of_a_way_are_told(delhivery: Delhivery) -> None:
    waybill = delhivery.book()
    dates = ("PickedupDate", "FirstAttemptDate", "DeliveryDate", "RTOStartedDate", "ReturnedDate")
    assert [delhivery.shipment(waybill)[name] for name in dates] == [None] * 5
    for status in ("UD/In Transit/X-PPOM", "UD/Dispatched/X-DDD3FD", "RT/In Transit/RT-101"):
        delhivery.advance(waybill, status)
    delhivery.advance(waybill, "DL/RTO/RT-110")
    shipment = delhivery.shipment(waybill)
    assert [shipment[name] is None for name in dates] == [False, False, True, False, False]
    assert shipment["DispatchCount"] == 1


def test_nothing_found_can_be_said_in_other_words(delhivery: Delhivery) -> None:
    delhivery.switch(not_found_words="number")
    assert delhivery.track(ref_ids="T-NONE")["Error"] == "No such waybill or order Id found"


@pytest.mark.parametrize(
    ("spelling", "word"), [("usual", "Canceled"), ("upper", "CANCELED"), ("cancelled", "Cancelled")]
)
def test_the_words_of_statuses_vary(delhivery: Delhivery, spelling: str, word: str) -> None:
    waybill = delhivery.book(payment_mode="Pickup")
    delhivery.cancel(waybill)
    delhivery.switch(status_words=spelling)
    shipment = delhivery.shipment(waybill)
    assert shipment["Status"]["Status"] == shipment["Scans"][-1]["ScanDetail"]["Scan"] == word


def test_a_shipment_is_advanced_only_to_a_whole_status(delhivery: Delhivery) -> None:
    waybill = delhivery.book()
    body = {"tracking_id": waybill, "status": "Delivered"}
    answer = delhivery.call("POST", "/_sandbox/advance", body)
    assert (answer.status_code, "TYPE/Status/NSL" in answer.text) == (400, True)
    assert delhivery.status(waybill) == "UD/Not Picked/X-PNP"
