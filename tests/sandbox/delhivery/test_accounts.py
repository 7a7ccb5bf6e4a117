"""Keys, reserved waybills, warehouses, and the firewall."""

from __future__ import annotations

import time
from typing import Any

import pytest
import requests

from sandbox.process import SandboxProcess
from tests.support.delhivery_sandbox_client import CLIENT, WAREHOUSE, Delhivery

BULK, FETCH = "/waybill/api/bulk/json/", "/waybill/api/fetch/json/"
CREATE = "/api/backend/clientwarehouse/create/"
PINCODES, TAT = "/c/api/pin-codes/json/", "/api/dc/expected_tat"
TRACK, NDR = "/api/v1/packages/json/", "/api/p/update"


@pytest.mark.parametrize(
    ("method", "path", "status", "body"),
    [
        ("GET", TRACK, 401, '{"detail": "Invalid token"}'),
        ("POST", "/api/cmu/create.json", 401, '{"detail": "Invalid token"}'),
        ("GET", FETCH, 401, '"Unauthorized"'),
        ("GET", PINCODES, 401, "Login or API Key Required"),
        ("GET", TAT, 403, '{"detail": "Invalid token"}'),
        ("POST", NDR, 403, '"Unauthorized client/user"'),
    ],
)
def test_each_call_refuses_a_wrong_key_in_its_own_form(
    delhivery: Delhivery, method: str, path: str, status: int, body: str
) -> None:
    for key in ("wrong", "other-environment"):
        if (key, path) == ("other-environment", "/api/cmu/create.json"):
            continue
        wrong = Delhivery(delhivery.sandbox, key, warehouse=False)
        answer = wrong.call(method, path)
        assert (answer.status_code, answer.text) == (status, body)
    assert delhivery.problems() == []


def test_a_wrong_key_can_be_refused_by_a_text(delhivery: Delhivery) -> None:
    delhivery.switch(revoked=True, wrong_key="text")
    answer = delhivery.call("GET", TRACK, waybill="1")
    assert (answer.status_code, answer.json()) == (401, "Invalid token")


def test_the_key_of_the_other_environment_is_noticed_at_the_create_call(
    delhivery: Delhivery,
) -> None:
    other = Delhivery(delhivery.sandbox, "other-environment", warehouse=False)
    answer = other.create(other.package())
    assert (answer["success"], answer["packages"]) == (False, [])
    assert answer["rmk"] == "'NoneType' object has no attribute 'end_date'"


def test_waybills_are_a_json_string(delhivery: Delhivery) -> None:
    numbers = delhivery.call("GET", BULK, cl=CLIENT, count=30).json().split(",")
    assert len(set(numbers)) == 30
    assert all(number.isdecimal() and len(number) == 13 for number in numbers)
    assert delhivery.call("GET", FETCH, cl=CLIENT).json() not in numbers


@pytest.mark.parametrize(
    ("count", "words"), [("0", "Invalid count"), ("x", "Invalid count"), ("10001", "less than")]
)
def test_a_wrong_count_is_refused_by_a_json_string(
    delhivery: Delhivery, count: str, words: str
) -> None:
    answer = delhivery.call("GET", BULK, cl=CLIENT, count=count)
    assert answer.status_code == 400
    assert words in answer.json()


def test_an_account_can_need_its_name_for_waybills(delhivery: Delhivery) -> None:
    assert delhivery.call("GET", FETCH).status_code == 200
    delhivery.switch(client_name_needed=True)
    answer = delhivery.call("GET", FETCH)
    assert answer.status_code == 400
    assert "Unable to fetch client name for the token" in answer.json()
    assert delhivery.call("GET", FETCH, cl=CLIENT).status_code == 200
    assert delhivery.problems() == []


def test_an_account_without_numbers_gets_a_short_one(delhivery: Delhivery) -> None:
    delhivery.switch(no_numbers=True)
    assert delhivery.call("GET", FETCH, cl=CLIENT).json() == "4"


def test_numbers_beyond_the_first_batch_are_not_usable_at_once(delhivery: Delhivery) -> None:
    delhivery.switch(fresh_lag=0.4)
    numbers = delhivery.call("GET", BULK, cl=CLIENT, count=26).json().split(",")
    delhivery.book(waybill=numbers[24])
    assert f"Unable to consume waybill {numbers[25]}" in delhivery.refusal(waybill=numbers[25])
    time.sleep(0.5)
    delhivery.book(waybill=numbers[25])


def test_a_warehouse_is_created_once_and_edited(delhivery: Delhivery) -> None:
    new = WAREHOUSE | {"name": "Mysuru"}
    created = delhivery.call("POST", CREATE, new)
    assert created.status_code == 201
    assert (created.json()["success"], created.json()["data"]["active"]) == (True, True)
    again = delhivery.call("POST", CREATE, new)
    assert (again.status_code, again.json()["error_code"]) == (400, [2000])
    assert isinstance(again.json()["error"], list)
    edit = CREATE.replace("create", "edit")
    changed = delhivery.call("POST", edit, {"name": "Mysuru", "phone": "9845012346"})
    assert (changed.status_code, changed.json()["data"]["phone"]) == (200, "9845012346")
    assert delhivery.call("POST", edit, {"name": "Nowhere", "pin": "560001"}).status_code == 400
    assert delhivery.problems() == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"name": "A", "pin": 560001}, 1000),
        ({"name": "B", "return_address": ""}, 1000),
        ({"name": "C", "colour": "red"}, 1000),
        ({"name": "D", "pin": "999001"}, 1005),
    ],
)
def test_a_warehouse_is_refused_with_a_code(
    delhivery: Delhivery, changes: dict[str, Any], code: int
) -> None:
    answer = delhivery.call("POST", CREATE, WAREHOUSE | changes)
    assert (answer.status_code, answer.json()["error_code"]) == (400, [code])
    assert bool(delhivery.problems()) == (code == 1000)


def test_the_firewall_turns_an_address_away_with_a_page() -> None:
    flags = ("--hold", "--switch", "limits=true", "--switch", "limit_window=3")
    with SandboxProcess("delhivery", *flags) as limited:
        delhivery = Delhivery(limited)
        answers = [delhivery.call("GET", BULK, cl=CLIENT, count=1) for _ in range(6)]
        assert [answer.status_code for answer in answers] == [200] * 5 + [403]
        assert answers[-1].headers["Content-Type"].startswith("text/html")
        assert delhivery.call("GET", FETCH, cl=CLIENT).status_code == 200
        time.sleep(3)
        assert delhivery.call("GET", BULK, cl=CLIENT, count=1).status_code == 200


def test_a_firewall_page_is_a_fault_of_every_call(delhivery: Delhivery) -> None:
    delhivery.sandbox.set_faults(("*", "firewall", 1))
    before = delhivery.sandbox.state()["booked"]
    answer = delhivery.send("")
    assert (answer.status_code, "Access Denied" in answer.text) == (403, True)
    assert delhivery.call("GET", TRACK, waybill="1").status_code == 403
    assert delhivery.sandbox.state()["booked"] == before


def test_only_the_create_call_is_throttled_by_429(delhivery: Delhivery) -> None:
    delhivery.sandbox.set_faults(("*", "rate_limited", 1))
    answer = delhivery.send("")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")
    assert delhivery.call("GET", TRACK, waybill="1").status_code == 200


def test_an_unknown_path_is_no_json(delhivery: Delhivery) -> None:
    answer = requests.get(f"{delhivery.url}/api/nothing", headers=delhivery.headers, timeout=10)
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "text/html; charset=utf-8")
