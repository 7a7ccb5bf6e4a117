"""The ways that parcels end in, drawn or chosen by the order number."""

from __future__ import annotations

import pytest

from sandbox.process import SandboxProcess
from tests.support.velocity_sandbox_client import Velocity

WAY = ["pending", "ready_for_pickup", "picked_up", "in_transit", "out_for_delivery"]
RTO = ["rto_initiated", "rto_in_transit", "rto_delivered"]


def statuses(velocity: Velocity, order_number: str) -> list[str]:
    """Book an order, wait for its end, and return its statuses, the first one first."""
    made = velocity.book(order_id=order_number)
    assert velocity.sandbox.wait_until_finished(10)
    (listed,) = [s for s in velocity.sandbox.shipments() if s["tracking_id"] == made["awb_code"]]
    return list(listed["statuses"])


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        ("delivered", [*WAY, "delivered"]),
        ("undelivered", [*WAY, "ndr_raised"]),
        ("rto", [*WAY, "ndr_raised", *RTO]),
        ("recovered", [*WAY, "ndr_raised", "reattempt_delivery", "delivered"]),
        ("lost", [*WAY[:-1], "lost"]),
        ("not_picked", [*WAY[:2], "not_picked"]),
    ],
)
def test_a_drawn_outcome_has_its_way(outcome: str, expected: list[str]) -> None:
    with SandboxProcess("velocity", "--pace", "0", "--outcomes", f"{outcome}=1") as running:
        assert statuses(Velocity(running), "A-1") == expected


def test_an_order_number_chooses_its_end() -> None:
    with SandboxProcess("velocity", "--pace", "0", "--outcomes", "lost=1") as running:
        velocity = Velocity(running)
        ends = {kind: statuses(velocity, f"TEST-{kind}-1")[-1] for kind in ("DELIVERED", "NDR")}
        assert ends == {"DELIVERED": "delivered", "NDR": "ndr_raised"}
        assert statuses(velocity, "TEST-RTO-1")[-1] == "rto_delivered"


def test_an_order_without_awb_has_no_life_cycle() -> None:
    with SandboxProcess("velocity", "--pace", "0", "--switch", "no_awb_rate=1") as running:
        Velocity(running).book()
        assert running.wait_until_finished(5)
        state = running.state()
        assert (state["booked"], state["without_awb"], state["statuses"]) == (0, 1, {})
        (order,) = running.list_all("/_sandbox/orders")
        assert (order["tracking_id"], order["status"]) == ("", "pending")
