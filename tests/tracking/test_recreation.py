"""Recreated parcels: the shipment continues under its new tracking id."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Sequence
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from couriers.contract import types
from couriers.contract.receiver import CourierEvent, Topic
from couriers.fulfilment.actions import cancel
from couriers.models import Scan, Shipment
from couriers.tracking.events import Applied, apply_events, apply_tracking
from tests.support.factories import ShipmentFactory
from tests.support.flags import open_flags
from tests.support.toy import MAPPER, ToyReceiver

pytestmark = pytest.mark.django_db


def make_shipment(account: Any, **fields: Any) -> Shipment:
    return ShipmentFactory(
        account=account,
        warehouse=account.company.warehouses.get(),
        **{"order_number": "R-1", "tracking_id": "T-1", **fields},
    )


def created(tracking_id: str, topic: Topic = Topic.SHIPMENT_CREATED) -> CourierEvent:
    return CourierEvent(topic, tracking_id, "R-1", waybill=f"W-{tracking_id}", vendor="V")


def recreated(tracking_id: str) -> CourierEvent:
    return created(tracking_id, Topic.SHIPMENT_RECREATED)


def scan(tracking_id: str, status: str, hour: int) -> CourierEvent:
    return ToyReceiver().parse({"id": tracking_id, "status": status, "hour": hour})[0]


def state(shipment: Shipment) -> tuple[Any, ...]:
    shipment.refresh_from_db()
    return (
        shipment.status, shipment.tracking_id, shipment.former_tracking_ids, open_flags(shipment),
        shipment.tracked_at,
    )  # fmt: skip


def test_the_new_tracking_id_is_current_and_the_old_one_is_kept(account: Any) -> None:
    shipment = make_shipment(account)
    assert apply_events(account, [recreated("T-2")]) == [Applied.APPLIED]
    assert state(shipment)[:4] == ("booked", "T-2", ["T-1"], [])
    assert shipment.waybill == "W-T-2"
    assert shipment.recreated_at


def test_scans_of_both_ids_apply_even_in_the_batch_of_the_recreation(
    account: Any,
) -> None:
    shipment = make_shipment(account)
    batch = [scan("T-2", "out_for_delivery", 5), scan("T-1", "picked_up", 1), recreated("T-2")]
    assert set(apply_events(account, batch)) == {Applied.APPLIED}
    assert state(shipment)[0] == "out_for_delivery"
    assert apply_events(account, [scan("T-1", "in_transit", 6)]) == [Applied.APPLIED]
    assert state(shipment)[0] == "in_transit"
    assert set(shipment.scans.values_list("tracking_id", flat=True)) == {"T-1", "T-2"}


@pytest.mark.parametrize("order", list(itertools.permutations(range(4)))[::5])
def test_a_cancellation_of_the_old_id_does_not_end_the_shipment(
    account: Any, order: Sequence[int]
) -> None:
    shipment = make_shipment(account)
    events = [
        recreated("T-2"), scan("T-1", "cancelled", 2), scan("T-2", "picked_up", 4),
        scan("T-2", "delivered", 9),
    ]  # fmt: skip
    waiting = [events[i] for i in order]
    while waiting:
        # An event that came too early is applied again.
        answers = [(event, apply_events(account, [event])[0]) for event in waiting]
        waiting = [event for event, answer in answers if answer == Applied.UNKNOWN_SHIPMENT]
    assert state(shipment)[:4] == ("delivered", "T-2", ["T-1"], [])


def test_a_shipment_that_ended_before_the_recreation_is_live_again(account: Any) -> None:
    shipment = make_shipment(account)
    apply_events(account, [scan("T-1", "in_transit", 1), scan("T-1", "not_serviceable", 2)])
    assert state(shipment)[0] == "not_serviceable"
    apply_events(account, [recreated("T-2")])
    assert state(shipment)[0] == "in_transit"


def test_a_delivery_under_the_old_id_still_counts(account: Any) -> None:
    shipment = make_shipment(account)
    apply_events(account, [scan("T-1", "delivered", 2), recreated("T-2")])
    apply_events(account, [scan("T-2", "booked", 5)])
    assert state(shipment)[0] == "delivered"
    assert Scan.objects.get(tracking_id="T-2").ignored


def test_a_repeated_event_does_not_restore_an_earlier_id(account: Any) -> None:
    shipment = make_shipment(account)
    apply_events(account, [recreated("T-2"), recreated("T-2")])
    apply_events(account, [recreated("T-3")])
    apply_events(account, [recreated("T-2"), created("T-1")])
    assert state(shipment)[1:3] == ("T-3", ["T-1", "T-2"])


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_a_booking_in_doubt_gets_its_ids_in_any_order_of_events(
    account: Any, order: Sequence[int]
) -> None:
    shipment = make_shipment(account, status="in_doubt", tracking_id="")
    events = [created("T-1"), recreated("T-2"), scan("T-1", "picked_up", 1)]
    for index in (*order, *order):
        apply_events(account, [events[index]])
    assert state(shipment)[:4] == ("picked_up", "T-2", ["T-1"], [])


def test_a_second_id_is_flagged_until_the_recreated_event_comes(account: Any) -> None:
    shipment = make_shipment(account)
    assert apply_events(account, [created("T-2")]) == [Applied.APPLIED]
    assert state(shipment)[1:3] == ("T-1", [])
    assert open_flags(shipment) == [("second_shipment", "T-2")]
    # The recreated event explains the second id and clears the flag.
    apply_events(account, [recreated("T-2")])
    assert state(shipment)[1:4] == ("T-2", ["T-1"], [])


def test_a_recreation_that_may_mean_two_shipments_is_flagged(account: Any) -> None:
    first = make_shipment(account, status="cancelled")
    second = make_shipment(account, tracking_id="T-9")
    apply_events(account, [recreated("T-2")])
    assert (state(first)[1], state(second)[1]) == ("T-1", "T-9")
    assert open_flags(second) == [("ambiguous_recreation", "T-2")]


def test_a_recreation_does_not_mean_a_parcel_that_was_returned(account: Any) -> None:
    make_shipment(account, status="rto_delivered")
    second = make_shipment(account, tracking_id="T-9")
    apply_events(account, [recreated("T-2")])
    assert state(second)[1:3] == ("T-2", ["T-9"])


def test_an_id_of_another_shipment_is_flagged_and_stays_there(account: Any) -> None:
    shipment = make_shipment(account)
    other = make_shipment(account, order_number="R-2", tracking_id="T-2")
    apply_events(account, [recreated("T-2")])
    assert (state(shipment)[1], state(other)[1]) == ("T-1", "T-2")
    assert open_flags(shipment) == [("recreated_as_other", "T-2")]


def test_a_recreation_of_an_unknown_order_waits(account: Any) -> None:
    assert apply_events(account, [recreated("T-2")]) == [Applied.UNKNOWN_SHIPMENT]


def test_a_recreated_booking_that_was_given_up_is_live_again_and_flagged(account: Any) -> None:
    shipment = make_shipment(account, status="failed", tracking_id="")
    apply_events(account, [recreated("T-2")])
    assert state(shipment)[:2] == ("booked", "T-2")
    assert open_flags(shipment) == [("late_confirmation", "T-2")]


def test_another_accounts_order_is_not_touched(account: Any) -> None:
    other = ShipmentFactory(order_number="R-1", tracking_id="T-1")
    assert apply_events(account, [recreated("T-2")]) == [Applied.UNKNOWN_SHIPMENT]
    assert state(other)[1] == "T-1"


def test_a_recreation_during_a_cancellation_keeps_the_shipment_live(
    account: Any, able: Any
) -> None:
    shipment = make_shipment(account)
    able.on_call["cancel_shipment"] = lambda _: apply_events(account, [recreated("T-2")]) and None
    cancel(shipment)
    assert able.asked[-1] == ("cancel_shipment", "T-1")
    assert state(shipment)[:4] == ("booked", "T-2", ["T-1"], [])


def test_polled_scans_of_the_old_parcel_do_not_end_the_new_one(account: Any) -> None:
    """Scans that are polled by waybill are stored under the tracking id of that time."""
    shipment = make_shipment(account)
    at = dt.datetime(2026, 11, 1, 5, tzinfo=dt.UTC)
    apply_tracking(
        shipment, types.Tracking("W-1", (types.Scan(MAPPER.map("cancelled"), at, "HUB"),))
    )
    assert state(shipment)[0] == "cancelled"
    apply_events(account, [recreated("T-2")])
    apply_events(account, [scan("T-2", "in_transit", 9)])
    assert state(shipment)[0] == "in_transit"


def test_a_repeated_recreation_locks_all_shipments_of_its_order_at_once(account: Any) -> None:
    """Its first lock is on all of them. Locks one by one could deadlock."""
    make_shipment(account, tracking_id="T-0", status="cancelled")
    make_shipment(account, tracking_id="T-2")
    with CaptureQueriesContext(connection) as asked:
        apply_events(account, [recreated("T-2")])
    locking = [q["sql"] for q in asked if "FOR UPDATE" in q["sql"]]
    first = Shipment.objects.order_by("id").values_list("pk", flat=True)
    assert all(pk in locking[0] for pk in first)
