"""What a courier says in words of its own: masked when stored, and never shown to a consignee."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from couriers.contract.receiver import CourierEvent, Topic
from couriers.contract.types import Booking, Scan, Tracking
from couriers.models import Shipment
from couriers.models.addresses import path_of
from couriers.tracking.events import apply_events, apply_tracking
from couriers_ekart.receiver import EkartReceiver
from tests.support.toy import MAPPER

pytestmark = pytest.mark.django_db

AT = dt.datetime(2026, 11, 2, 5, tzinfo=dt.UTC)
# A word that no plug-in knows, a reason, a place and a description, each with personal data.
SCAN = Scan(
    MAPPER.map("With Meera, 98450 12345", reason="Call meera@example.in"),
    AT,
    "Gate of 080-23456789",
    "Left with the guard Balu, +91-98450-12345",
)
STORED = ("With Meera, •••", "Call •••", "Gate of •••", "Left with the guard Balu, •••")


def apply(account: Any, shipment: Shipment, door: str, scan: Scan = SCAN) -> None:
    if door == "poll":
        apply_tracking(shipment, Tracking(shipment.tracking_id, (scan,)))
    else:
        event = CourierEvent(Topic.TRACK_UPDATED, shipment.tracking_id, scan=scan)
        apply_events(account, [event])


@pytest.mark.parametrize("door", ["callback", "poll"])
def test_a_scan_is_masked_when_it_is_stored(account: Any, shipment: Shipment, door: str) -> None:
    apply(account, shipment, door)
    scan = shipment.scans.get()
    assert (scan.courier_status, scan.ndr_reason, scan.location, scan.description) == STORED


def test_a_masked_scan_that_comes_again_by_another_door_is_stored_once(
    account: Any, shipment: Shipment
) -> None:
    for door in ("callback", "poll", "callback"):
        apply(account, shipment, door)
    assert shipment.scans.count() == 1


def test_the_shipment_has_the_masked_words_of_its_last_scan(
    account: Any, shipment: Shipment
) -> None:
    mapped = MAPPER.map("undelivered", reason="Refused, ring 9845012345")
    apply(account, shipment, "callback", Scan(mapped, AT))
    shipment.refresh_from_db()
    assert (shipment.status, shipment.ndr_reason) == ("undelivered", "Refused, ring •••")


def test_a_phone_at_the_end_of_a_column_is_masked_before_the_text_is_cut(
    account: Any, shipment: Shipment
) -> None:
    body = {
        "id": shipment.tracking_id, "ctime": 1793400000000, "orderNumber": "A-1", "wbn": "1",
        "status": "s" * 92 + " 9845012345", "ndrStatus": "n" * 92 + " 9845012345",
        "location": "p" * 192 + " 9845012345", "desc": "d" * 492 + " 9845012345",
    }  # fmt: skip
    apply_events(account, EkartReceiver().parse(body))
    scan = shipment.scans.get()
    for text in (scan.courier_status, scan.ndr_reason, scan.location, scan.description):
        assert text.endswith(" •••")


def test_the_couriers_answer_to_a_booking_is_masked(
    account: Any, toy: Any, order: Any, storefront: Client
) -> None:
    toy.on_create = lambda _: Booking("T-1", courier_status="Ask Meera 9845012345")
    answer = storefront.post("/api/v1/shipments/", order, "application/json")
    assert answer.json()["courier_status"] == "Ask Meera •••"


def test_the_tracking_page_shows_words_of_ours_alone(account: Any, shipment: Shipment) -> None:
    apply(account, shipment, "callback")
    known = Scan(MAPPER.map("undelivered", reason="Door locked"), AT, "Balu's shop", "Rang twice")
    apply(account, shipment, "callback", known)
    page = Client().get(path_of("couriers_tracking:page", shipment.pk)).content.decode()
    assert "News from the courier" in page
    assert "Could not be delivered" in page
    for word in ("Meera", "Gate", "Balu", "Door locked", "Rang", "•••"):
        assert word not in page


def test_a_scan_of_the_future_is_not_on_the_tracking_page(account: Any, shipment: Shipment) -> None:
    ahead = timezone.now() + dt.timedelta(days=30)
    apply(account, shipment, "callback", Scan(MAPPER.map("delivered"), ahead))
    page = Client().get(path_of("couriers_tracking:page", shipment.pk)).content.decode()
    assert "News from the courier" not in page
