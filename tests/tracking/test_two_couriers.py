"""An order that was given up or ended with one courier, and is live with another."""

from __future__ import annotations

from typing import Any

import pytest

from couriers.booking.protocol import book
from couriers.contract.platform_errors import NotLiftable, OrderAlreadyLive
from couriers.contract.receiver import CourierEvent, Topic
from couriers.contract.types import Booking
from couriers.models import Shipment
from couriers.operations.doubt import release
from couriers.operations.lifting import lift
from couriers.tracking.events import Applied, apply_events
from tests.support.drafts import DRAFT, created_event, draft_with
from tests.support.factories import make_staff
from tests.support.flags import open_flags
from tests.support.toy import ToyReceiver

pytestmark = pytest.mark.django_db


def scan_of(shipment: Shipment, status: str, hour: int) -> CourierEvent:
    found = {"id": shipment.tracking_id, "status": status, "hour": hour}
    return ToyReceiver().parse(found)[0]


@pytest.fixture
def ended(account: Any) -> Shipment:
    """A shipment that a scan of its courier ended."""
    shipment = book(account.company, DRAFT).shipment
    apply_events(account, [scan_of(shipment, "cancelled", 3)])
    shipment.refresh_from_db()
    assert shipment.status == "cancelled"
    return shipment


@pytest.fixture
def live(ended: Shipment, other_courier: Any) -> Shipment:
    """The shipment of the same order with another courier."""
    draft = draft_with(courier="othertoy")
    return book(other_courier.company, draft, key="elsewhere").shipment


def test_a_late_answer_is_flagged_on_the_live_shipment(
    account: Any, other_courier: Any, toy: Any
) -> None:
    def hook(_: Any) -> Booking:
        toy.on_create = None
        Shipment.objects.update(status="in_doubt", lease_expires_at=None)
        Shipment.objects.get().calls.update(started_at="2026-01-01T00:00:00Z")
        release(Shipment.objects.get().pk, actor=make_staff(), reason="not in the panel")
        book(account.company, draft_with(courier="othertoy"), key="elsewhere")
        return Booking("T-LATE")

    toy.on_create = staticmethod(hook)
    with pytest.raises(OrderAlreadyLive) as caught:
        book(account.company, DRAFT, key="first")
    found = Shipment.objects.get(pk=caught.value.shipment_id)
    assert (found.courier_id, open_flags(found)) == ("othertoy", [("second_shipment", "T-LATE")])


def test_later_scans_of_an_ended_shipment_do_not_make_it_live(
    account: Any, ended: Shipment, live: Shipment
) -> None:
    new_id = CourierEvent(Topic.SHIPMENT_RECREATED, "T-NEW", "A-1")
    assert apply_events(account, [new_id]) == [Applied.APPLIED]
    ended.refresh_from_db()
    assert ended.status == "cancelled"
    assert open_flags(ended) == [("order_taken", "")]
    live.refresh_from_db()
    assert live.status == "booked"


def test_it_becomes_live_once_the_other_one_has_ended(
    account: Any, other_courier: Any, ended: Shipment, live: Shipment
) -> None:
    apply_events(account, [CourierEvent(Topic.SHIPMENT_RECREATED, "T-NEW", "A-1")])
    apply_events(other_courier, [scan_of(live, "cancelled", 5)])
    ended.refresh_from_db()
    assert (ended.status, open_flags(ended)) == ("booked", [])


def test_its_end_is_not_lifted(ended: Shipment, live: Shipment) -> None:
    with pytest.raises(NotLiftable, match="another live shipment"):
        lift(ended.pk, actor=make_staff(), reason="it travels")


def test_a_creation_under_its_number_is_flagged(
    account: Any, ended: Shipment, live: Shipment
) -> None:
    assert apply_events(account, [created_event("A-1", "T-OTHER")]) == [Applied.APPLIED]
    assert open_flags(ended) == [("booked_again", "T-OTHER")]
    live.refresh_from_db()
    assert live.status == "booked"
