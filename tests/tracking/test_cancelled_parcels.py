"""Scans of a cancelled parcel: no alarm without progress, and no end on the way back."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from couriers.contract import types
from couriers.contract.statuses import Status
from couriers.models import Shipment
from couriers.tracking.events import apply_tracking, mark_cancelled
from tests.support.api import set_status
from tests.support.factories import ShipmentFactory
from tests.support.flags import open_flags
from tests.support.toy import MAPPER


@pytest.fixture
def booked(account: Any) -> Shipment:
    return ShipmentFactory(account=account, warehouse=account.company.warehouses.get())


def scan(shipment: Shipment, status: str, minutes: int) -> str:
    """Have the courier send a scan, minutes from now; return the shipment's status."""
    at = timezone.now() + dt.timedelta(minutes=minutes)
    tracking = types.Tracking(shipment.tracking_id, (types.Scan(MAPPER.map(status), at),))
    return apply_tracking(shipment, tracking).status


@pytest.mark.parametrize("status", ["booked", "pickup_pending", "not_picked", "out_for_pickup"])
def test_a_scan_after_a_cancellation_that_is_no_progress_raises_no_flag(
    booked: Shipment, status: str
) -> None:
    mark_cancelled(booked)
    assert scan(booked, status, 5) == "cancelled"
    assert open_flags(booked) == []
    assert booked.scans.get(status=status).ignored


@pytest.mark.parametrize("status", ["picked_up", "in_transit", "out_for_delivery", "delivered"])
def test_a_parcel_that_goes_on_after_its_cancellation_is_flagged(
    booked: Shipment, status: str
) -> None:
    mark_cancelled(booked)
    assert scan(booked, status, 5) == "cancelled"
    assert open_flags(booked) == [("late_scans", "")]


@pytest.mark.parametrize("minutes", [-5, 5])
def test_the_couriers_own_cancellation_ends_no_parcel_that_travels_back(
    booked: Shipment, minutes: int
) -> None:
    scan(booked, "in_transit", -60)
    mark_cancelled(booked, Status.RTO_REQUESTED)
    assert scan(booked, "cancelled", minutes) == "rto_requested"
    assert scan(booked, "in_transit", 6) == "in_transit"
    assert scan(booked, "cancelled", 7) == "in_transit"
    assert scan(booked, "rto_in_transit", 8) == "rto_in_transit"
    assert scan(booked, "rto_delivered", 9) == "rto_delivered"
    assert open_flags(booked) == []


def test_a_recreated_parcel_is_cancelled_although_its_former_one_travelled_back(
    booked: Shipment,
) -> None:
    scan(booked, "rto_in_transit", -60)
    set_status(booked, "booked", tracking_id="T-2", former_tracking_ids=[booked.tracking_id])
    booked.refresh_from_db()
    assert scan(booked, "booked", -30) == "booked"
    assert scan(booked, "cancelled", -5) == "cancelled"
