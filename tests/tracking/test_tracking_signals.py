"""The signals of statuses and flags: one for each change that is committed, none for a repeat."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone

from couriers.contract import types
from couriers.contract.platform_errors import NotLiftable
from couriers.contract.receiver import CourierEvent, Topic
from couriers.fulfilment.actions import refresh_tracking
from couriers.models import FlagKind, Shipment
from couriers.models.flag import raise_flag
from couriers.operations.lifting import lift
from couriers.tracking.events import apply_events, apply_tracking
from tests.support.callbacks import send
from tests.support.drafts import created_event
from tests.support.factories import ShipmentFactory, make_staff
from tests.support.signals import Heard, failing_receivers, listening
from tests.support.toy import MAPPER, ToyReceiver
from webhooks.processing import process_batch

pytestmark = pytest.mark.django_db(transaction=True)

# An estimated delivery that no date can hold: its event fails while it is applied.
UNUSABLE_ESTIMATE = {"estimate": 10**30}


@pytest.fixture
def heard() -> Iterator[Heard]:
    with listening() as heard:
        yield heard


@pytest.fixture
def no_dispatch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Send no task for a stored callback; the test processes the inbox itself."""
    monkeypatch.setattr("webhooks.views.request_processing", lambda: None)


def scan_of(shipment: Shipment, status: str, hour: int) -> CourierEvent:
    payload = {"id": shipment.tracking_id, "status": status, "hour": hour}
    return ToyReceiver().parse(payload)[0]


def another(account: Any, **fields: Any) -> Shipment:
    return ShipmentFactory(account=account, warehouse=account.company.warehouses.get(), **fields)


def test_a_batch_announces_the_last_status_of_each_shipment_once(
    account: Any, shipment: Shipment, heard: Heard
) -> None:
    other = another(account)
    events = [
        scan_of(shipment, "in_transit", 2),
        scan_of(other, "picked_up", 1),
        scan_of(shipment, "out_for_delivery", 5),
        scan_of(shipment, "in_transit", 3),
    ]
    apply_events(account, events)
    assert heard.facts("status_changed", "shipment_id", "previous_status", "status") == [
        (shipment.pk, "booked", "out_for_delivery"),
        (other.pk, "booked", "picked_up"),
    ]
    assert heard.names() == ["status_changed"] * 2


def test_a_repeated_or_older_scan_announces_nothing(
    account: Any, shipment: Shipment, heard: Heard
) -> None:
    for hour in (5, 5, 4, 6):
        apply_events(account, [scan_of(shipment, "in_transit", hour)])
    assert heard.statuses() == [("booked", "in_transit")]


def test_a_poll_announces_the_status_that_it_finds(
    account: Any, shipment: Shipment, able: Any, heard: Heard
) -> None:
    for _ in range(2):
        refresh_tracking(shipment)
    assert heard.statuses() == [("booked", "in_transit")]


@pytest.mark.usefixtures("no_dispatch")
def test_events_of_a_batch_that_is_split_are_announced_once(account: Any, heard: Heard) -> None:
    shipments = [another(account) for _ in range(6)]
    for number, shipment in enumerate(shipments):
        more = UNUSABLE_ESTIMATE if number == 3 else {}
        send(account, {"id": shipment.tracking_id, "status": "lost", "hour": 1, **more})
    assert process_batch().processed == 5
    expected = [(s.pk,) for number, s in enumerate(shipments) if number != 3]
    assert sorted(heard.facts("status_changed", "shipment_id")) == expected


@pytest.mark.usefixtures("no_dispatch")
def test_a_failing_receiver_fails_no_callback(account: Any, shipment: Shipment) -> None:
    with failing_receivers(RuntimeError("a fault in the host")), listening() as heard:
        send(account, {"id": shipment.tracking_id, "status": "in_transit", "hour": 1})
        assert process_batch().processed == 1
    assert Shipment.objects.get().status == "in_transit"
    assert heard.statuses() == [("booked", "in_transit")]


def test_a_recreated_parcel_that_is_live_again_is_announced(account: Any, heard: Heard) -> None:
    shipment = another(account, order_number="A-1", tracking_id="T-1")
    apply_events(account, [scan_of(shipment, "cancelled", 1)])
    apply_events(account, [CourierEvent(Topic.SHIPMENT_RECREATED, "T-2", "A-1")])
    assert heard.facts("status_changed", "tracking_id", "previous_status", "status") == [
        ("T-1", "booked", "cancelled"),
        ("T-2", "cancelled", "booked"),
    ]


def test_a_doubt_that_a_batch_settles_and_moves_on_is_announced_step_by_step(
    account: Any, heard: Heard
) -> None:
    shipment = another(account, order_number="A-1", status="in_doubt", tracking_id="")
    moved = ToyReceiver().parse({"id": "T-9", "status": "in_transit", "hour": 1})[0]
    apply_events(account, [moved, created_event("A-1", "T-9")])
    assert heard.statuses() == [("in_doubt", "booked"), ("booked", "in_transit")]
    assert heard.facts("settled", "shipment_id") == [(shipment.pk,)]


def test_a_lifted_end_is_announced(account: Any, shipment: Shipment, heard: Heard) -> None:
    apply_events(account, [scan_of(shipment, "in_transit", 1), scan_of(shipment, "lost", 5)])
    lift(shipment.pk, actor=make_staff(), reason="found")
    assert heard.statuses() == [("booked", "lost"), ("lost", "in_transit")]


def test_a_lift_that_is_refused_announces_nothing(account: Any, heard: Heard) -> None:
    shipment = another(account, order_number="A-1")
    apply_events(account, [scan_of(shipment, "lost", 5)])
    another(account, order_number="A-1")
    heard.clear()
    with pytest.raises(NotLiftable):
        lift(shipment.pk, actor=make_staff(), reason="found")
    assert heard == []


def test_late_scans_are_announced_as_a_flag_once(
    account: Any, shipment: Shipment, heard: Heard
) -> None:
    apply_events(account, [scan_of(shipment, "delivered", 1)])
    for hour in (5, 6):
        apply_events(account, [scan_of(shipment, "in_transit", hour)])
    assert heard.facts("flagged", "kind", "shipment_id") == [("late_scans", shipment.pk)]


def test_scans_from_the_future_are_announced_as_a_flag(shipment: Shipment, heard: Heard) -> None:
    at = timezone.now() + dt.timedelta(days=30)
    scan = types.Scan(MAPPER.map("delivered"), at, "PUNE", "")
    apply_tracking(shipment, types.Tracking(shipment.tracking_id, (scan,)))
    assert heard.facts("flagged", "kind") == [("future_scans",)]
    assert heard.statuses() == []


def test_a_second_shipment_is_announced_as_a_flag_with_its_tracking_id(
    account: Any, heard: Heard
) -> None:
    shipment = another(account, order_number="A-1", tracking_id="T-1")
    for _ in range(2):
        apply_events(account, [created_event("A-1", "T-8")])
    flag = shipment.flags.get()
    assert heard == [
        (
            "flagged",
            {
                "shipment_id": shipment.pk,
                "company_id": account.company_id,
                "order_number": "A-1",
                "courier": "toy",
                "direction": "forward",
                "tracking_id": "T-1",
                "flag_id": flag.pk,
                "kind": "second_shipment",
                "other_tracking_id": "T-8",
                "other_order_number": "",
                "other_courier": "",
            },
        )
    ]
    assert type(heard[0][1]["kind"]) is str


def test_a_flag_that_is_raised_again_after_it_was_cleared_is_announced_again(
    shipment: Shipment, heard: Heard
) -> None:
    for _ in range(2):
        raise_flag(shipment, FlagKind.OTHER_ORDER, tracking_id="T-8", order_number="B-2")
        shipment.flags.update(cleared_at=timezone.now(), clear_reason="looked at")
    assert heard.facts("flagged", "kind", "other_order_number") == [("other_order", "B-2")] * 2
