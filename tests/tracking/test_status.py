"""The status of a shipment depends on the set of its scans alone."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from couriers.contract import types
from couriers.contract.statuses import STATUS_FACTS, Status
from couriers.models import Scan
from couriers.tracking.events import apply_events, apply_tracking
from couriers.tracking.scan_rows import UNKNOWN_STATUSES
from couriers.tracking.status import walk_scans
from tests.support.factories import ShipmentFactory
from tests.support.flags import open_flags
from tests.support.toy import MAPPER, ToyReceiver

START = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)


def scans(*steps: tuple[str, int]) -> list[Scan]:
    return [
        Scan(pk=number, at=START + dt.timedelta(hours=hour), status=status, courier_status=status)
        for number, (status, hour) in enumerate(steps, start=1)
    ]


def status_of(found: list[Scan]) -> str:
    latest = walk_scans(found).latest
    return latest.status if latest else ""


def test_the_couriers_time_decides_and_not_the_arrival() -> None:
    assert status_of(scans(("delivered", 9), ("in_transit", 4))) == "delivered"


def test_undelivered_may_go_out_for_delivery_again() -> None:
    assert status_of(scans(("undelivered", 5), ("out_for_delivery", 8))) == "out_for_delivery"


def test_scans_after_the_end_are_ignored() -> None:
    result = walk_scans(scans(("delivered", 5), ("in_transit", 6), ("delivered", 7)))
    assert result.ignored == {2}


def test_rto_scans_count_after_a_cancellation() -> None:
    found = scans(("cancelled", 5), ("in_transit", 6), ("rto_in_transit", 7), ("rto_delivered", 9))
    assert (status_of(found), walk_scans(found).ignored) == ("rto_delivered", {2})


def test_of_two_scans_at_one_time_the_one_with_more_progress_counts() -> None:
    assert status_of(scans(("delivered", 5), ("out_for_delivery", 5))) == "delivered"


def test_an_unknown_status_changes_nothing() -> None:
    assert status_of(scans(("in_transit", 5), ("", 6))) == "in_transit"
    assert walk_scans(scans(("", 1))).latest is None


courier_statuses = st.sampled_from(
    [s.value for s, facts in STATUS_FACTS.items() if facts.progress >= 10]
)


@given(st.lists(st.tuples(courier_statuses, st.integers(0, 20)), max_size=12), st.randoms())
def test_the_order_of_scans_does_not_matter(steps: list[tuple[str, int]], random: Any) -> None:
    found = scans(*steps)
    shuffled = random.sample(found, len(found))
    one, other = walk_scans(found), walk_scans(shuffled)
    key = lambda result: result.latest and (result.latest.status, result.latest.at)  # noqa: E731
    assert key(one) == key(other)
    by_pk = {scan.pk: (scan.status, scan.at) for scan in found}
    assert sorted(by_pk[i] for i in one.ignored) == sorted(by_pk[i] for i in other.ignored)


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (2, 0, 3, 1)])
@pytest.mark.parametrize("at_once", [1, 2, 4])
def test_the_split_into_batches_does_not_matter(
    account: Any, order: tuple[int, ...], at_once: int
) -> None:
    shipment = ShipmentFactory(account=account, warehouse=account.company.warehouses.get())
    steps = [("picked_up", 1), ("delivered", 5), ("in_transit", 7), ("rto_in_transit", 3)]
    events = [
        ToyReceiver().parse({"id": shipment.tracking_id, "status": status, "hour": hour})[0]
        for status, hour in steps
    ]
    events = [events[i] for i in order] + [events[order[0]]]
    for start in range(0, len(events), at_once):
        apply_events(account, events[start : start + at_once])
    shipment.refresh_from_db()
    assert (shipment.status, open_flags(shipment)) == (Status.DELIVERED, [("late_scans", "")])
    assert shipment.scans.count() == 4
    assert shipment.scans.get(ignored=True).status == "in_transit"
    assert shipment.tracked_at == START + dt.timedelta(hours=7)


def event(shipment: Any, step: dict[str, Any]) -> Any:
    return ToyReceiver().parse({"id": shipment.tracking_id, **step})[0]


steps_of_a_parcel = st.fixed_dictionaries(
    {
        "status": courier_statuses | st.just("Teleported"),
        "hour": st.integers(0, 12),
        "place": st.sampled_from(["", "PUNE"]),
        "text": st.sampled_from(["", "a", "b"]),
        "reason": st.sampled_from(["", "Refused by customer", "Closed"]),
    },
    optional={"estimate": st.integers(1_793_000_000_000, 1_793_000_000_003)},
)


@pytest.mark.slow
@pytest.mark.django_db
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data(), steps=st.lists(steps_of_a_parcel, max_size=8))
def test_order_repetition_and_split_of_events_do_not_matter(
    account: Any, data: Any, steps: list[dict[str, Any]]
) -> None:
    warehouse = account.company.warehouses.get()
    ends = set()
    for _ in range(2):
        shipment = ShipmentFactory(account=account, warehouse=warehouse)
        remaining = data.draw(st.permutations(steps))
        if steps:
            remaining = remaining + data.draw(st.lists(st.sampled_from(steps), max_size=4))
        while remaining:
            size = data.draw(st.integers(1, len(remaining)))
            apply_events(account, [event(shipment, step) for step in remaining[:size]])
            remaining = remaining[size:]
        shipment.refresh_from_db()
        ends.add(
            (
                shipment.status, shipment.courier_status, shipment.ndr_reason, shipment.status_at,
                tuple(open_flags(shipment)), shipment.tracked_at, shipment.estimated_delivery,
                *shipment.scans.order_by("at", "courier_status", "location").values_list(
                    "at", "status", "courier_status", "ndr_reason", "location", "description",
                    "estimated_delivery", "ignored",
                ),
            )
        )  # fmt: skip
    assert len(ends) == 1


def test_an_estimate_of_an_earlier_scan_is_kept_in_any_order(account: Any) -> None:
    warehouse = account.company.warehouses.get()
    early = {"status": "picked_up", "hour": 1, "estimate": 1_793_000_000_000}
    late = {"status": "in_transit", "hour": 2}
    for order in ((early, late), (late, early)):
        shipment = ShipmentFactory(account=account, warehouse=warehouse)
        for step in order:
            apply_events(account, [event(shipment, step)])
        shipment.refresh_from_db()
        assert shipment.estimated_delivery is not None


def test_an_unknown_status_is_counted_once(account: Any) -> None:
    shipment = ShipmentFactory(account=account, warehouse=account.company.warehouses.get())
    counter = UNKNOWN_STATUSES.labels("toy")
    before = counter._value.get()
    for _ in range(3):
        apply_events(account, [event(shipment, {"status": "Teleported", "hour": 1})] * 2)
    assert counter._value.get() == before + 1


def test_characters_that_cannot_be_stored_do_not_lose_the_scan(account: Any) -> None:
    shipment = ShipmentFactory(account=account, warehouse=account.company.warehouses.get())
    step = {"status": "picked_up", "hour": 1, "place": "PU\x00NE \ud800", "text": "\x00" * 600}
    apply_events(account, [event(shipment, step)])
    scan = shipment.scans.get()
    assert (scan.location, scan.description) == ("PUNE ?", "")


def test_scans_count_after_an_rto_scan_that_followed_a_cancellation() -> None:
    found = scans(("cancelled", 5), ("rto_in_transit", 7), ("in_transit", 8))
    assert status_of(found) == "in_transit"


def test_applying_a_batch_reads_no_secret_and_makes_few_statements(
    account: Any, django_assert_max_num_queries: Any
) -> None:
    warehouse = account.company.warehouses.get()
    made = [ShipmentFactory(account=account, warehouse=warehouse) for _ in range(20)]
    events = [event(one, {"status": "picked_up", "hour": 1}) for one in made]
    with django_assert_max_num_queries(8) as queries:
        apply_events(account, events)
    assert "consignee_phone" not in str(queries.captured_queries)


@pytest.mark.parametrize("order", ["ab", "ba"])
def test_the_order_of_events_of_two_shipments_does_not_matter(account: Any, order: str) -> None:
    warehouse = account.company.warehouses.get()
    first, second = (
        ShipmentFactory(account=account, warehouse=warehouse, order_number="X", status=status)
        for status in ("cancelled", "booked")
    )
    early = [{"status": "picked_up", "hour": 1}, {"status": "cancelled", "hour": 2}]
    apply_events(account, [event(first, step) for step in early])
    events = {
        "a": event(first, {"status": "rto_in_transit", "hour": 5}),
        "b": event(second, {"status": "cancelled", "hour": 6}),
    }
    for which in order:
        apply_events(account, [events[which]])
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.status, open_flags(first), second.status) == ("rto_in_transit", [], "cancelled")


def test_a_scan_with_a_future_time_is_flagged_and_does_not_decide_the_status(account: Any) -> None:
    shipment = ShipmentFactory(account=account, warehouse=account.company.warehouses.get())
    steps = [("in_transit", 24 * 365 * 5), ("out_for_delivery", 5), ("undelivered", 6)]
    for status, hour in steps:
        apply_events(account, [event(shipment, {"status": status, "hour": hour})])
    shipment.refresh_from_db()
    assert (shipment.status, open_flags(shipment)) == ("undelivered", [("future_scans", "")])
    assert shipment.tracked_at == START + dt.timedelta(hours=6)
    assert shipment.scans.count() == 3


def test_polling_stores_attempts_and_the_estimate(account: Any) -> None:
    shipment = ShipmentFactory(account=account, warehouse=account.company.warehouses.get())
    apply_events(account, [event(shipment, {"status": "undelivered", "hour": 6})])
    shipment.refresh_from_db()
    day = dt.datetime(2026, 11, 9, tzinfo=dt.UTC)
    known = types.Scan(MAPPER.map("undelivered"), START + dt.timedelta(hours=6))
    answer = types.Tracking(shipment.tracking_id, (known,), attempts=2, estimated_delivery=day)
    apply_tracking(shipment, answer)
    shipment.refresh_from_db()
    assert (shipment.delivery_attempts, shipment.estimated_delivery) == (2, day)
    assert shipment.scans.count() == 1
