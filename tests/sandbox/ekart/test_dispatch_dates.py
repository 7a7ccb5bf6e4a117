"""Shipments booked with delayed_dispatch, and the dates that they wait for."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.process import SandboxProcess
from tests.support.sandbox_client import Ekart, assert_refused, day

DISPATCH = "/data/shipment/dispatch-date"


def test_a_delayed_shipment_moves_only_after_it_has_a_date(moving_ekart: Ekart) -> None:
    waiting = moving_ekart.book(delayed_dispatch=True)["id"]
    moving_ekart.wait_for(moving_ekart.book()["id"], "Undelivered")
    assert moving_ekart.statuses(waiting) == ["Order Placed"]

    answer = moving_ekart.call(
        "POST", DISPATCH, {"ids": [waiting], "dispatchDate": str(day(1))}
    ).json()
    assert [(a["tracking_id"], a["status"]) for a in answer["data"]] == [(waiting, True)]
    moving_ekart.wait_for(waiting, "Undelivered")
    assert moving_ekart.summary(waiting)["dispatch_date"] == str(day(1))


def test_a_second_date_does_not_restart_the_life_cycle() -> None:
    with SandboxProcess("ekart", "--pace", "0.1", "--outcomes", "delivered=1") as own:
        ekart = Ekart(own)
        tracking_id = ekart.book(delayed_dispatch=True)["id"]
        for ahead in (1, 2):
            body = {"ids": [tracking_id], "dispatchDate": str(day(ahead))}
            assert ekart.call("POST", DISPATCH, body).json()["data"][0]["status"] is True
        ekart.wait_for(tracking_id, "Delivered")
        assert own.wait_until_finished(5)
        lived = ekart.statuses(tracking_id)
        assert len(lived) == len(set(lived))


def test_a_date_can_be_changed_until_pick_up(ekart: Ekart) -> None:
    shipment = ekart.book(delayed_dispatch=True)
    for name, ahead in ((shipment["id"], 1), (shipment["wbn"], 2)):
        body = {"ids": [name], "dispatchDate": str(day(ahead))}
        (done,) = ekart.call("POST", DISPATCH, body).json()["data"]
        assert (done["tracking_id"], done["status"]) == (name, True)
    assert ekart.summary(shipment["id"])["dispatch_date"] == str(day(2))
    assert ekart.status(shipment["id"]) == "Order Placed"


def test_each_id_without_a_date_gets_the_reason(ekart: Ekart) -> None:
    good, plain, gone, late = (ekart.book(delayed_dispatch=n != 1)["id"] for n in range(4))
    ekart.call("DELETE", "/api/v1/package/cancel", tracking_id=gone)
    ekart.advance(late, "Picked Up")
    ids = [good, "unknown", plain, gone, late]
    data = ekart.call("POST", DISPATCH, {"ids": ids, "dispatchDate": str(day(1))}).json()["data"]
    assert [line["tracking_id"] for line in data] == ids
    assert [line["status"] for line in data] == [True, False, False, False, False]
    words = ("does not exist", "delayed_dispatch", "Cancelled", "Picked Up")
    for line, word in zip(data[1:], words, strict=True):
        assert word in line["remark"]


@pytest.mark.parametrize(
    ("changes", "about"),
    [
        ({"ids": []}, "ids"),
        ({"ids": ["a", "a"]}, "unique"),
        ({"ids": [str(n) for n in range(101)]}, "100"),
        ({"ids": "a"}, "ids"),
        ({"dispatchDate": str(day(0))}, "tomorrow"),
        ({"dispatchDate": day(1).strftime("%Y%m%d")}, "YYYY-MM-DD"),
        ({"dispatchDate": "2026-W53-1"}, "YYYY-MM-DD"),
        ({"dispatchDate": "2026-13-01"}, "YYYY-MM-DD"),
        ({"dispatchDate": None}, "YYYY-MM-DD"),
    ],
)
def test_a_dispatch_date_is_refused_as_the_document_says(
    ekart: Ekart, changes: dict[str, Any], about: str
) -> None:
    body = {"ids": ["a"], "dispatchDate": str(day(1))} | changes
    assert_refused(ekart.call("POST", DISPATCH, body), about)
