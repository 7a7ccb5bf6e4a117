"""No body brings the stand-in down: each odd value is refused, or answered as Delhivery would."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
import requests

from tests.support.delhivery_sandbox_client import WAREHOUSE, Delhivery

ODD: list[Any] = [
    None,
    True,
    0,
    -1,
    float("nan"),
    float("inf"),
    "",
    "x" * 5000,
    [],
    [[]],
    {},
    {"a": 1},
]
PICKUP = {
    "pickup_location": WAREHOUSE["name"], "pickup_date": "2026-12-01", "pickup_time": "10:00:00",
    "expected_package_count": 1,
}  # fmt: skip


def _create(delhivery: Delhivery, package: Any) -> requests.Response:
    location = {"name": WAREHOUSE["name"]}
    data = json.dumps({"shipments": [package], "pickup_location": location})
    return delhivery.send(urlencode({"format": "json", "data": data}))


def _json(method: str, path: str) -> Callable[[Delhivery, Any], requests.Response]:
    def call(delhivery: Delhivery, body: Any) -> requests.Response:
        headers = {**delhivery.headers, "Content-Type": "application/json"}
        return requests.request(
            method, delhivery.url + path, data=json.dumps(body), headers=headers, timeout=10
        )

    return call


def _action(delhivery: Delhivery, action: Any) -> requests.Response:
    return _json("POST", "/api/p/update")(delhivery, {"data": [action]})


def _bill(delhivery: Delhivery, bill: Any) -> requests.Response:
    path = f"/api/rest/ewaybill/{delhivery.book()}/"
    return _json("PUT", path)(delhivery, {"data": [bill]})


CHARGE = {"md": "S", "ss": "Delivered", "o_pin": "560001", "d_pin": "110001", "pt": "COD"}
# How a body is sent, and one that is taken.
BODIES: dict[str, tuple[Callable[[Delhivery, Any], requests.Response], dict[str, Any]]] = {
    "edit": (
        _json("POST", "/api/p/edit"),
        {"waybill": "1", "cancellation": "true", "pt": "COD", "cod": 5, "name": "A"},
    ),
    "pickup": (_json("POST", "/fm/request/new/"), PICKUP),
    "warehouse": (_json("POST", "/api/backend/clientwarehouse/create/"), {**WAREHOUSE}),
    "action": (_action, {"waybill": "1", "act": "RE-ATTEMPT"}),
    "bill": (_bill, {"dcn": "INV-1", "ewbn": "123456789012"}),
}
BOX = {"waybill": "1", "shipment_type": "MPS", "master_id": "1", "mps_children": 1, "mps_amount": 0}
CHECK = {"qc_type": "param", "custom_qc": [], "client": "A", "ewbn": "1"}


@pytest.mark.parametrize("name", sorted(BODIES))
def test_an_odd_value_of_a_field_is_answered(delhivery: Delhivery, name: str) -> None:
    send, body = BODIES[name]
    for field in body:
        for odd in ODD:
            answer = send(delhivery, body | {field: odd})
            assert answer.status_code < 500, f"{field}: {odd!r}"


@pytest.mark.parametrize("name", sorted(BODIES))
def test_an_odd_body_is_answered(delhivery: Delhivery, name: str) -> None:
    for odd in ODD:
        assert BODIES[name][0](delhivery, odd).status_code < 500, repr(odd)


def test_an_odd_package_is_answered_with_200(delhivery: Delhivery) -> None:
    for field in delhivery.package(**BOX, **CHECK):
        for odd in ODD:
            answer = _create(delhivery, delhivery.package(**{field: odd}))
            assert answer.status_code == 200, f"{field}: {odd!r}"
    for odd in ODD:
        assert _create(delhivery, odd).status_code == 200, repr(odd)


@pytest.mark.parametrize(
    "data",
    [pytest.param("[" * 100_000, id="deep"), "null", "[]", "1", '{"shipments": [1]}', "\x00"],
)
def test_odd_data_is_answered_with_200(delhivery: Delhivery, data: str) -> None:
    answer = delhivery.send(urlencode({"format": "json", "data": data}))
    assert (answer.status_code, answer.json()["packages"]) == (200, [])


@pytest.mark.parametrize("body", [b"\xff\xfe", pytest.param(b"[" * 100_000, id="deep"), b"{"])
def test_a_body_that_is_no_json_is_refused(delhivery: Delhivery, body: bytes) -> None:
    answer = requests.post(
        f"{delhivery.url}/api/p/edit", data=body, headers=delhivery.headers, timeout=10
    )
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/waybill/api/bulk/json/", {"count": "9" * 5000}),
        ("/waybill/api/bulk/json/", {"count": "٣"}),
        ("/api/dc/expected_tat", {"mot": "S", "expected_pickup_date": "2026-99-99 99:99"}),
        ("/api/dc/expected_tat", {"mot": "S", "origin_pin": "5" * 500}),
        ("/api/kinko/v1/invoice/charges/.json", CHARGE | {"cgm": "9" * 400}),
        ("/api/kinko/v1/invoice/charges/.json", CHARGE | {"cgm": "nan"}),
        ("/c/api/pin-codes/json/", {"filter_codes": "110001,560001"}),
        ("/api/v1/packages/json/", {"waybill": ","}),
        ("/api/p/packing_slip", {"wbns": ""}),
        ("/api/rest/fetch/pkg/document/", {"doc_type": "PDF"}),
    ],
)
def test_an_odd_parameter_is_refused(delhivery: Delhivery, path: str, query: Any) -> None:
    assert delhivery.call("GET", path, **query).status_code == 400
    assert len(delhivery.problems()) == 1
