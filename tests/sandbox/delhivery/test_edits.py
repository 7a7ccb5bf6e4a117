"""Edits and cancellations, in JSON and XML, and what tracking shows after them."""

from __future__ import annotations

import time
from typing import Any

import pytest
import requests

from sandbox.process import SandboxProcess
from tests.support.delhivery_sandbox_client import Delhivery

UNKNOWN = {"status": False, "error": "Incorrect Waybill/OrderID, please try again"}
IMPOSSIBLE = {"status": False, "error": "Shipment could not be updated"}


def edit(delhivery: Delhivery, waybill: str, **fields: Any) -> Any:
    answer = delhivery.call("POST", "/api/p/edit", {"waybill": waybill, **fields})
    assert answer.status_code == 200
    return answer.json()


def test_a_cancellation_before_pickup_shows_only_in_a_late_scan(delhivery: Delhivery) -> None:
    delhivery.switch(cancel_scan_lag=0.3)
    waybill = delhivery.book(order="C-1")
    done = delhivery.cancel(waybill)
    assert done == {
        "status": True, "waybill": waybill, "remark": "Shipment has been cancelled.",
        "order_id": "C-1",
    }  # fmt: skip
    assert delhivery.status(waybill) == "UD/Not Picked/X-PNP"
    assert delhivery.cancel(waybill) == done
    delhivery.wait_for(waybill, "UD/Not Picked/DTUP-210")
    assert delhivery.scans(waybill).count("UD/Not Picked/DTUP-210") == 1
    assert delhivery.cancel(waybill) == done
    assert delhivery.summary(waybill)["finished"] is True


def test_the_scan_of_a_cancellation_can_be_missing(delhivery: Delhivery) -> None:
    delhivery.switch(cancel_scan_comes=False)
    waybill = delhivery.book()
    assert delhivery.cancel(waybill)["status"] is True
    time.sleep(0.2)
    assert delhivery.status(waybill) == "UD/Not Picked/X-PNP"
    summary = delhivery.summary(waybill)
    assert (summary["cancelled"], summary["finished"]) == (True, True)


@pytest.mark.parametrize("status", ["UD/In Transit/X-DLL2F", "UD/Pending/EOD-11"])
def test_a_cancellation_on_the_way_is_an_rto(delhivery: Delhivery, status: str) -> None:
    waybill = delhivery.book()
    delhivery.advance(waybill, status)
    assert delhivery.cancel(waybill)["status"] is True
    assert delhivery.status(waybill) == "RT/In Transit/RT-101"


def test_a_parcel_cancelled_on_the_way_travels_back() -> None:
    flags = ("--pace", "0.1", "--outcomes", "undelivered=1")
    with SandboxProcess("delhivery", *flags) as moving:
        delhivery = Delhivery(moving)
        waybill = delhivery.book()
        delhivery.wait_for(waybill, "UD/In Transit/X-PIOM")
        delhivery.cancel(waybill)
        delhivery.wait_for(waybill, "DL/RTO/RT-110")
        assert moving.wait_until_finished(5)


@pytest.mark.parametrize(
    "status", ["UD/Dispatched/X-DDD3FD", "DL/Delivered/EOD-38", "LT/LOST/LT-100"]
)
def test_what_is_out_or_over_is_not_cancelled(delhivery: Delhivery, status: str) -> None:
    waybill = delhivery.book()
    delhivery.advance(waybill, status)
    assert delhivery.cancel(waybill) == IMPOSSIBLE
    delhivery.switch(edit_failure="Failure")
    assert delhivery.cancel(waybill) == IMPOSSIBLE | {"status": "Failure"}


def test_a_return_that_is_cancelled_is_canceled(delhivery: Delhivery) -> None:
    waybill = delhivery.book(payment_mode="Pickup")
    assert delhivery.status(waybill) == "PP/Open/X-UCI"
    assert delhivery.cancel(waybill)["status"] is True
    assert delhivery.status(waybill) == "CN/Canceled/DTUP-210"


def test_a_new_or_unknown_waybill_is_incorrect(delhivery: Delhivery) -> None:
    assert delhivery.cancel("5000000000000") == UNKNOWN
    delhivery.switch(edit_lag=0.4)
    waybill = delhivery.book()
    assert delhivery.cancel(waybill) == UNKNOWN
    time.sleep(0.5)
    assert delhivery.cancel(waybill)["status"] is True
    other = Delhivery(delhivery.sandbox, "other-key")
    assert other.cancel(waybill) == UNKNOWN


@pytest.mark.parametrize("value", [True, "True", "TRUE"])
def test_only_the_text_true_cancels(delhivery: Delhivery, value: Any) -> None:
    waybill = delhivery.book()
    assert edit(delhivery, waybill, cancellation=value) == IMPOSSIBLE
    assert delhivery.problems() == ["cancellation must be the text true"]


def test_without_accept_the_answer_is_xml(delhivery: Delhivery) -> None:
    waybill = delhivery.book()

    def answered(number: str) -> str:
        answer = requests.post(
            f"{delhivery.url}/api/p/edit",
            json={"waybill": number, "cancellation": "true"},
            headers={"Authorization": "Token sandbox"},
            timeout=10,
        )
        assert answer.headers["Content-Type"].startswith("application/xml")
        assert answer.status_code == 200
        return answer.text

    assert "<root><status>True</status>" in answered(waybill)
    assert "<status>Failure</status><error>Incorrect" in answered("5000000000000")
    assert delhivery.problems() == ["Accept: application/json is missing"] * 2


def test_an_edit_changes_what_it_may(delhivery: Delhivery) -> None:
    waybill = delhivery.book()
    assert edit(delhivery, waybill, name="Asha K Rao", pt="COD", cod=99)["status"] is True
    shipment = delhivery.shipment(waybill, 2)
    assert (shipment["Consignee"]["Name"], shipment["OrderType"]) == ("Asha K Rao", "COD")
    assert shipment["CODAmount"] == 99.0
    assert edit(delhivery, waybill, pt="COD", cod=99) == IMPOSSIBLE
    assert edit(delhivery, waybill, pt="Pre-paid")["status"] is True
    assert delhivery.problems() == []


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"pin": "560001"}, "pin cannot be edited"),
        ({}, "nothing is edited"),
        ({"pt": "COD"}, "cod is required with pt COD"),
        ({"pt": "Prepaid"}, "pt must be COD or Pre-paid"),
        ({"cancellation": "true", "name": "A"}, "name is no field of a cancellation"),
    ],
)
def test_an_edit_that_breaks_the_document_is_listed(
    delhivery: Delhivery, fields: dict[str, Any], problem: str
) -> None:
    assert edit(delhivery, delhivery.book(), **fields) == IMPOSSIBLE
    assert problem in delhivery.problems()
