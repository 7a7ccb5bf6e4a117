"""Faults of Velocity's stand-in, and what was done all the same."""

from __future__ import annotations

import time

import pytest
import requests

from tests.support.velocity_sandbox_client import Velocity


@pytest.mark.parametrize(
    ("kind", "status", "is_booked"),
    [
        ("internal_error_after", 500, True),
        ("gateway_timeout_before", 504, False),
        ("gateway_timeout_after", 504, True),
        ("rate_limited", 429, False),
        ("unauthorized", 401, False),
    ],
)
def test_a_create_fails_before_or_after_its_work(
    velocity: Velocity, kind: str, status: int, is_booked: bool
) -> None:
    velocity.sandbox.set_faults(("create_shipment", kind, 1))
    body = velocity.order()
    assert velocity.call("forward-order-orchestration", body).status_code == status
    found = velocity.find(body["order_id"])
    assert [one["tracking_number"] is not None for one in found] == [True] * is_booked


@pytest.mark.parametrize("is_booked", [False, True])
def test_a_connection_that_breaks_leaves_a_doubt(velocity: Velocity, is_booked: bool) -> None:
    kind = "reset_after" if is_booked else "reset_before"
    velocity.sandbox.set_faults(("create_shipment", kind, 1))
    body = velocity.order()
    with pytest.raises(requests.ConnectionError):
        velocity.call("forward-order-orchestration", body)
    assert len(velocity.find(body["order_id"])) == is_booked


def test_a_client_that_leaves_early_has_booked_all_the_same(velocity: Velocity) -> None:
    velocity.switch(carrier_seconds=0.5)
    body = velocity.order()
    with pytest.raises(requests.ReadTimeout):
        velocity.call("forward-order-orchestration", body, timeout=0.2)
    assert velocity.find(body["order_id"])[0]["tracking_number"] is None
    time.sleep(0.6)
    assert velocity.find(body["order_id"])[0]["tracking_number"]


def test_reads_may_end_in_a_504(velocity: Velocity) -> None:
    velocity.sandbox.set_faults(("track", "gateway_timeout_before", 1))
    answer = velocity.call("order-tracking", {"awbs": ["X"]})
    assert answer.status_code == 504
    assert answer.text.startswith("<html>")
    assert velocity.find("nothing has this text") == []
