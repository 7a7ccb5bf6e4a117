"""The booking protocol: one order, one shipment."""

from __future__ import annotations

import dataclasses
import datetime as dt
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from couriers.booking.leases import expire_leases
from couriers.booking.protocol import BookingResult, book
from couriers.contract.errors import (
    CourierDisabled,
    InvalidRequest,
    NotSent,
    Rejected,
    Unknown,
)
from couriers.contract.platform_errors import (
    BookingInFlight,
    KeyReused,
    OrderAlreadyLive,
    UnknownCourier,
)
from couriers.contract.types import Address, Item, Parcel
from couriers.models import Courier, CourierCall, IdempotencyKey, Shipment
from couriers.tracking.confirmation import Confirmation, apply_creation
from tests.support.drafts import DRAFT, created_event, draft_with, raising
from tests.support.flags import open_flags
from tests.support.threads import run_at_once


def test_a_booking_is_stored_with_its_amounts_and_place(account: Any) -> None:
    result = book(account.company, DRAFT)
    shipment = Shipment.objects.get()
    assert (result.status_code, shipment.status) == (201, "booked")
    assert shipment.consignee_state == "Karnataka"
    assert (shipment.taxable_amount, shipment.tax_amount) == (Decimal("1359.82"), Decimal("163.18"))
    assert CourierCall.objects.get().outcome == "ok"


def test_the_consignees_phone_and_address_are_encrypted_in_the_database(account: Any) -> None:
    options = {"alternate_phone": "9123456780", "n": [1, {"x": None}]}
    book(account.company, draft_with(options=options))
    assert Shipment.objects.get().options == options
    with connection.cursor() as cursor:
        for table in ("shipment", "idempotencykey", "couriercall"):
            cursor.execute(f"SELECT t::text FROM shipcrowd_couriers_{table} t")
            text = str(cursor.fetchall())
            assert "9876543210" not in text
            assert "9123456780" not in text
            assert "Secret Lane" not in text


def test_the_same_request_again_is_replayed_byte_for_byte(account: Any, toy: Any) -> None:
    first = book(account.company, DRAFT)
    Shipment.objects.update(status="in_transit")
    again = book(account.company, DRAFT)
    assert (again.body, again.status_code, again.replayed) == (first.body, 201, True)
    assert toy.booked == ["A-1"]


def test_a_replay_needs_neither_courier_nor_account(account: Any) -> None:
    first = book(account.company, DRAFT)
    Courier.objects.update(is_enabled=False)
    assert book(account.company, DRAFT).body == first.body


def test_another_request_with_the_same_key_is_refused_with_the_differing_fields(
    account: Any,
) -> None:
    book(account.company, DRAFT, key="k")
    other = dataclasses.replace(DRAFT.consignee, name="Ravi Other")
    with pytest.raises(KeyReused) as caught:
        book(account.company, draft_with(consignee=other, service="EXPRESS"), key="k")
    assert caught.value.fields == ("consignee.name", "service")
    assert "Ravi" not in str(caught.value)


def test_a_second_key_for_a_live_order_is_refused_with_its_shipment(account: Any, toy: Any) -> None:
    first = book(account.company, DRAFT, key="one")
    with pytest.raises(OrderAlreadyLive) as caught:
        book(account.company, DRAFT, key="two")
    assert caught.value.shipment_id == first.shipment.pk
    assert toy.booked == ["A-1"]


def test_a_cancelled_order_can_be_booked_again_under_a_new_key(account: Any, toy: Any) -> None:
    book(account.company, DRAFT, key="one")
    Shipment.objects.update(status="cancelled")
    assert book(account.company, DRAFT, key="two").status_code == 201
    assert toy.booked == ["A-1", "A-1"]


def test_companies_can_use_the_same_key(account: Any, toy: Any) -> None:
    from tests.support.factories import CourierAccountFactory, WarehouseFactory

    other = CourierAccountFactory(courier=account.courier)
    WarehouseFactory(company=other.company)
    book(account.company, DRAFT, key="k")
    assert not book(other.company, DRAFT, key="k").replayed
    assert toy.booked == ["A-1", "A-1"]


def test_an_unknown_outcome_leaves_the_shipment_in_doubt_and_is_never_repeated(
    account: Any, toy: Any
) -> None:
    toy.on_create = raising(Unknown("read time-out"))
    first = book(account.company, DRAFT)
    toy.on_create = None
    again = book(account.company, DRAFT)
    assert (first.status_code, again.status_code, again.replayed) == (202, 202, True)
    assert Shipment.objects.get().status == "in_doubt"
    assert toy.booked == []


def test_a_fault_in_a_plug_in_leaves_the_shipment_in_doubt(account: Any, toy: Any) -> None:
    toy.on_create = raising(KeyError("oops"))
    assert book(account.company, DRAFT).status_code == 202


@pytest.mark.parametrize("error", [NotSent("refused"), Rejected("no")])
def test_the_key_of_a_failed_booking_can_be_used_again(
    account: Any, toy: Any, no_backoff: None, error: Exception
) -> None:
    toy.on_create = raising(error)
    with pytest.raises(type(error)):
        book(account.company, DRAFT, key="k")
    assert Shipment.objects.get().status == "failed"
    toy.on_create = None
    fixed = draft_with(items=(Item("T-shirt", 2, Decimal("3046"), Decimal(12)),))
    assert book(account.company, fixed, key="k").status_code == 201
    shipment = Shipment.objects.get()
    assert (shipment.attempt, shipment.total_amount) == (2, Decimal("3046.00"))
    assert CourierCall.objects.count() == 2


def test_a_call_that_was_not_sent_is_repeated_within_the_request(
    account: Any, toy: Any, no_backoff: None
) -> None:
    toy.on_create = raising(NotSent("refused"), times=2)
    assert book(account.company, DRAFT).status_code == 201
    assert CourierCall.objects.count() == 1


def test_a_second_request_for_a_booking_in_flight_is_refused(account: Any, toy: Any) -> None:
    errors: list[Exception] = []

    def hook(_: Any) -> None:
        with pytest.raises(BookingInFlight) as caught:
            book(account.company, DRAFT)
        errors.append(caught.value)

    toy.on_create = staticmethod(hook)
    assert book(account.company, DRAFT).status_code == 201
    assert len(errors) == 1
    assert toy.booked == ["A-1"]


def _abandoned(account: Any, toy: Any) -> Shipment:
    """Return a reservation whose worker died during the call."""
    toy.on_create = raising(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        book(account.company, DRAFT)
    toy.on_create = None
    Shipment.objects.update(lease_expires_at=timezone.now() - dt.timedelta(seconds=1))
    return Shipment.objects.get()


def test_a_booking_whose_lease_ran_out_is_in_doubt_and_never_repeated(
    account: Any, toy: Any
) -> None:
    assert _abandoned(account, toy).status == "booking"
    assert book(account.company, DRAFT).status_code == 202
    assert toy.booked == []


def test_reconciling_puts_abandoned_bookings_in_doubt_once(account: Any, toy: Any) -> None:
    _abandoned(account, toy)
    assert (expire_leases(), expire_leases()) == (1, 0)
    assert Shipment.objects.get().status == "in_doubt"


def test_the_couriers_event_settles_doubt_and_the_key_replays_it(account: Any, toy: Any) -> None:
    _abandoned(account, toy)
    expire_leases()
    assert apply_creation(account, created_event("A-1", "T-9")) == Confirmation.SETTLED
    result = book(account.company, DRAFT)
    assert (result.status_code, result.replayed) == (201, True)
    assert b'"tracking_id":"T-9"' in result.body
    assert apply_creation(account, created_event("A-1", "T-9")) == Confirmation.KNOWN


def test_an_event_before_the_answer_settles_and_another_id_is_flagged(
    account: Any, toy: Any
) -> None:
    def hook(_: Any) -> None:
        apply_creation(account, created_event("A-1", "T-9"))

    toy.on_create = staticmethod(hook)
    result = book(account.company, DRAFT)
    shipment = Shipment.objects.get()
    assert result.status_code == 201
    assert shipment.tracking_id == "T-9"
    # The toy courier answered with another id, so there is a second shipment.
    assert [kind for kind, _ in open_flags(shipment)] == ["second_shipment"]


def test_an_event_before_an_unknown_outcome_settles_the_booking(account: Any, toy: Any) -> None:
    def hook(_: Any) -> None:
        apply_creation(account, created_event("A-1", "T-9"))
        raise Unknown("reset")

    toy.on_create = staticmethod(hook)
    assert book(account.company, DRAFT).status_code == 201


def test_a_second_shipment_of_a_live_order_is_flagged(account: Any) -> None:
    book(account.company, DRAFT)
    assert apply_creation(account, created_event("A-1", "T-9")) == Confirmation.FLAGGED
    assert open_flags(Shipment.objects.get()) == [("second_shipment", "T-9")]


def test_a_failed_booking_that_the_courier_confirms_is_live_again(account: Any, toy: Any) -> None:
    toy.on_create = raising(Rejected("no"))
    with pytest.raises(Rejected):
        book(account.company, DRAFT)
    assert apply_creation(account, created_event("A-1", "T-9")) == Confirmation.FLAGGED
    shipment = Shipment.objects.get()
    assert (shipment.status, shipment.tracking_id) == ("booked", "T-9")
    assert open_flags(shipment) == [("late_confirmation", "T-9")]


def test_an_event_of_an_unknown_order_is_unknown(account: Any) -> None:
    assert apply_creation(account, created_event("ZZ", "T-9")) == Confirmation.UNKNOWN


def test_all_problems_are_named_at_once_and_nothing_is_stored(account: Any) -> None:
    bad = draft_with(
        order_number=" ",
        consignee=Address("", "98765ABCDE", "a\x00b", "", "Atlantis", "12"),
        items=(Item("x", 0, Decimal(-1), Decimal(101)),),
        parcel=Parcel(0, 1, 1, 1),
        cod_amount=Decimal(5),
    )
    with pytest.raises(InvalidRequest) as caught:
        book(account.company, bad, key="k")
    assert {p.field for p in caught.value.problems} == {
        "order_number", "consignee.name", "consignee.phone", "consignee.address",
        "consignee.state", "consignee.pincode", "items[0].quantity", "items[0].value",
        "items[0].gst_rate", "parcel.weight_g", "cod_amount",
    }  # fmt: skip
    assert not IdempotencyKey.objects.exists()


def test_an_invalid_key_is_refused(account: Any) -> None:
    for key in ("", "x" * 256, "a\nb"):
        with pytest.raises(InvalidRequest, match="Idempotency-Key"):
            book(account.company, DRAFT, key=key)


def test_a_switched_off_courier_or_account_refuses_new_bookings(account: Any) -> None:
    for switch in ("off", "canary"):
        account.rollout, account.canary_percent = switch, 0
        account.save()
        with pytest.raises(CourierDisabled):
            book(account.company, DRAFT)
    Courier.objects.update(is_enabled=False)
    with pytest.raises(CourierDisabled, match="switched off"):
        book(account.company, DRAFT)


def test_an_unknown_courier_account_or_warehouse_is_named(account: Any, company: Any) -> None:
    with pytest.raises(UnknownCourier, match=r"known: .*ekart.*toy"):
        book(account.company, draft_with(courier="dhl"))
    with pytest.raises(InvalidRequest, match="no account"):
        book(account.company, draft_with(courier="ekart"))
    with pytest.raises(InvalidRequest, match="warehouse"):
        book(account.company, draft_with(warehouse_id="whs_none"))


def test_an_unknown_pincode_without_a_city_is_refused(account: Any) -> None:
    nowhere = dataclasses.replace(DRAFT.consignee, pincode="400062")
    with pytest.raises(InvalidRequest, match=r"consignee\.city"):
        book(account.company, draft_with(consignee=nowhere))


@pytest.mark.django_db(transaction=True)
def test_many_simultaneous_requests_book_once(account: Any, toy: Any) -> None:
    results: list[BookingResult] = []

    def ask() -> None:
        with suppress(BookingInFlight):
            results.append(book(account.company, DRAFT))

    run_at_once(ask, 16)
    assert toy.booked == ["A-1"]
    assert len({result.body for result in results}) == 1


def test_a_booking_takes_two_commits_and_at_most_ten_statements(
    account: Any, django_assert_max_num_queries: Any
) -> None:
    book(account.company, draft_with(order_number="warm-up"))
    with django_assert_max_num_queries(13) as captured:
        book(account.company, DRAFT)
    statements = [q["sql"] for q in captured if not q["sql"].startswith(("SAVEPOINT", "RELEASE"))]
    assert len(statements) <= 9  # and one for the API key
    assert sum(q["sql"].startswith("RELEASE") for q in captured) == 2
