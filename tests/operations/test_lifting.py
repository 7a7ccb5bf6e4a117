"""Lifting a terminal scan: the other scans then decide the status."""

from __future__ import annotations

import random
from typing import Any

import pytest
from django.test import Client

from couriers.contract.errors import InvalidRequest
from couriers.contract.platform_errors import NotLiftable
from couriers.models import AuditEntry, Shipment
from couriers.operations.lifting import lift
from couriers.tracking.events import apply_events
from tests.support.admin_links import row_url
from tests.support.factories import ShipmentFactory, make_staff
from tests.support.flags import open_flags
from tests.support.toy import ToyReceiver

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator(client: Client) -> Any:
    user = make_staff("lift_status", "view_shipment")
    client.force_login(user)
    return user


def apply_scans(shipment: Shipment, *steps: tuple[str, int]) -> Shipment:
    """Apply scans, given as pairs of status and hour; return the updated shipment."""
    events = [
        ToyReceiver().parse({"id": shipment.tracking_id, "status": status, "hour": hour})[0]
        for status, hour in steps
    ]
    apply_events(shipment.account, events)
    shipment.refresh_from_db()
    return shipment


def test_the_other_scans_decide_the_status_after_a_lift(shipment: Shipment, operator: Any) -> None:
    apply_scans(shipment, ("in_transit", 1), ("delivered", 5), ("undelivered", 6))
    assert (shipment.status, open_flags(shipment)) == ("delivered", [("late_scans", "")])
    lift(shipment.pk, actor=operator, reason="the consignee has nothing")
    shipment.refresh_from_db()
    assert (shipment.status, open_flags(shipment)) == ("undelivered", [])
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor, entry.reason) == (
        "lift_status", operator, "the consignee has nothing",
    )  # fmt: skip
    assert apply_scans(shipment, ("out_for_delivery", 8)).status == "out_for_delivery"


def test_without_another_scan_a_lifted_shipment_is_booked(
    shipment: Shipment, operator: Any
) -> None:
    apply_scans(shipment, ("lost", 5))
    assert lift(shipment.pk, actor=operator, reason="found").status == "booked"


def test_a_repeat_of_the_lifted_scan_does_not_end_the_shipment(
    shipment: Shipment, operator: Any
) -> None:
    apply_scans(shipment, ("in_transit", 1), ("lost", 5))
    lift(shipment.pk, actor=operator, reason="found")
    assert apply_scans(shipment, ("lost", 5)).status == "in_transit"
    assert apply_scans(shipment, ("lost", 6)).status == "lost"


def test_the_order_of_lift_and_scans_does_not_matter(account: Any, operator: Any) -> None:
    steps = [("in_transit", 1), ("delivered", 5), ("undelivered", 6), ("rto_requested", 7)]
    ends = set()
    for seed in range(4):
        shipment = ShipmentFactory(account=account, warehouse=account.company.warehouses.get())
        order = random.Random(seed).sample(steps, len(steps))
        cut = order.index(("delivered", 5)) + 1
        apply_scans(shipment, *order[:cut])
        lift(shipment.pk, actor=operator, reason="wrong")
        apply_scans(shipment, *order[cut:], *order)
        flags = tuple(open_flags(shipment))
        ends.add((shipment.status, flags, shipment.status_at, shipment.tracked_at))
    assert len(ends) == 1


def test_a_lift_needs_a_terminal_scan_and_a_reason(shipment: Shipment, operator: Any) -> None:
    apply_scans(shipment, ("in_transit", 1))
    with pytest.raises(NotLiftable, match="in transit"):
        lift(shipment.pk, actor=operator, reason="why not")
    apply_scans(shipment, ("lost", 5))
    for reason in ("", "  ", "x" * 501):
        with pytest.raises(InvalidRequest):
            lift(shipment.pk, actor=operator, reason=reason)
    assert not AuditEntry.objects.exists()


def test_a_shipment_is_not_lifted_where_its_order_is_booked_again(
    account: Any, shipment: Shipment, operator: Any
) -> None:
    apply_scans(shipment, ("in_transit", 1), ("cancelled", 5))
    again = ShipmentFactory(
        account=account, warehouse=shipment.warehouse, order_number=shipment.order_number
    )
    with pytest.raises(NotLiftable, match="another live shipment"):
        lift(shipment.pk, actor=operator, reason="still on its way")
    assert apply_scans(shipment, ("rto_in_transit", 6)).status == "cancelled"
    assert open_flags(shipment) == [("order_taken", "")]
    apply_scans(again, ("lost", 3))
    assert apply_scans(shipment, ("rto_delivered", 9)).status == "rto_delivered"
    assert open_flags(shipment) == []


def test_the_lift_page_asks_for_a_reason_and_a_confirmation(
    client: Client, operator: Any, shipment: Shipment
) -> None:
    page = row_url(shipment).removesuffix("change/")
    assert "Lift the end" not in client.get(f"{page}change/").content.decode()
    apply_scans(shipment, ("in_transit", 1), ("delivered", 5))
    assert "Lift the end" in client.get(f"{page}change/").content.decode()
    assert client.get(f"{page}lift-end/").headers["Location"] == f"{page}lift/"
    asked = client.get(f"{page}lift/").content.decode()
    assert "delivered" in asked
    assert "9876543210" not in asked
    assert client.post(f"{page}lift/", {"reason": "it is not"}).status_code == 200
    shipment.refresh_from_db()
    assert shipment.status == "delivered"
    answer = client.post(f"{page}lift/", {"reason": "it is not", "sure": "on"})
    assert answer.status_code == 302
    shipment.refresh_from_db()
    assert shipment.status == "in_transit"
    again = client.post(f"{page}lift/", {"reason": "once more", "sure": "on"})
    assert "nothing to lift" in again.content.decode()


def test_lifting_needs_the_permission(client: Client, shipment: Shipment) -> None:
    apply_scans(shipment, ("delivered", 5))
    client.force_login(make_staff("view_shipment", username="watcher"))
    page = f"/admin/shipcrowd_couriers/shipment/{shipment.pk}/lift/"
    assert client.post(page, {"reason": "it is not", "sure": "on"}).status_code == 403
    shipment.refresh_from_db()
    assert shipment.status == "delivered"
