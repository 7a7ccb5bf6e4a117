"""Delhivery's stand-in against the exchanges in fixtures/: its good answers have their fields."""

from __future__ import annotations

import datetime as dt
import json
import time
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.support.delhivery_sandbox_client import CLIENT, WAREHOUSE, Delhivery
from tests.support.sandbox_client import FIXTURES

EXCHANGES = FIXTURES / "delhivery" / "exchanges"
LANE = {"origin_pin": "560001", "destination_pin": "110001", "mot": "S"}
CHARGE = {
    "md": "S", "ss": "Delivered", "o_pin": "560001", "d_pin": "110001", "cgm": "500", "pt": "COD",
}  # fmt: skip


def _undelivered(delhivery: Delhivery) -> Any:
    waybill = delhivery.book()
    delhivery.advance(waybill, "UD/Pending/EOD-11")
    body = {"data": [{"waybill": waybill, "act": "RE-ATTEMPT"}]}
    return delhivery.call("POST", "/api/p/update", body).json()


def _outcome(delhivery: Delhivery) -> Any:
    delhivery.switch(action_lag=0)
    path = f"/api/cmu/get_bulk_upl/{_undelivered(delhivery)['request_id']}"
    deadline = time.monotonic() + 5
    while not (answer := delhivery.call("GET", path).json())["success_wbns"]:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return answer


def _document(delhivery: Delhivery) -> Any:
    waybill = delhivery.book()
    delhivery.advance(waybill, "DL/Delivered/EOD-38")
    path = "/api/rest/fetch/pkg/document/"
    return delhivery.call("GET", path, doc_type="EPOD", waybill=waybill).json()


def _pickup(delhivery: Delhivery) -> Any:
    tomorrow = dt.datetime.now(ZoneInfo("Asia/Kolkata")).date() + dt.timedelta(days=1)
    body = {
        "pickup_location": WAREHOUSE["name"],
        "pickup_date": tomorrow.isoformat(),
        "pickup_time": "10:00:00",
        "expected_package_count": 1,
    }
    return delhivery.call("POST", "/fm/request/new/", body).json()


def _register(delhivery: Delhivery) -> Any:
    body = WAREHOUSE | {"name": "Recorded"}
    return delhivery.call("POST", "/api/backend/clientwarehouse/create/", body).json()


# How the stand-in is asked for the first exchange of each file, which is a good one.
CALLS: dict[str, Callable[[Delhivery], Any]] = {
    "create_shipment": lambda d: d.create(d.package()),
    "fetch_numbers": lambda d: d.call("GET", "/waybill/api/bulk/json/", cl=CLIENT, count=3).json(),
    "edit": lambda d: d.cancel(d.book()),
    "track": lambda d: d.track(2, waybill=d.book()),
    "ndr": _undelivered,
    "ndr_outcome": _outcome,
    "pickup": _pickup,
    "label": lambda d: d.call("GET", "/api/p/packing_slip", wbns=d.book(), pdf="true").json(),
    "document": _document,
    "charges": lambda d: d.call("GET", "/api/kinko/v1/invoice/charges/.json", **CHARGE).json(),
    "transit": lambda d: d.call("GET", "/api/dc/expected_tat", **LANE).json(),
    "pincodes": lambda d: d.call("GET", "/c/api/pin-codes/json/", filter_codes="110001").json(),
    "create_warehouse": _register,
}


def lacks(answer: Any, recorded: Any, path: str = "") -> list[str]:
    """Return what an answer has not, or has of another kind, of what was recorded.

    A list is compared by its first entries; what is null on either side may be anything.
    """
    if answer is None or recorded is None:
        return []
    if isinstance(recorded, dict) and isinstance(answer, dict):
        missing = [f"{path}.{name}" for name in recorded if name not in answer]
        both = [name for name in recorded if name in answer]
        return missing + [
            one for name in both for one in lacks(answer[name], recorded[name], f"{path}.{name}")
        ]
    if isinstance(recorded, list) and isinstance(answer, list):
        pairs = zip(answer[:1], recorded[:1], strict=False)
        return [one for pair in pairs for one in lacks(*pair, f"{path}[]")]
    kinds = {type(answer), type(recorded)}
    return [] if len(kinds) == 1 or kinds == {int, float} else [f"{path}: {kinds}"]


def test_every_file_of_exchanges_is_asked_for() -> None:
    assert {path.stem for path in EXCHANGES.glob("*.json")} == set(CALLS)


@pytest.mark.parametrize("name", sorted(CALLS))
def test_a_good_answer_has_the_fields_of_the_exchange(delhivery: Delhivery, name: str) -> None:
    (good, *_) = json.loads((EXCHANGES / f"{name}.json").read_text())
    assert "neutral" in good
    assert lacks(CALLS[name](delhivery), good["answer"]) == []
    assert delhivery.problems() == []


def test_a_missing_field_and_another_kind_are_found() -> None:
    assert lacks({"a": [{"b": 1}], "c": "1"}, {"a": [{"b": 2.5, "d": ""}], "c": 1}) != []
    assert lacks({"a": [{"b": 1}]}, {"a": [{"b": 2.5, "d": ""}]}) == [".a[].d"]
