"""Create calls with all that the document allows, dispatch dates, and shipments made anew."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
import requests

from sandbox.process import SandboxProcess
from tests.support.sandbox_client import Ekart, assert_refused, day

DISPATCH = "/data/shipment/dispatch-date"
SIZES = ("length", "width", "height")
PACKAGE = {"length": 10, "width": 10, "height": 10.5, "weight": 900, "count": "2"}
SEVERAL = {"mps": True, "items": [{"product_name": "Desk"}], "packages": [PACKAGE]}
RETURN = {"payment_mode": "Pickup", "return_reason": "Too small"}


def without(whole: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in whole.items() if key != name}


def test_a_shipment_of_several_packages_needs_no_sizes_of_the_whole(held: Ekart) -> None:
    held.book("weight", *SIZES, **SEVERAL)


def test_the_sizes_of_the_whole_are_ignored_with_several_packages(held: Ekart) -> None:
    held.book(**SEVERAL, length=0, weight=-1)


@pytest.mark.parametrize(
    ("changes", "about"),
    [
        ({"items": []}, "items"),
        ({"items": [{"sku": "D-1"}]}, "product_name"),
        ({"items": ["Desk"]}, "item"),
        ({"items": [{"product_name": "Desk", "quantity": 0}]}, "quantity"),
        ({"packages": []}, "packages"),
        ({"packages": PACKAGE}, "packages"),
        ({"packages": [without(PACKAGE, "weight")]}, "packages.weight"),
        ({"packages": [PACKAGE | {"length": 0}]}, "packages.length"),
        ({"packages": [PACKAGE | {"count": "none"}]}, "packages.count"),
        (RETURN, "mps is for forward"),
        ({"mps": "yes"}, "mps"),
        ({"delayed_dispatch": True}, "delayed_dispatch"),
    ],
)
def test_several_packages_are_refused_unless_they_are_described(
    held: Ekart, changes: dict[str, Any], about: str
) -> None:
    assert_refused(held.create(**(SEVERAL | changes)), about)


@pytest.mark.parametrize("missing", ["items", "packages"])
def test_several_packages_need_items_and_packages(held: Ekart, missing: str) -> None:
    assert_refused(held.create(**without(SEVERAL, missing)), missing)


def test_a_return_can_be_checked_for_quality(held: Ekart) -> None:
    details = {"qc_shipment": True, "product_name": "Shoe", "product_images": ["http://x.example"]}
    held.book(**RETURN, qc_details=details)


@pytest.mark.parametrize(
    ("changes", "about"),
    [
        ({"qc_details": {"qc_shipment": True, "product_name": "Shoe"}}, "payment_mode Pickup"),
        (RETURN | {"qc_details": {"qc_shipment": True}}, "product_name"),
        (RETURN | {"qc_details": {"qc_shipment": "yes"}}, "qc_shipment"),
        (RETURN | {"qc_details": {"product_name": 7}}, "product_name"),
        (RETURN | {"qc_details": {"product_images": "http://x.example"}}, "product_images"),
        (RETURN | {"qc_details": "yes"}, "qc_details"),
        ({"obd_shipment": 1}, "obd_shipment"),
        ({"what3words_address": ["a", "b", "c"]}, "what3words_address"),
        ({"ewbn": "123"}, "ewbn"),
        ({"templateName": "Template #1"}, "Only one of"),
        ({"delayed_dispatch": True, "preferred_dispatch_date": str(day(1))}, "excludes"),
        ({"delayed_dispatch": True, "weight": 20_001}, "delayed_dispatch"),
        ({"preferred_dispatch_date": str(day(0))}, "tomorrow"),
    ],
)
def test_a_create_call_is_refused_as_the_document_says(
    held: Ekart, changes: dict[str, Any], about: str
) -> None:
    assert_refused(held.create(**changes), about)


def test_the_less_common_fields_are_taken(held: Ekart) -> None:
    held.book(obd_shipment=True, what3words_address="daring.lion.race", ewbn="123456789012")
    held.book(what3words_address=None, preferred_dispatch_date=str(day(1)))


def test_a_template_stands_for_the_sizes_if_it_is_known(held: Ekart) -> None:
    held.book(*SIZES, templateName="Template #1")
    assert_refused(held.create(*SIZES, templateName="My box"), "templateName")


def test_a_delayed_shipment_moves_only_after_it_has_a_date(lively: Ekart) -> None:
    waiting = lively.book(delayed_dispatch=True)["id"]
    lively.wait_for(lively.book()["id"], "Undelivered")
    assert lively.statuses(waiting) == ["Order Placed"]

    answer = lively.call("POST", DISPATCH, {"ids": [waiting], "dispatchDate": str(day(1))}).json()
    assert [(a["tracking_id"], a["status"]) for a in answer["data"]] == [(waiting, True)]
    lively.wait_for(waiting, "Undelivered")
    assert lively.summary(waiting)["dispatch_date"] == str(day(1))


def test_a_second_date_starts_no_second_life() -> None:
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


def test_a_date_can_be_changed_until_pick_up(held: Ekart) -> None:
    shipment = held.book(delayed_dispatch=True)
    for name, ahead in ((shipment["id"], 1), (shipment["wbn"], 2)):
        body = {"ids": [name], "dispatchDate": str(day(ahead))}
        (done,) = held.call("POST", DISPATCH, body).json()["data"]
        assert (done["tracking_id"], done["status"]) == (name, True)
    assert held.summary(shipment["id"])["dispatch_date"] == str(day(2))
    assert held.status(shipment["id"]) == "Order Placed"


def test_each_id_is_told_why_it_gets_no_date(held: Ekart) -> None:
    good, plain, gone, late = (held.book(delayed_dispatch=n != 1)["id"] for n in range(4))
    held.call("DELETE", "/api/v1/package/cancel", tracking_id=gone)
    held.advance(late, "Picked Up")
    ids = [good, "unknown", plain, gone, late]
    data = held.call("POST", DISPATCH, {"ids": ids, "dispatchDate": str(day(1))}).json()["data"]
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
    held: Ekart, changes: dict[str, Any], about: str
) -> None:
    body = {"ids": ["a"], "dispatchDate": str(day(1))} | changes
    assert_refused(held.call("POST", DISPATCH, body), about)


class Receiver:
    """A server that keeps the callbacks it is sent, with what signed them."""

    def __init__(self) -> None:
        self.came: list[tuple[bytes, str]] = []
        self.arrived = threading.Semaphore(0)
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                outer.came.append((raw, self.headers["x-ekart-signature"]))
                self.send_response(200)
                self.end_headers()
                outer.arrived.release()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"

    def __enter__(self) -> Receiver:
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()


def test_a_shipment_made_anew_lives_on_under_its_new_id() -> None:
    with SandboxProcess("ekart", "--hold") as own, Receiver() as receiver:
        ekart = Ekart(own)
        topics = ["shipment_recreated"]
        body = {"url": receiver.url, "secret": "a secret", "topics": topics}
        ekart.call("POST", "/api/v2/webhook", body)
        old = ekart.book()

        new = own.post("/_sandbox/recreate", {"tracking_id": old["id"]})
        assert (new["former_ids"], new["order_number"]) == ([old["id"]], old["order"])
        assert {new["tracking_id"], new["wbn"]}.isdisjoint(old.values())
        assert own.state()["booked"] == 1

        assert receiver.arrived.acquire(timeout=5)
        ((raw, signature),) = receiver.came
        assert signature == hmac.new(b"a secret", raw, hashlib.sha256).hexdigest()
        told = json.loads(raw)
        assert (told["id"], told["wbn"]) == (new["tracking_id"], new["wbn"])
        assert told["orderNumber"] == old["order"]

        ekart.advance(new["tracking_id"], "Delivered")
        for name in (old["id"], new["tracking_id"]):
            track = ekart.call("GET", f"/api/v1/track/{name}").json()
            assert (track["_id"], track["track"]["status"]) == (new["tracking_id"], "Delivered")


def test_only_a_shipment_that_exists_can_be_made_anew(held: Ekart) -> None:
    answer = held.call("POST", "/_sandbox/recreate", {"tracking_id": "unknown"})
    assert_refused(answer, "does not exist", 404)


def test_a_life_goes_on_after_the_shipment_is_made_anew() -> None:
    with SandboxProcess("ekart", "--pace", "0.2", "--outcomes", "delivered=1") as own:
        ekart = Ekart(own)
        new = own.post("/_sandbox/recreate", {"tracking_id": ekart.book()["id"]})
        ekart.wait_for(new["tracking_id"], "Delivered")


def test_a_shipment_on_its_way_back_stays_where_it_is_put() -> None:
    with SandboxProcess("ekart", "--pace", "0.2", "--outcomes", "delivered=1") as own:
        ekart = Ekart(own)
        tracking_id = ekart.book()["id"]
        ekart.wait_for(tracking_id, "Picked Up")
        ekart.call("DELETE", "/api/v1/package/cancel", tracking_id=tracking_id)
        ekart.wait_for(tracking_id, "RTO Requested")
        ekart.advance(tracking_id, "Lost")
        time.sleep(0.5)
        assert ekart.status(tracking_id) == "Lost"


def test_a_body_that_is_no_json_is_refused_and_recorded() -> None:
    with SandboxProcess("ekart", "--hold", "--record") as own:
        ekart = Ekart(own)
        answer = requests.put(
            f"{ekart.url}/api/v1/package/create", data="{", headers=ekart.headers, timeout=5
        )
        assert answer.status_code == 400
        assert answer.json()["message"] == "SWIFT_MALFORMED_INPUT_EXCEPTION"
        assert list(own.requests())[-1]["body"] == "{"


def test_a_brief_life_is_its_first_and_its_last_status() -> None:
    with SandboxProcess("ekart", "--pace", "0", "--brief", "--outcomes", "rto=1") as running:
        ekart = Ekart(running)
        booked = ekart.book()["id"]
        assert running.wait_until_finished(10)
        assert ekart.statuses(booked) == ["Order Placed", "Pickup Scheduled", "RTO Delivered"]


def test_refusals_come_as_errors_where_that_is_asked_for() -> None:
    with SandboxProcess("ekart", "--hold", "--as-errors") as running:
        ekart = Ekart(running)
        tracking_id = ekart.book()["id"]
        for refused in (False, True):
            answer = ekart.call("DELETE", "/api/v1/package/cancel", tracking_id=tracking_id)
            assert (answer.status_code == 400) == refused
        assert_refused(answer, "already cancelled")
