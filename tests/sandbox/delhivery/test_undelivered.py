"""Actions for undelivered shipments, which are queued and told about later."""

from __future__ import annotations

import time
from typing import Any

import pytest

from sandbox.process import SandboxProcess
from tests.support.delhivery_sandbox_client import Delhivery


def ask(delhivery: Delhivery, *waybills: str, act: str = "RE-ATTEMPT") -> str:
    body = {"data": [{"waybill": waybill, "act": act} for waybill in waybills]}
    answer = delhivery.call("POST", "/api/p/update", body).json()
    assert set(answer) == {"message", "request_id"}
    return str(answer["request_id"])


def told(delhivery: Delhivery, request_id: str) -> Any:
    """Return what became of a request, once it is over."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        answer = delhivery.call("GET", f"/api/cmu/get_bulk_upl/{request_id}", verbose="true").json()
        messages = {failed["message"] for failed in answer["failed_wbns"]}
        if "Package action is being performed" not in messages:
            return answer
        time.sleep(0.05)
    raise AssertionError(answer)


def test_a_reattempt_is_queued_and_then_done(delhivery: Delhivery) -> None:
    delhivery.switch(action_lag=0.3)
    waybill = delhivery.book()
    delhivery.advance(waybill, "UD/Pending/EOD-11")
    request_id = ask(delhivery, waybill)
    assert request_id.startswith("UPL")
    path = f"/api/cmu/get_bulk_upl/{request_id}"
    (pending,) = delhivery.call("GET", path).json()["failed_wbns"]
    assert pending["message"] == "Package action is being performed"
    done = told(delhivery, request_id)
    assert done["status"] == "Success"
    assert done["success_wbns"] == [{"waybill": waybill, "action": "RE-ATTEMPT"}]
    assert delhivery.problems() == []


@pytest.mark.parametrize(
    ("status", "message"),
    [
        ("UD/Pending/X-IBD3F", "Package in incorrect status"),
        ("UD/Pending/EOD-16", "Package in incorrect status"),
        ("DL/Delivered/EOD-38", "Package in incorrect status"),
        ("UD/Dispatched/X-DDD3FD", "Package is part of dispatch"),
    ],
)
def test_a_reattempt_is_refused_by_its_status(
    delhivery: Delhivery, status: str, message: str
) -> None:
    waybill = delhivery.book()
    delhivery.advance(waybill, status)
    (failed,) = told(delhivery, ask(delhivery, waybill))["failed_wbns"]
    assert (failed["waybill"], failed["message"]) == (waybill, message)


def test_a_third_attempt_is_the_last(delhivery: Delhivery) -> None:
    waybill = delhivery.book()
    for _ in range(3):
        delhivery.advance(waybill, "UD/Dispatched/X-DDD3FD")
        delhivery.advance(waybill, "UD/Pending/EOD-6")
    (failed,) = told(delhivery, ask(delhivery, waybill))["failed_wbns"]
    assert failed["message"] == "Shipment has reached max attempt count"


def test_each_of_many_is_told_by_itself(delhivery: Delhivery) -> None:
    waybill = delhivery.book()
    delhivery.advance(waybill, "UD/Pending/EOD-74")
    answer = told(delhivery, ask(delhivery, waybill, "5000000000000"))
    assert [one["waybill"] for one in answer["success_wbns"]] == [waybill]
    assert [one["message"] for one in answer["failed_wbns"]] == ["Incorrect waybill"]
    assert answer["status"] == "Failure"


def test_a_pickup_of_a_return_is_rescheduled(delhivery: Delhivery) -> None:
    waybill = delhivery.book(payment_mode="Pickup")
    delhivery.advance(waybill, "CN/Canceled/EOD-777")
    answer = told(delhivery, ask(delhivery, waybill, act="PICKUP_RESCHEDULE"))
    assert answer["status"] == "Success"


def test_a_shipment_that_is_tried_again_is_delivered() -> None:
    flags = ("--pace", "0.01", "--outcomes", "undelivered=1", "--switch", "action_lag=0.01")
    with SandboxProcess("delhivery", *flags) as moving:
        delhivery = Delhivery(moving)
        waybill = delhivery.book()
        assert moving.wait_until_finished(10)
        ask(delhivery, waybill)
        delhivery.wait_for(waybill, "DL/Delivered/EOD-38")
        assert delhivery.shipment(waybill)["DispatchCount"] == 2


def test_an_unknown_request_is_not_found(delhivery: Delhivery) -> None:
    assert delhivery.call("GET", "/api/cmu/get_bulk_upl/UPL1").status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"data": []},
        {"data": [{"waybill": "1", "act": "re-attempt"}]},
        {"data": [{"waybill": "1", "act": "RTO"}]},
        {"data": [{"waybill": "1", "act": "RE-ATTEMPT", "date": "2026-12-01"}]},
        {"data": [{"waybill": "1", "act": "RE-ATTEMPT"}] * 1001},
    ],
)
def test_what_breaks_the_document_is_refused_and_listed(
    delhivery: Delhivery, body: dict[str, Any]
) -> None:
    assert delhivery.call("POST", "/api/p/update", body).status_code == 400
    assert len(delhivery.problems()) == 1
