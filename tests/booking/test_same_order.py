"""Without a key the order is the key: one number in one direction, whichever courier has it."""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from couriers.booking.fingerprints import fields_of
from couriers.booking.protocol import book
from couriers.booking.stored_drafts import differing_from_shipment, draft_of, items_json
from couriers.contract.errors import Rejected, Unknown
from couriers.contract.platform_errors import (
    BookingInFlight,
    OrderAlreadyLive,
    OrderDiffers,
    OrderEnded,
)
from couriers.contract.statuses import RELEASES_ORDER, STATUS_FACTS, Status
from couriers.contract.types import Direction, Item, ShipmentDraft
from couriers.models import CourierAccount, IdempotencyKey, Shipment
from couriers.tracking.confirmation import Confirmation, apply_creation
from tests.support.drafts import DRAFT, created_event, draft_with, raising
from tests.support.flags import open_flags
from tests.support.threads import run_at_once

ENDED = sorted(RELEASES_ORDER - {Status.FAILED})
LIVE = sorted(
    set(STATUS_FACTS) - RELEASES_ORDER - {Status.BOOKING, Status.IN_DOUBT}
)  # the courier has the shipment


@pytest.mark.parametrize("status", LIVE)
def test_a_live_order_is_answered_with_the_stored_answer(
    account: Any, toy: Any, status: str
) -> None:
    first = book(account.company, DRAFT, key="one")
    Shipment.objects.update(status=status)
    again = book(account.company, DRAFT)
    assert (again.body, again.status_code, again.replayed) == (first.body, 201, True)
    assert toy.booked == ["A-1"]


def test_other_content_is_refused_with_the_names_of_the_request(account: Any, toy: Any) -> None:
    shipment = book(account.company, DRAFT).shipment
    consignee = dataclasses.replace(DRAFT.consignee, phone="9123456780")
    items = (dataclasses.replace(DRAFT.items[0], value=Decimal(99)),)
    other = draft_with(consignee=consignee, items=items, warehouse_id="whs_x")
    with pytest.raises(OrderDiffers) as caught:
        book(account.company, other)
    assert caught.value.fields == ("consignee.phone", "items[].value", "warehouse")
    assert (caught.value.shipment_id, caught.value.status) == (shipment.pk, "booked")
    assert "9123456780" not in str(caught.value)


@pytest.mark.parametrize("status", ENDED)
def test_an_order_that_has_ended_is_refused_naming_its_shipment(
    account: Any, toy: Any, status: str
) -> None:
    shipment = book(account.company, DRAFT).shipment
    Shipment.objects.update(status=status)
    for draft in (DRAFT, draft_with(service="EXPRESS")):
        with pytest.raises(OrderEnded, match="Idempotency-Key") as caught:
            book(account.company, draft)
        assert (caught.value.shipment_id, caught.value.status) == (shipment.pk, status)
    assert book(account.company, DRAFT, key="once more").status_code == 201
    assert toy.booked == ["A-1", "A-1"]


def test_an_order_that_was_booked_once_more_is_answered_with_its_live_shipment(
    account: Any,
) -> None:
    book(account.company, DRAFT)
    Shipment.objects.update(status="cancelled")
    second = book(account.company, DRAFT, key="once more")
    assert book(account.company, DRAFT).body == second.body


def test_rebooking_books_each_ended_shipment_once_more(account: Any, toy: Any) -> None:
    assert not book(account.company, DRAFT, rebook=True).replayed
    assert book(account.company, DRAFT, rebook=True).replayed
    for booked in (2, 3):
        Shipment.objects.filter(status="booked").update(status="lost")
        assert not book(account.company, DRAFT, rebook=True).replayed
        assert book(account.company, DRAFT, rebook=True).replayed
        assert len(toy.booked) == booked


@pytest.mark.django_db(transaction=True)
def test_rebooking_at_once_books_once(account: Any, toy: Any) -> None:
    book(account.company, DRAFT)
    Shipment.objects.update(status="cancelled")
    run_at_once(lambda: _try_to_book(account, DRAFT, rebook=True), 8)
    assert toy.booked == ["A-1", "A-1"]


def _try_to_book(account: CourierAccount, draft: ShipmentDraft, **options: Any) -> None:
    with suppress(BookingInFlight, OrderAlreadyLive):
        book(account.company, draft, **options)


def test_a_failed_rebooking_can_be_tried_again(account: Any, toy: Any) -> None:
    book(account.company, DRAFT)
    Shipment.objects.update(status="cancelled")
    toy.on_create = raising(Rejected("no"))
    with pytest.raises(Rejected):
        book(account.company, DRAFT, rebook=True)
    toy.on_create = None
    with pytest.raises(OrderEnded):
        book(account.company, DRAFT)
    assert book(account.company, DRAFT, rebook=True).status_code == 201
    assert toy.booked == ["A-1", "A-1"]


def test_a_key_is_never_taken_for_an_order_number(account: Any, toy: Any) -> None:
    book(account.company, draft_with(order_number="B-7"), key="A-1")
    assert book(account.company, DRAFT).status_code == 201
    assert toy.booked == ["B-7", "A-1"]


def test_an_order_and_a_return_may_have_one_number(account: Any, toy: Any) -> None:
    book(account.company, DRAFT)
    back = draft_with(direction=Direction.REVERSE, return_reason="too small")
    assert book(account.company, back).status_code == 201
    assert toy.booked == ["A-1", "A-1"]


def test_the_content_is_compared_with_the_shipment_once_its_key_is_deleted(account: Any) -> None:
    first = book(account.company, DRAFT).shipment
    IdempotencyKey.objects.all().delete()
    assert book(account.company, DRAFT).shipment == first
    with pytest.raises(OrderDiffers) as caught:
        book(account.company, draft_with(order_date=dt.date(2026, 11, 22)))
    assert caught.value.fields == ("order_date",)


@given(
    quantity=st.integers(1, 9),
    value=st.decimals(1, 1000, places=2),
    name=st.text("abc", min_size=1, max_size=9),
)
def test_a_stored_shipment_differs_from_no_request_that_booked_it(
    quantity: int, value: Decimal, name: str
) -> None:
    draft = draft_with(items=(Item(name, quantity, value, Decimal(12)),))
    shipment = _unsaved_shipment(draft)
    assert fields_of(draft_of(shipment)) == fields_of(draft)
    assert differing_from_shipment(shipment, draft) == ()
    otherwise = Item(name, quantity, value.normalize(), Decimal("12.00"))
    assert differing_from_shipment(shipment, draft_with(items=(otherwise,))) == ()
    changed = draft_with(items=(Item(name, quantity, value + 1, Decimal(12)),))
    assert differing_from_shipment(shipment, changed) == ("items[].value",)


def _unsaved_shipment(draft: Any) -> Shipment:
    return Shipment(
        courier_id=draft.courier,
        order_number=draft.order_number,
        order_date=draft.order_date,
        payment_mode=draft.payment_mode,
        cod_amount=draft.cod_amount,
        items=items_json(draft.items),
        weight_g=240, length_cm=30, width_cm=22, height_cm=8,
        consignee_name=draft.consignee.name,
        consignee_phone=draft.consignee.phone,
        consignee_address=draft.consignee.address,
        consignee_city="",
        consignee_state="",
        consignee_pincode=draft.consignee.pincode,
        warehouse_id="",
    )  # fmt: skip


def test_an_order_is_live_with_one_courier_only(account: Any, other_courier: Any, toy: Any) -> None:
    first = book(account.company, DRAFT, key="one").shipment
    elsewhere = draft_with(courier="othertoy")
    with pytest.raises(OrderAlreadyLive) as caught:
        book(account.company, elsewhere, key="two")
    assert caught.value.shipment_id == first.pk
    with pytest.raises(OrderDiffers) as differs:
        book(account.company, elsewhere)
    assert differs.value.fields == ("courier",)
    Shipment.objects.update(status="cancelled")
    assert book(account.company, elsewhere, key="two").status_code == 201


@pytest.mark.django_db(transaction=True)
def test_two_couriers_at_once_book_one_shipment(account: Any, other_courier: Any, toy: Any) -> None:
    numbers = itertools.count()
    drafts = [DRAFT, draft_with(courier="othertoy")] * 4

    def try_one() -> None:
        number = next(numbers)
        _try_to_book(account, drafts[number], key=f"k{number}")

    run_at_once(try_one, 8)
    assert toy.booked == ["A-1"]


def test_an_order_in_doubt_with_one_courier_is_not_booked_with_another(
    account: Any, other_courier: Any, toy: Any
) -> None:
    toy.on_create = raising(Unknown("lost"))
    doubtful = book(account.company, DRAFT, key="one").shipment
    toy.on_create = None
    with pytest.raises(OrderAlreadyLive) as caught:
        book(account.company, draft_with(courier="othertoy"), key="two")
    assert (caught.value.shipment_id, caught.value.status) == (doubtful.pk, "in_doubt")
    assert toy.booked == []


def test_an_event_of_one_courier_settles_no_booking_of_another(
    account: Any, other_courier: Any, toy: Any
) -> None:
    toy.on_create = raising(Unknown("lost"))
    doubtful = book(account.company, DRAFT).shipment
    assert apply_creation(other_courier, created_event("A-1", "T-5")) == Confirmation.UNKNOWN
    doubtful.refresh_from_db()
    assert (doubtful.status, open_flags(doubtful)) == ("in_doubt", [])


def test_a_shipment_left_beside_another_still_prevents_a_third(
    account: Any, other_courier: Any, toy: Any
) -> None:
    """An order that was live with two couriers before the constraint, one of them now cancelled."""
    book(account.company, DRAFT, key="one")
    Shipment.objects.update(live_beside_another=True)
    second = book(
        account.company, draft_with(courier="othertoy", order_number="tmp"), key="two"
    ).shipment
    Shipment.objects.filter(pk=second.pk).update(order_number="A-1", status="cancelled")
    with pytest.raises(OrderAlreadyLive):
        book(account.company, DRAFT, key="three")
