"""A scan of an unknown tracking id that names an order: it settles a doubt as a creation does."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import Any

import pytest
from django.utils import timezone

from couriers.booking.protocol import book
from couriers.contract.errors import Rejected, Unknown
from couriers.contract.receiver import CourierEvent, Topic
from couriers.contract.types import Booking
from couriers.models import CourierAccount, CourierCall, IdempotencyKey, Shipment, ShipmentFlag
from couriers.models.flag import clear_flag
from couriers.operations.doubt import release
from couriers.tracking.events import Applied, apply_events
from tests.support.drafts import DRAFT, created_event, draft_with, raising
from tests.support.factories import CourierAccountFactory, WarehouseFactory, make_staff
from tests.support.flags import open_flags
from tests.support.toy import ToyReceiver

pytestmark = pytest.mark.django_db


def scan(tracking_id: str, status: str = "in_transit", hour: int = 1, order: str = "A-1") -> Any:
    """The toy courier's scan, which names an order."""
    body = {"id": tracking_id, "status": status, "hour": hour, "order": order}
    return ToyReceiver().parse(body)[0]


@pytest.fixture
def doubtful(account: CourierAccount, toy: Any) -> Shipment:
    """A booking in doubt of the order A-1."""
    toy.on_create = raising(Unknown("read time-out"))
    shipment = book(account.company, DRAFT, key="k").shipment
    toy.on_create = None
    assert shipment.status == "in_doubt"
    return shipment


def test_it_settles_the_doubt_and_is_applied_in_the_same_transaction(
    account: CourierAccount, toy: Any, doubtful: Shipment
) -> None:
    assert apply_events(account, [scan("T-9", "picked_up")]) == [Applied.APPLIED]
    doubtful.refresh_from_db()
    assert (doubtful.status, doubtful.tracking_id) == ("picked_up", "T-9")
    assert doubtful.confirmed_at
    assert doubtful.lease_expires_at is None
    assert open_flags(doubtful) == []
    answer = IdempotencyKey.objects.get(key="k")
    assert (answer.response_status, b'"tracking_id":"T-9"' in (answer.answer() or b"")) == (
        201, True,
    )  # fmt: skip
    replayed = book(account.company, DRAFT, key="k")
    assert (replayed.replayed, replayed.status_code) == (True, 201)
    assert toy.booked == []


def test_it_settles_a_booking_in_flight_and_the_answer_that_follows_changes_nothing(
    account: CourierAccount, toy: Any
) -> None:
    def answer(_: Any) -> Booking:
        apply_events(account, [scan("T-9", "picked_up")])
        return Booking("T-9", waybill="W1", vendor="TOY")

    toy.on_create = staticmethod(answer)
    result = book(account.company, DRAFT)
    assert (result.status_code, result.shipment.tracking_id) == (201, "T-9")
    assert Shipment.objects.get().status == "picked_up"
    assert not ShipmentFlag.objects.exists()


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("at_once", [1, 2, 3])
def test_the_order_of_arrival_does_not_matter(
    account: CourierAccount, doubtful: Shipment, order: tuple[int, ...], at_once: int
) -> None:
    events = [
        created_event("A-1", "T-9"),
        scan("T-9", "picked_up", 1),
        scan("T-9", "delivered", 3, order=""),
    ]
    waiting = [events[index] for index in order]
    while waiting:  # as the inbox does: what is not applied comes again
        batch, waiting = waiting[:at_once], waiting[at_once:]
        results = apply_events(account, batch)
        waiting += [e for e, r in zip(batch, results, strict=True) if r != Applied.APPLIED]
    doubtful.refresh_from_db()
    assert (doubtful.status, doubtful.tracking_id) == ("delivered", "T-9")
    assert doubtful.scans.count() == 2
    assert open_flags(doubtful) == []


def test_repeats_change_nothing(account: CourierAccount, doubtful: Shipment) -> None:
    for _ in range(2):
        assert set(apply_events(account, [scan("T-9")] * 3)) == {Applied.APPLIED}
    doubtful.refresh_from_db()
    assert (doubtful.status, doubtful.scans.count()) == ("in_transit", 1)
    assert not ShipmentFlag.objects.exists()


def test_an_event_of_any_topic_settles(account: CourierAccount, doubtful: Shipment) -> None:
    event = CourierEvent(Topic.UNKNOWN, "T-9", "A-1")
    assert apply_events(account, [event]) == [Applied.APPLIED]
    doubtful.refresh_from_db()
    assert (doubtful.status, doubtful.tracking_id) == ("booked", "T-9")


@pytest.mark.parametrize("tracking_id", ["", "T-9"])
def test_a_scan_without_id_or_order_settles_nothing(
    account: CourierAccount, doubtful: Shipment, tracking_id: str
) -> None:
    event = scan(tracking_id, order="" if tracking_id else "A-1")
    assert apply_events(account, [event]) == [Applied.UNKNOWN_SHIPMENT]
    doubtful.refresh_from_db()
    assert doubtful.status == "in_doubt"


def test_another_companys_account_settles_nothing(
    account: CourierAccount, doubtful: Shipment
) -> None:
    other = CourierAccountFactory(courier=account.courier)
    WarehouseFactory(company=other.company)
    assert apply_events(other, [scan("T-9")]) == [Applied.UNKNOWN_SHIPMENT]
    doubtful.refresh_from_db()
    assert (doubtful.status, doubtful.tracking_id) == ("in_doubt", "")
    assert not ShipmentFlag.objects.exists()


def test_another_courier_of_the_company_settles_nothing(
    account: CourierAccount, other_courier: CourierAccount, doubtful: Shipment
) -> None:
    assert apply_events(other_courier, [scan("T-9")]) == [Applied.UNKNOWN_SHIPMENT]
    doubtful.refresh_from_db()
    assert doubtful.status == "in_doubt"
    assert not ShipmentFlag.objects.exists()
    apply_events(account, [scan("T-9")])
    doubtful.refresh_from_db()
    assert doubtful.tracking_id == "T-9"


def test_a_given_up_order_that_another_courier_has_is_flagged_there(
    account: CourierAccount, other_courier: CourierAccount, doubtful: Shipment
) -> None:
    give_up(doubtful)
    live = book(account.company, draft_with(courier="othertoy"), key="elsewhere").shipment
    assert apply_events(account, [scan("T-9")]) == [Applied.UNKNOWN_SHIPMENT]
    doubtful.refresh_from_db()
    assert (doubtful.status, doubtful.tracking_id) == ("failed", "")
    assert open_flags(live) == [("second_shipment", "T-9")]


def give_up(shipment: Shipment) -> None:
    """Have an operator release the order after its call has lasted an hour."""
    hour_ago = timezone.now() - dt.timedelta(hours=1)
    Shipment.objects.filter(pk=shipment.pk).update(lease_expires_at=hour_ago)
    CourierCall.objects.filter(shipment=shipment).update(started_at=hour_ago)
    release(shipment.pk, actor=make_staff(), reason="not in the panel")


def test_a_given_up_booking_is_revived_with_a_flag_and_the_scan_applies(
    account: CourierAccount, doubtful: Shipment
) -> None:
    give_up(doubtful)
    assert apply_events(account, [scan("T-9", "picked_up")]) == [Applied.APPLIED]
    doubtful.refresh_from_db()
    assert (doubtful.status, doubtful.tracking_id) == ("picked_up", "T-9")
    assert open_flags(doubtful) == [("late_confirmation", "T-9")]


def test_a_second_tracking_id_of_a_live_order_is_flagged_and_the_scan_waits(
    account: CourierAccount,
) -> None:
    shipment = book(account.company, DRAFT).shipment
    assert apply_events(account, [scan("T-9", "delivered")]) == [Applied.UNKNOWN_SHIPMENT]
    shipment.refresh_from_db()
    assert (shipment.status, shipment.scans.count()) == ("booked", 0)
    assert open_flags(shipment) == [("second_shipment", "T-9")]


def test_a_waiting_scan_does_not_raise_again_what_an_operator_cleared(
    account: CourierAccount,
) -> None:
    book(account.company, DRAFT)
    apply_events(account, [scan("T-9")])
    clear_flag(ShipmentFlag.objects.get(), reason="a test parcel", cleared_by=make_staff())
    for _ in range(2):
        assert apply_events(account, [scan("T-9")]) == [Applied.UNKNOWN_SHIPMENT]
    assert ShipmentFlag.objects.count() == 1


def test_an_order_with_two_bookings_in_doubt_is_flagged_and_settles_neither(
    account: CourierAccount, doubtful: Shipment
) -> None:
    Shipment.objects.filter(pk=doubtful.pk).update(direction="reverse")
    book(account.company, DRAFT, key="other")
    Shipment.objects.filter(direction="forward").update(status="in_doubt", tracking_id="")
    assert apply_events(account, [scan("T-9")]) == [Applied.UNKNOWN_SHIPMENT]
    flags = ShipmentFlag.objects.values_list("kind", "tracking_id")
    assert list(flags) == [("ambiguous_creation", "T-9")] * 2
    operator = make_staff()
    for flag in ShipmentFlag.objects.all():
        clear_flag(flag, reason="being asked about", cleared_by=operator)
    apply_events(account, [scan("T-9")])
    assert not ShipmentFlag.objects.open().exists()
    assert Shipment.objects.filter(status="in_doubt").count() == 2


def test_a_similar_order_number_is_flagged_once_and_settles_nothing(
    account: CourierAccount, doubtful: Shipment
) -> None:
    prefixed = scan("T-9", order="SHOP_A-1")
    for _ in range(2):
        assert apply_events(account, [prefixed, prefixed]) == [Applied.UNKNOWN_SHIPMENT] * 2
    assert open_flags(doubtful) == [("possible_creation", "T-9")]
    clear_flag(ShipmentFlag.objects.get(), reason="not ours", cleared_by=make_staff())
    apply_events(account, [prefixed])
    assert ShipmentFlag.objects.count() == 1
    doubtful.refresh_from_db()
    assert doubtful.status == "in_doubt"


def test_the_first_id_of_a_recreated_parcel_is_linked_by_its_scan(
    account: CourierAccount, doubtful: Shipment
) -> None:
    recreated = CourierEvent(Topic.SHIPMENT_RECREATED, "T-2", "A-1")
    events = [scan("T-1", "picked_up", 1), recreated, scan("T-2", "delivered", 9)]
    assert set(apply_events(account, events)) == {Applied.APPLIED}
    doubtful.refresh_from_db()
    assert (doubtful.tracking_id, doubtful.former_tracking_ids) == ("T-2", ["T-1"])
    assert (doubtful.status, doubtful.scans.count()) == ("delivered", 2)


def test_a_scan_that_came_before_its_parcels_recreation_is_applied_after_it(
    account: CourierAccount,
) -> None:
    shipment = book(account.company, DRAFT).shipment
    early = scan("T-2", "in_transit", 5)
    assert apply_events(account, [early]) == [Applied.UNKNOWN_SHIPMENT]
    apply_events(account, [CourierEvent(Topic.SHIPMENT_RECREATED, "T-2", "A-1")])
    assert apply_events(account, [early]) == [Applied.APPLIED]
    shipment.refresh_from_db()
    assert (shipment.status, shipment.tracking_id) == ("in_transit", "T-2")
    assert open_flags(shipment) == []


def test_a_refused_booking_that_a_scan_names_is_booked_after_all(
    account: CourierAccount, toy: Any
) -> None:
    toy.on_create = raising(Rejected("no"))
    with pytest.raises(Rejected):
        book(account.company, DRAFT)
    apply_events(account, [scan("T-9", "picked_up")])
    shipment = Shipment.objects.get()
    assert (shipment.status, shipment.tracking_id) == ("picked_up", "T-9")
    assert open_flags(shipment) == [("late_confirmation", "T-9")]


def test_a_known_id_under_another_order_is_flagged_once_and_its_scan_applies(
    account: CourierAccount,
) -> None:
    holder = book(account.company, draft_with(order_number="B-2")).shipment
    named = book(account.company, DRAFT).shipment
    wrong = scan(holder.tracking_id, "picked_up")
    assert apply_events(account, [wrong]) == [Applied.APPLIED]
    holder.refresh_from_db()
    assert holder.status == "picked_up"
    about = [("other_order", holder.tracking_id)]
    assert (open_flags(holder), open_flags(named)) == (about, about)
    operator = make_staff()
    for flag in ShipmentFlag.objects.all():
        clear_flag(flag, reason="the courier's mistake", cleared_by=operator)
    apply_events(account, [wrong, scan(holder.tracking_id, "in_transit", 2)])
    assert ShipmentFlag.objects.count() == 2


def test_a_prefix_of_the_shipments_own_number_is_not_another_order(
    account: CourierAccount,
) -> None:
    shipment = book(account.company, DRAFT).shipment
    apply_events(account, [scan(shipment.tracking_id, order="SHOP_A-1")])
    assert not ShipmentFlag.objects.exists()


def test_scans_of_strangers_orders_cost_no_statement_each(
    account: CourierAccount, doubtful: Shipment, django_assert_max_num_queries: Any
) -> None:
    events = [scan(f"T-{number}", order=f"Z-{number}") for number in range(50)]
    with django_assert_max_num_queries(10):
        results = apply_events(account, events)
    assert set(results) == {Applied.UNKNOWN_SHIPMENT}


def test_one_flag_is_open_however_many_orders_a_parcels_scans_name(
    account: CourierAccount, toy: Any, django_assert_max_num_queries: Any
) -> None:
    parcels = [book(account.company, draft_with(order_number=f"B-{n}")).shipment for n in range(3)]
    scans = [
        scan(parcel.tracking_id, hour=hour, order=f"X-{number}-{hour}")
        for number, parcel in enumerate(parcels)
        for hour in range(20)
    ]
    with django_assert_max_num_queries(40):
        assert set(apply_events(account, scans)) == {Applied.APPLIED}
    first = [open_flags(parcel) for parcel in parcels]
    assert [len(flags) for flags in first] == [1, 1, 1]
    apply_events(account, [scan(parcels[0].tracking_id, hour=21, order="X-99")])
    assert [open_flags(parcel) for parcel in parcels] == first


def test_another_order_is_flagged_again_after_an_operator_has_cleared_the_flag(
    account: CourierAccount, toy: Any
) -> None:
    parcel, operator = book(account.company, DRAFT).shipment, make_staff()
    for hour, order in enumerate(("X-1", "X-2")):
        apply_events(account, [scan(parcel.tracking_id, hour=hour, order=order)])
        flag = ShipmentFlag.objects.open().get()
        assert flag.order_number == order
        clear_flag(flag, reason="the courier's mistake", cleared_by=operator)


def test_one_flag_is_open_however_many_orders_a_parcels_creations_name(
    account: CourierAccount, django_assert_max_num_queries: Any
) -> None:
    parcel = book(account.company, DRAFT).shipment
    creations = [created_event(f"X-{number}", parcel.tracking_id) for number in range(30)]
    with django_assert_max_num_queries(20):
        assert set(apply_events(account, creations)) == {Applied.APPLIED}
    (flag,) = ShipmentFlag.objects.all()
    assert (flag.shipment_id, flag.order_number) == (parcel.pk, "X-0")
    apply_events(account, creations[:2])
    clear_flag(flag, reason="the courier's mistake", cleared_by=make_staff())
    apply_events(account, creations[:2])  # each is a new statement of the courier
    assert ShipmentFlag.objects.open().get().order_number == "X-0"


@pytest.mark.parametrize("event", [scan, lambda about, order: created_event(order, about)])
def test_each_shipment_whose_order_is_named_has_its_own_flag(
    account: CourierAccount, event: Any
) -> None:
    parcel, *named = [
        book(account.company, draft_with(order_number=f"B-{n}")).shipment for n in range(4)
    ]
    for one in named:
        apply_events(account, [event(parcel.tracking_id, order=one.order_number)] * 2)
    about = [("other_order", parcel.tracking_id)]
    assert [open_flags(one) for one in (parcel, *named)] == [about] * 4
