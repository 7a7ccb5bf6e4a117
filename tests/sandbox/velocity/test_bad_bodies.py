"""Whatever a body has in one of its places, the sandbox answers and does not fail."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from tests.support.velocity_sandbox_client import API, WAREHOUSE, Velocity

ODD = (None, "", "\0", -1, 10**30, [], {}, [None])
Path = tuple[str | int, ...]
BODIES: dict[str, Callable[[Velocity], dict[str, Any]]] = {
    "forward-order-orchestration": Velocity.order,
    "reverse-order-orchestration": Velocity.return_body,
    "forward-order-shipment": lambda _: {"shipment_id": "x", "carrier_id": "y"},
    "reverse-order-shipment": lambda v: {"return_id": "x", "warehouse_id": v.warehouse_id},
    "warehouse": lambda _: copy.deepcopy(WAREHOUSE),
    "rates": lambda _: {
        "journey_type": "forward", "origin_pincode": "560034", "destination_pincode": "110001",
        "dead_weight": 240, "length": 10, "width": 10, "height": 10, "payment_method": "cod",
        "shipment_value": 3,
    },
    "serviceability": lambda _: {
        "from": "560034", "to": "110001", "payment_mode": "cod", "shipment_type": "forward"
    },
    "order-tracking": lambda _: {"awbs": ["x"]},
    "cancel-order": lambda _: {"awbs": ["x"]},
    "reattempt": lambda _: {"awb": "x", "updated_address": {"landmark": "x"}, "comments": "x"},
    "initiate-rto": lambda _: {"awb": "x"},
    "shipments": lambda _: {"search": "x", "per_page": 3},
    "auth-token": lambda _: {"username": "x", "password": "x"},
}  # fmt: skip


def places(value: Any, path: Path = ()) -> Iterator[Path]:
    """The paths of everything in a body."""
    inside = value.items() if isinstance(value, dict) else enumerate(value)
    for name, part in inside:
        yield (*path, name)
        if isinstance(part, (dict, list)):
            yield from places(part, (*path, name))


def with_odd_value(body: dict[str, Any], path: Path, odd: Any) -> dict[str, Any]:
    changed: Any = copy.deepcopy(body)
    part = changed
    for name in path[:-1]:
        part = part[name]
    part[path[-1]] = odd
    return dict(changed)


@pytest.mark.parametrize("path", sorted(BODIES))
def test_an_odd_value_anywhere_is_answered(velocity: Velocity, path: str) -> None:
    body = BODIES[path](velocity)
    with requests.Session() as session:
        for place in places(body):
            for odd in ODD:
                answer = session.post(
                    f"{velocity.url}{API}/{path}",
                    json=with_odd_value(body, place, odd),
                    headers=velocity.headers,
                    timeout=10,
                )
                assert answer.status_code in (200, 400, 401, 422), f"{place} {odd!r}: {answer.text}"
    velocity.sandbox.post("/_sandbox/unlock", {})
