"""Life cycles to each of their ends, and the callbacks on the way."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandbox.process import SandboxProcess
from tests.support.callback_receiver import CallbackReceiver
from tests.support.delhivery_sandbox_client import Delhivery


@pytest.mark.parametrize(
    ("outcome", "reverse", "last"),
    [
        ("delivered", False, "DL/Delivered/EOD-38"),
        ("recovered", False, "DL/Delivered/EOD-38"),
        ("rto", False, "DL/RTO/RT-110"),
        ("lost", False, "LT/LOST/LT-100"),
        ("not_picked", False, "UD/Not Picked/FMEOD-103"),
        ("delivered", True, "DL/DTO/EOD-38"),
        ("not_picked", True, "CN/Canceled/EOD-777"),
        ("lost", True, "LT/LOST/LT-100"),
    ],
)
def test_a_life_cycle_reaches_its_end(outcome: str, reverse: bool, last: str) -> None:
    flags = ("--pace", "0", "--outcomes", f"{outcome}=1")
    with SandboxProcess("delhivery", *flags) as moving:
        delhivery = Delhivery(moving)
        waybill = delhivery.book(payment_mode="Pickup" if reverse else "Prepaid")
        assert moving.wait_until_finished(10)
        summary = delhivery.summary(waybill)
        assert (summary["status"], summary["destiny"]) == (last, last)
        words = [scan.split("/")[1] for scan in delhivery.scans(waybill)]
        assert ("Pending" in words) == (last.startswith("DL/") or outcome == "recovered")


def test_an_order_number_chooses_its_end() -> None:
    with SandboxProcess("delhivery", "--pace", "0", "--outcomes", "lost=1") as moving:
        delhivery = Delhivery(moving)
        chosen = {
            name: delhivery.book(order=f"TEST-{name}-1") for name in ("DELIVERED", "NDR", "RTO")
        }
        assert moving.wait_until_finished(10)
        ends = {name: delhivery.status(waybill).split("/")[1] for name, waybill in chosen.items()}
        assert ends == {"DELIVERED": "Delivered", "NDR": "Pending", "RTO": "RTO"}
        (reason,) = {delhivery.summary(chosen["NDR"])["destiny"]} - {""}
        assert reason == delhivery.status(chosen["NDR"])


def received(receiver: CallbackReceiver) -> list[Any]:
    return [json.loads(raw) for raw, _ in receiver.received]


def test_each_scan_is_a_callback_with_a_static_header() -> None:
    with CallbackReceiver() as receiver:
        flags = ("--pace", "0", "--brief", "--outcomes", "delivered=1")
        with SandboxProcess(
            "delhivery", *flags, "--webhook", receiver.url, "a secret", "--switch",
            "space_in_date=true", "--switch", "proof_callbacks=true",
        ) as moving:  # fmt: skip
            waybill = Delhivery(moving).book(order="H-1")
            assert moving.wait_until_finished(10)
    bodies = received(receiver)
    scans = [body["Shipment"] for body in bodies if "Shipment" in body]
    assert {(scan["AWB"], scan["ReferenceNo"]) for scan in scans} == {(waybill, "H-1")}
    assert {scan["NSLCode"] for scan in scans} == {"X-UCI", "X-PNP", "FMPUR-101", "EOD-38"}
    assert all(" " in scan["PickUpDate"] and "T" not in scan["PickUpDate"] for scan in scans)
    assert all("StatusCode" not in scan["Status"] for scan in scans)
    (proof,) = [body for body in bodies if "EPOD" in body]
    assert (proof["waybill"], proof["orderID"]) == (waybill, "H-1")
    assert {headers["x-delhivery-token"] for _, headers in receiver.received} == {"a secret"}


def test_a_callback_is_sent_once_more_at_once_and_then_lost() -> None:
    with CallbackReceiver([500] * 4) as receiver:
        flags = ("--hold", "--webhook", receiver.url, "s", "--switch", "not_picked_at_once=false")
        with SandboxProcess("delhivery", *flags) as held:
            delhivery = Delhivery(held)
            delhivery.book()
            delhivery.wait_for_callbacks()
            assert held.state()["callbacks"]["given_up"] == 1
    assert len(receiver.received) == 2
