"""The next courier is asked after one that surely did not book, and never after a doubt."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest

from couriers.booking import fail_over
from couriers.booking.protocol import book
from couriers.contract.errors import InvalidRequest, NotSent, Rejected
from couriers.contract.platform_errors import PlatformError
from couriers.contract.types import Booking
from couriers.models import (
    Company,
    Courier,
    Event,
    Shipment,
)
from couriers.resilience.circuit_breaker import CircuitBreaker
from tests.support.drafts import draft_with
from tests.support.fail_over import (
    AUTO,
    Asked,
    asked_in_turn,
    current,
    outcomes,
)
from tests.support.threads import run_at_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("behaviour", ["not sent", "not done", "refuses"])
def test_after_a_call_that_surely_booked_nothing_the_next_courier_books(
    company: Company, two: list[Asked], behaviour: str
) -> None:
    one, other = two
    one.books.behaviours = [behaviour] * 5
    result = book(company, AUTO, key="k")
    shipment = current()
    assert (result.status_code, result.shipment.pk) == (201, shipment.pk)
    assert (shipment.courier_id, shipment.account_id) == ("two", other.account.pk)
    assert (shipment.status, shipment.attempt, shipment.failure) == ("booked", 2, "")
    assert [shipment.tracking_id] == other.books.order("A-1")
    outcome = {"refuses": "rejected"}.get(behaviour, behaviour.replace(" ", "_"))
    assert outcomes(shipment) == [(1, "one", outcome)]
    assert not one.books.parcels
    body = json.loads(result.body)
    assert [each["courier"] for each in body["booking_attempts"]] == ["one", "two"]
    assert [each["outcome"] for each in body["booking_attempts"]] == [outcome, "ok"]
    again = book(company, AUTO, key="k")
    assert (again.replayed, again.body) == (True, result.body)


def test_after_an_unknown_outcome_no_other_courier_is_asked(
    company: Company, two: list[Asked]
) -> None:
    one, other = two
    one.books.behaviours = ["request lost"]
    assert book(company, AUTO).status_code == 202
    assert (current().status, current().courier_id) == ("in_doubt", "one")
    assert book(company, AUTO).status_code == 202
    assert not other.books.create_calls


def test_a_rule_may_say_that_no_other_courier_is_asked(company: Company, no_backoff: None) -> None:
    with asked_in_turn(company, "one", "two", fail_over=False) as (one, other):
        one.books.behaviours = ["refuses"]
        with pytest.raises(Rejected):
            book(company, AUTO)
    assert (current().status, current().courier_id) == ("failed", "one")
    assert not other.books.create_calls


def test_a_courier_that_the_merchant_names_has_no_other_after_it(
    company: Company, two: list[Asked]
) -> None:
    one, other = two
    one.books.behaviours = ["refuses"]
    with pytest.raises(Rejected):
        book(company, draft_with(courier="one"))
    assert not other.books.create_calls


def test_where_all_refuse_the_order_has_failed_and_may_be_asked_for_again(
    company: Company, two: list[Asked]
) -> None:
    for each in two:
        each.books.behaviours = ["refuses"]
    with pytest.raises(Rejected, match="no such pincode"):
        book(company, AUTO)
    shipment = current()
    assert (shipment.status, shipment.attempt, shipment.courier_id) == ("failed", 2, "two")
    assert outcomes(shipment) == [(1, "one", "rejected"), (2, "two", "rejected")]
    again = book(company, AUTO)
    assert (again.status_code, again.shipment.pk, again.shipment.attempt) == (201, shipment.pk, 3)
    assert (again.shipment.courier_id, len(two[0].books.parcels)) == ("one", 1)


def test_an_error_that_passes_is_raised_rather_than_a_refusal(
    company: Company, two: list[Asked]
) -> None:
    two[0].books.behaviours = ["not sent"] * 5
    two[1].books.behaviours = ["refuses"]
    with pytest.raises(NotSent):
        book(company, AUTO)
    assert outcomes(current()) == [(1, "one", "not_sent"), (2, "two", "rejected")]


def test_a_courier_that_refuses_before_any_call_is_passed_over_with_its_reason(
    company: Company, no_backoff: None
) -> None:
    with asked_in_turn(company, "one", "two", "three") as (one, two, three):
        one.books.behaviours = ["refuses"]

        original = one.books.create

        def create(request: Any) -> Booking:
            Courier.objects.filter(pk="two").update(is_enabled=False)
            return original(request)

        one.books.create = create  # type: ignore[method-assign]
        book(company, AUTO)
    shipment = current()
    assert (shipment.courier_id, shipment.attempt) == ("three", 2)
    assert not two.books.create_calls
    assert shipment.choice is not None
    (passed,) = shipment.choice["passed_over"]
    assert (passed["courier"], passed["reason"]) == ("two", "switched_off")
    assert "switched off" in passed["detail"]
    assert len(three.books.parcels) == 1


def test_a_courier_whose_circuit_has_opened_meanwhile_is_not_called(
    company: Company, no_backoff: None
) -> None:
    with asked_in_turn(company, "one", "two") as (one, two):
        breaker = CircuitBreaker.of_account("two", two.account.pk)
        original = one.books.create

        def create(request: Any) -> Booking:
            for _ in range(5):
                breaker.record_failure()
            return original(request)

        one.books.create = create  # type: ignore[method-assign]
        one.books.behaviours = ["refuses"]
        with pytest.raises(NotSent):
            book(company, AUTO)
    assert not two.books.create_calls
    assert (current().status, current().attempt) == ("failed", 1)
    assert current().choice["passed_over"][0]["reason"] == "circuit_open"


def test_a_request_whose_time_is_over_asks_no_further_courier_and_says_when_to_ask_again(
    company: Company, two: list[Asked], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fail_over, "REQUEST_SECONDS", 0.0)
    two[0].books.behaviours = ["refuses", "refuses"]
    with pytest.raises(NotSent, match="time was over") as caught:
        book(company, AUTO)
    assert caught.value.retry_after
    assert not two[1].books.create_calls
    book(company, AUTO, longest_wait=5)
    assert len(two[1].books.parcels) == 1


def test_nobody_hears_of_a_failure_while_another_courier_is_asked(
    company: Company, two: list[Asked]
) -> None:
    two[0].books.behaviours = ["refuses"]
    book(company, AUTO)
    assert list(Event.objects.order_by("number").values_list("type", flat=True)) == [
        "shipment.booked"
    ]


def test_two_requests_at_once_book_one_parcel_whichever_courier(
    company: Company, two: list[Asked]
) -> None:
    two[0].books.behaviours = ["refuses"]
    keys = iter(("k1", "k2", "k1", "k2"))

    def work() -> None:
        with suppress(PlatformError):
            book(company, AUTO, key=next(keys))

    run_at_once(work, 4)
    assert sum(len(each.books.parcels) for each in two) == 1
    assert Shipment.objects.live().count() == 1


def test_invalid_orders_are_refused_before_anything_is_stored(
    company: Company, two: list[Asked]
) -> None:
    with pytest.raises(InvalidRequest):
        book(company, draft_with(courier="auto", warehouse_id="whs_none"))
    assert not Shipment.objects.exists()
