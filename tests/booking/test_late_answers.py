"""Late answers and events, and events of another order: nothing is lost or booked twice."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from couriers.booking.leases import expire_leases
from couriers.booking.protocol import book
from couriers.booking.replay import find_earlier
from couriers.contract.errors import NotSent, Rejected, TimeIsUp, Unknown
from couriers.contract.platform_errors import BookingInFlight, OrderAlreadyLive
from couriers.contract.types import Booking, Limit
from couriers.models import CourierCall, FlagKind, IdempotencyKey, Shipment, ShipmentFlag
from couriers.models.flag import raise_flag
from couriers.operations.doubt import release, resolve
from couriers.operations.evidence import evidence_of
from couriers.resilience import rate_limit
from couriers.tracking.events import Applied, apply_events
from tests.support.drafts import DRAFT, created_event, draft_with, raising
from tests.support.factories import make_staff
from tests.support.flags import open_flags

pytestmark = pytest.mark.django_db

NOON = dt.datetime(2026, 11, 24, 6, 30, tzinfo=dt.UTC)


@pytest.fixture
def operator(db: None) -> Any:
    return make_staff()


def give_up(shipment_id: str, operator: Any) -> None:
    """Have an operator release the order after its call has lasted an hour."""
    Shipment.objects.filter(pk=shipment_id).update(
        status="in_doubt", lease_expires_at=timezone.now()
    )
    CourierCall.objects.filter(shipment=shipment_id).update(
        started_at=timezone.now() - dt.timedelta(hours=1)
    )
    release(shipment_id, actor=operator, reason="not in the panel")


def test_no_request_is_sent_that_could_arrive_after_the_lease(
    account: Any, toy: Any, no_backoff: None
) -> None:
    """Each create call takes 50 s, so only two of the four attempts fit into the lease."""
    sent_at = []
    with time_machine.travel(NOON, tick=False) as clock:

        def hook(_: Any) -> None:
            sent_at.append(timezone.now())
            clock.shift(50)
            raise NotSent("refused")

        toy.on_create = staticmethod(hook)
        with pytest.raises(TimeIsUp):
            book(account.company, DRAFT)
        lease = dt.timedelta(seconds=150)
        assert len(sent_at) == 2
        assert max(sent_at) + dt.timedelta(seconds=toy.max_create_seconds()) <= NOON + lease
        assert expire_leases() == 0
        assert Shipment.objects.get().status == "failed"


def test_a_turn_that_comes_too_late_for_the_lease_is_not_waited_for(
    account: Any, toy: Any, settings: Any
) -> None:
    settings.SHIPCROWD = settings.SHIPCROWD | {"BOOKING_LEASE": 95.0}
    rate_limit.acquire("a", "create", Limit(1, 20))

    def hook(_: Any) -> None:
        rate_limit.acquire("a", "create", Limit(1, 20))

    toy.on_create = staticmethod(hook)
    with pytest.raises(NotSent) as caught:
        book(account.company, DRAFT, longest_wait=30.0)
    assert 18 < (caught.value.retry_after or 0) <= 20
    assert toy.booked == []


def test_a_late_answer_for_an_order_that_was_booked_again_is_flagged(
    account: Any, toy: Any, operator: Any
) -> None:
    def hook(_: Any) -> Booking:
        toy.on_create = None
        give_up(Shipment.objects.get().pk, operator)
        book(account.company, DRAFT, key="second")
        return Booking("T-LATE")

    toy.on_create = staticmethod(hook)
    with pytest.raises(OrderAlreadyLive) as caught:
        book(account.company, DRAFT, key="first")
    live = Shipment.objects.get(pk=caught.value.shipment_id)
    assert open_flags(live) == [("second_shipment", "T-LATE")]
    assert live.keys.get().key == "second"


def test_a_late_answer_of_an_earlier_attempt_prevents_another_booking(
    account: Any, toy: Any, operator: Any
) -> None:
    def hook(_: Any) -> Booking:
        give_up(Shipment.objects.get().pk, operator)
        toy.on_create = raising(Rejected("no"))
        with pytest.raises(Rejected):
            book(account.company, DRAFT, key="k")  # attempt 2, surely failed
        toy.on_create = None
        return Booking("T-LATE")

    toy.on_create = staticmethod(hook)
    first = book(account.company, DRAFT, key="k")
    again = book(account.company, DRAFT, key="k")
    assert (first.status_code, again.replayed, again.body) == (201, True, first.body)
    shipment = Shipment.objects.get()
    assert (shipment.status, shipment.tracking_id) == ("booked", "T-LATE")
    assert open_flags(shipment) == [("late_answer", "T-LATE")]
    assert toy.booked == ["A-1"]


def test_a_late_answer_during_a_later_attempt_books_and_is_flagged(account: Any, toy: Any) -> None:
    def hook(_: Any) -> Booking:
        """The second attempt is under way when the first one's answer comes."""
        Shipment.objects.update(status="booking", attempt=2)
        return Booking("T-1")

    toy.on_create = staticmethod(hook)
    result = book(account.company, DRAFT)
    shipment = Shipment.objects.get()
    assert (result.status_code, shipment.status, shipment.tracking_id) == (201, "booked", "T-1")
    assert [kind for kind, _ in open_flags(shipment)] == ["earlier_attempt"]


def test_a_flag_stays_open_after_another_attempt(account: Any, toy: Any) -> None:
    toy.on_create = raising(Rejected("no"))
    with pytest.raises(Rejected):
        book(account.company, DRAFT)
    raise_flag(Shipment.objects.get(), FlagKind.SECOND_SHIPMENT, tracking_id="T-8")
    toy.on_create = None
    book(account.company, DRAFT)
    assert open_flags(Shipment.objects.get()) == [("second_shipment", "T-8")]


def test_a_second_flag_does_not_hide_the_first(account: Any) -> None:
    book(account.company, DRAFT)
    for tracking_id in ("T-8", "T-9", "T-8"):
        apply_events(account, [created_event("A-1", tracking_id)])
    assert open_flags(Shipment.objects.get()) == [
        ("second_shipment", "T-8"),
        ("second_shipment", "T-9"),
    ]


def test_an_event_with_the_tracking_id_of_another_order_flags_both_shipments(
    account: Any, toy: Any, operator: Any
) -> None:
    toy.on_create = raising(Unknown("lost"))
    book(account.company, DRAFT)
    other = book(account.company, draft_with(order_number="A-2")).shipment
    resolve(
        other.pk,
        tracking_id="T-9",
        actor=operator,
        reason="mixed up the rows",
        confirm_unchecked=True,
    )
    assert apply_events(account, [created_event("A-1", "T-9")]) == [Applied.APPLIED]
    flags = ShipmentFlag.objects.values_list("shipment__order_number", "kind", "order_number")
    assert set(flags) == {("A-1", "other_order", "A-1"), ("A-2", "other_order", "A-1")}
    assert Shipment.objects.filter(confirmed_at__isnull=False).count() == 0


def test_an_event_with_a_prefixed_order_number_is_flagged_and_settles_nothing(
    account: Any, toy: Any, operator: Any
) -> None:
    toy.on_create = raising(Unknown("lost"))
    doubtful = book(account.company, DRAFT).shipment
    book(account.company, draft_with(order_number="B-7"))
    toy.on_create = None
    for number in range(6):
        shipment = book(account.company, draft_with(order_number=f"C-{number}")).shipment
        apply_events(account, [created_event(shipment.order_number, shipment.tracking_id)])
    event = created_event("SHOP_A-1", "T-9")
    assert apply_events(account, [event]) == [Applied.UNKNOWN_SHIPMENT]
    flagged = Shipment.objects.get(flags__isnull=False)
    assert flagged.pk == doubtful.pk
    assert open_flags(flagged) == [("possible_creation", "T-9")]
    with time_machine.travel(timezone.now() + dt.timedelta(hours=1)):
        suggestion = evidence_of(flagged).suggestion
    assert "T-9" in suggestion
    assert "release" not in suggestion
    # Once the doubt is resolved, the waiting event belongs to this order.
    resolve(
        doubtful.pk,
        tracking_id="T-9",
        actor=operator,
        reason="seen in the panel",
        confirm_unchecked=True,
    )
    assert apply_events(account, [event]) == [Applied.APPLIED]
    assert Shipment.objects.get(pk=doubtful.pk).confirmed_at


def test_a_late_event_is_flagged_after_the_order_was_booked_with_another_courier(
    account: Any, other_courier: Any, toy: Any, operator: Any
) -> None:
    toy.on_create = raising(Unknown("lost"))
    doubtful = book(account.company, DRAFT).shipment
    toy.on_create = None
    release(doubtful.pk, actor=operator, reason="not in the panel")
    second = book(account.company, draft_with(courier="othertoy")).shipment
    assert apply_events(account, [created_event("A-1", "T-9")]) == [Applied.APPLIED]
    assert IdempotencyKey.objects.get().shipment_id == second.pk
    doubtful.refresh_from_db()
    assert (doubtful.status, doubtful.tracking_id) == ("failed", "")
    assert open_flags(second) == [("second_shipment", "T-9")]


def test_a_key_that_another_request_has_just_used_books_nothing(
    account: Any, toy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two requests find the failed booking of one key, each for an order of its own."""
    toy.on_create = raising(Rejected("no"))
    with pytest.raises(Rejected):
        book(account.company, DRAFT, key="k")
    toy.on_create = None
    found = find_earlier(account.company.pk, draft_with(order_number="A-3"), "k")
    winner = book(account.company, draft_with(order_number="A-2"), key="k").shipment
    monkeypatch.setattr("couriers.booking.protocol.find_earlier", lambda *_, **__: found)
    with pytest.raises(BookingInFlight):
        book(account.company, draft_with(order_number="A-3"), key="k")
    assert IdempotencyKey.objects.get().shipment_id == winner.pk
    assert toy.booked == ["A-2"]


def test_a_refusal_after_the_event_answers_with_the_booking(account: Any, toy: Any) -> None:
    def hook(_: Any) -> None:
        apply_events(account, [created_event("A-1", "T-9")])
        raise Rejected("no")

    toy.on_create = staticmethod(hook)
    result = book(account.company, DRAFT)
    assert (result.status_code, result.shipment.tracking_id) == (201, "T-9")
    assert Shipment.objects.get().status == "booked"


def test_a_refusal_with_text_that_cannot_be_stored_leaves_a_failed_shipment(
    account: Any, toy: Any
) -> None:
    toy.on_create = raising(Rejected("no", code="BAD\x00", courier_message="bad\x00phone \ud800"))
    with pytest.raises(Rejected):
        book(account.company, DRAFT)
    assert Shipment.objects.get().failure == "no: badphone ?"
    call = CourierCall.objects.get()
    assert (call.code, call.message) == ("BAD", "no: badphone ?")
