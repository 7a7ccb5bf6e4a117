"""The ledger's look-ups and counts, and the times of steps."""

from __future__ import annotations

import pytest

from sandbox.errors import NotFound
from sandbox.ledger import Ledger, Shipment


def shipment(tracking_id: str, order_number: str = "A-1", *, reverse: bool = False) -> Shipment:
    made = Shipment(tracking_id=tracking_id, order_number=order_number, reverse=reverse, body={})
    made.add_step("booked")
    return made


def test_an_order_that_is_booked_twice_is_a_duplicate_but_its_return_is_not() -> None:
    ledger: Ledger[Shipment] = Ledger()
    for booked in (shipment("T1"), shipment("T2", reverse=True), shipment("T3", "A-2")):
        ledger.add(booked)
    assert (ledger.state()["orders"], ledger.state()["duplicates"]) == (3, 0)
    ledger.add(shipment("T4"))
    assert (ledger.state()["orders"], ledger.state()["duplicates"]) == (3, 1)


def test_a_shipment_is_found_by_its_present_and_its_former_tracking_id() -> None:
    ledger: Ledger[Shipment] = Ledger()
    booked = shipment("T1")
    ledger.add(booked)
    booked.tracking_id = "T2"
    ledger.index(booked)
    assert ledger.get("T1") is ledger.get("T2") is booked
    assert ledger.find("T3") is None
    with pytest.raises(NotFound):
        ledger.get("T3")


def test_each_step_is_later_than_the_one_before() -> None:
    stepped = shipment("T1")
    for number in range(50):
        stepped.add_step(str(number))
    times = [step.time_ms for step in stepped.steps]
    assert times == sorted(set(times))
