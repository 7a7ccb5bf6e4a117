"""What ends or shortens a life cycle."""

from __future__ import annotations

import time

from sandbox.process import SandboxProcess
from tests.support.sandbox_client import Ekart


def test_an_advanced_shipment_keeps_its_status() -> None:
    with SandboxProcess("ekart", "--pace", "0.2", "--outcomes", "delivered=1") as own:
        ekart = Ekart(own)
        tracking_id = ekart.book()["id"]
        ekart.wait_for(tracking_id, "Picked Up")
        ekart.call("DELETE", "/api/v1/package/cancel", tracking_id=tracking_id)
        ekart.wait_for(tracking_id, "RTO Requested")
        ekart.advance(tracking_id, "Lost")
        time.sleep(0.5)
        assert ekart.status(tracking_id) == "Lost"


def test_a_brief_life_cycle_has_only_its_first_and_last_status() -> None:
    with SandboxProcess("ekart", "--pace", "0", "--brief", "--outcomes", "rto=1") as running:
        ekart = Ekart(running)
        booked = ekart.book()["id"]
        assert running.wait_until_finished(10)
        assert ekart.statuses(booked) == ["Order Placed", "Pickup Scheduled", "RTO Delivered"]
