"""Velocity's sandbox against the recorded exchanges: its good answers have the same fields."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import requests

from tests.support.sandbox_client import FIXTURES
from tests.support.velocity_sandbox_client import WAREHOUSE, Velocity

EXCHANGES = FIXTURES / "velocity" / "exchanges"
RATES = {
    "journey_type": "forward", "origin_pincode": "560034", "destination_pincode": "110001",
    "dead_weight": 240, "length": 10, "width": 10, "height": 10, "payment_method": "prepaid",
}  # fmt: skip
LANE = {"from": "560034", "to": "110001", "payment_mode": "cod", "shipment_type": "forward"}


def _search(among: str) -> Callable[[Velocity], requests.Response]:
    def search(velocity: Velocity) -> requests.Response:
        body = velocity.order() if among == "shipments" else velocity.return_body()
        path = "forward" if among == "shipments" else "reverse"
        velocity.call(f"{path}-order-orchestration", body)
        return velocity.call(among, {"search": body["order_id"]})

    return search


def _track(velocity: Velocity) -> requests.Response:
    awb = velocity.book()["awb_code"]
    velocity.advance(awb, "picked_up", "delivered")
    return velocity.call("order-tracking", {"awbs": [awb]})


def _ndr(path: str) -> Callable[[Velocity], requests.Response]:
    def call(velocity: Velocity) -> requests.Response:
        awb = velocity.book()["awb_code"]
        velocity.advance(awb, "ndr_raised")
        return velocity.call(path, {"awb": awb})

    return call


CALLS: dict[str, Callable[[Velocity], requests.Response]] = {
    "create_shipment": Velocity.create,
    "create_return": lambda v: v.call("reverse-order-orchestration", v.return_body()),
    "find_shipment": _search("shipments"),
    "find_return": _search("returns"),
    "track": _track,
    "cancel_shipment": lambda v: v.call("cancel-order", {"awbs": [v.book()["awb_code"]]}),
    "reattempt": _ndr("reattempt"),
    "initiate_rto": _ndr("initiate-rto"),
    "rates": lambda v: v.call("rates", RATES),
    "serviceability": lambda v: v.call("serviceability", LANE),
    "add_warehouse": lambda v: v.call("warehouse", WAREHOUSE),
}


def shape(value: Any) -> Any:
    """Return the kinds of an answer's values by their names; of a list those of its first entry."""
    if isinstance(value, dict):
        # The AWBs that are asked for are names in tracking.
        return {("AWB" if n.isdigit() else n): shape(v) for n, v in value.items()}
    if isinstance(value, list):
        return [shape(one) for one in value[:1]]
    if isinstance(value, bool) or value is None:
        return "optional"
    return "number" if isinstance(value, (int, float)) else "text"


def same(first: Any, second: Any) -> bool:
    """Whether two shapes fit: what is null in one may be anything in the other."""
    if "optional" in (first, second):
        return True
    if isinstance(first, dict) and isinstance(second, dict):
        return set(first) == set(second) and all(same(first[n], second[n]) for n in first)
    if isinstance(first, list) and isinstance(second, list):
        return all(same(one, other) for one, other in zip(first, second, strict=False))
    return bool(first == second)


def recorded(operation: str) -> list[dict[str, Any]]:
    exchanges: list[dict[str, Any]] = json.loads((EXCHANGES / f"{operation}.json").read_text())
    return exchanges


def test_every_recorded_operation_is_one_of_the_sandbox() -> None:
    assert {path.stem for path in EXCHANGES.glob("*.json")} == set(CALLS)


@pytest.mark.parametrize("operation", sorted(CALLS))
def test_a_good_answer_has_the_fields_of_the_recorded_one(
    velocity: Velocity, operation: str
) -> None:
    answer = CALLS[operation](velocity)
    good = recorded(operation)[0]
    assert answer.status_code == good["status"] == 200
    given, expected = shape(answer.json()), shape(good["answer"])
    assert same(given, expected), f"{given}\n{expected}"


def test_an_order_without_awb_has_the_fields_of_the_recorded_one(velocity: Velocity) -> None:
    velocity.switch(no_awb_rate=1)
    (without,) = [one for one in recorded("create_shipment") if one.get("error") == "OrderKept"]
    assert same(shape(velocity.create().json()), shape(without["answer"]))


def test_the_names_of_recorded_exchanges_are_their_own() -> None:
    for operation in CALLS:
        names = [one["name"] for one in recorded(operation)]
        assert len(set(names)) == len(names)
        assert all(("error" in one) != ("neutral" in one) for one in recorded(operation))
