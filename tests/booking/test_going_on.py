"""After a doubt that was settled as not booked the couriers that are left are asked, in rounds."""

from __future__ import annotations

from contextlib import suppress
from functools import partial

import pytest
from django.contrib.auth import get_user_model

from couriers.booking.going_on import go_on, go_on_due
from couriers.booking.leases import expire_leases
from couriers.booking.protocol import book
from couriers.contract.platform_errors import PlatformError
from couriers.models import (
    Company,
    Event,
    FailOver,
)
from couriers.operations.doubt import release
from couriers.resilience.circuit_breaker import CircuitBreaker
from tests.support.doubts import pass_time
from tests.support.fail_over import (
    AUTO,
    Asked,
    asked_in_turn,
    current,
    outcomes,
    settle_absent,
)
from tests.support.threads import run_at_once

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_doubt_that_is_settled_as_absent_goes_on_with_the_next_courier(
    company: Company, two: list[Asked]
) -> None:
    one, other = two
    one.books.behaviours = ["request lost"]
    book(company, AUTO, key="k")
    settle_absent()
    assert current().status == "failed"
    assert go_on_due(10) == 1
    shipment = current()
    assert (shipment.status, shipment.courier_id, shipment.attempt) == ("booked", "two", 2)
    assert outcomes(shipment) == [(1, "one", "unknown")]
    assert not FailOver.objects.exists()
    assert (len(one.books.parcels), len(other.books.parcels)) == (0, 1)
    events = list(Event.objects.order_by("number").values_list("type", flat=True))
    assert events.index("shipment.settled") < events.index("shipment.booked")
    again = book(company, AUTO, key="k")
    assert (again.status_code, again.replayed) == (201, True)


def test_an_operators_release_goes_on_with_the_next_courier(
    company: Company, two: list[Asked]
) -> None:
    two[0].books.behaviours = ["request lost"]
    shipment = book(company, AUTO).shipment
    pass_time(151)
    operator = get_user_model().objects.create_user("operator")
    release(shipment.pk, actor=operator, reason="not in the panel")
    assert go_on(shipment.pk)
    assert (current().status, current().courier_id) == ("booked", "two")


def test_without_such_a_rule_an_absence_only_frees_the_order(
    company: Company, no_backoff: None
) -> None:
    with asked_in_turn(company, "one", "two") as (one, two):
        one.books.behaviours = ["request lost"]
        book(company, AUTO)
        settle_absent()
        assert go_on_due(1) == 0
    assert current().status == "failed"
    assert not two.books.create_calls


def test_an_order_that_was_asked_for_again_meanwhile_is_not_gone_on_with(
    company: Company, two: list[Asked]
) -> None:
    two[0].books.behaviours = ["request lost"]
    book(company, AUTO)
    settle_absent()
    book(company, AUTO)
    assert go_on_due(1) == 0
    assert not FailOver.objects.exists()
    assert [len(each.books.parcels) for each in two] == [1, 0]


def test_two_workers_that_go_on_with_an_order_book_it_once(
    company: Company, two: list[Asked]
) -> None:
    two[0].books.behaviours = ["request lost"]
    shipment = book(company, AUTO).shipment
    settle_absent()
    works = iter([partial(go_on, shipment.pk)] * 3 + [partial(book, company, AUTO)] * 2)

    def work() -> None:
        with suppress(PlatformError):
            next(works)()

    run_at_once(work, 5)
    assert sum(len(each.books.parcels) for each in two) == 1
    assert current().status == "booked"


def test_a_worker_that_was_killed_before_it_asked_leaves_the_order_to_the_next(
    company: Company, two: list[Asked]
) -> None:
    two[0].books.behaviours = ["request lost"]
    shipment = book(company, AUTO).shipment
    settle_absent()
    FailOver.objects.update(tries=1, lease_expires_at="2026-01-01T00:00Z")
    assert go_on(shipment.pk)
    assert current().courier_id == "two"


def test_a_next_courier_that_cannot_be_asked_now_is_asked_later(
    company: Company, two: list[Asked]
) -> None:
    two[0].books.behaviours = ["request lost"]
    book(company, AUTO)
    settle_absent()
    breaker = CircuitBreaker.of_account("two", two[1].account.pk)
    for _ in range(5):
        breaker.record_failure()
    assert go_on_due(1) == 0
    assert FailOver.objects.get().tries == 1
    breaker.reset()
    make_due()
    assert go_on_due(1) == 1
    assert current().status == "booked"


def make_due() -> None:
    """Let the pause before the next round pass."""
    FailOver.objects.update(next_attempt_at="2026-01-01T00:00Z")


NOT_REACHED = ["not sent"] * 4  # the call and its repeats


@pytest.mark.parametrize("behaviour", ["not sent", "not done"])
def test_a_next_courier_that_was_not_reached_is_asked_again_and_each_round_is_told(
    company: Company, two: list[Asked], behaviour: str
) -> None:
    one, other = two
    one.books.behaviours, other.books.behaviours = ["request lost"], [behaviour] * 4
    book(company, AUTO, key="k")
    settle_absent()
    assert go_on_due(5) == 1
    assert (current().status, current().attempt, len(other.books.parcels)) == ("failed", 2, 0)
    assert (FailOver.objects.get().tries, FailOver.objects.get().attempt) == (1, 2)
    assert go_on_due(1) == 0  # not due yet
    make_due()
    assert go_on_due(5) == 1
    assert (current().status, current().courier_id, current().attempt) == ("booked", "two", 3)
    assert [outcome for _, _, outcome in outcomes(current())] == [
        "unknown", behaviour.replace(" ", "_"),
    ]  # fmt: skip
    assert not FailOver.objects.exists()
    assert (len(one.books.create_calls), len(other.books.parcels)) == (1, 1)
    told = [
        (each.type, each.data["shipment"]["status"]) for each in Event.objects.order_by("number")
    ]
    assert told == [
        ("shipment.in_doubt", "in_doubt"), ("shipment.settled", "failed"),
        ("shipment.status_changed", "booking"), ("shipment.status_changed", "failed"),
        ("shipment.status_changed", "booking"), ("shipment.booked", "booked"),
    ]  # fmt: skip
    assert book(company, AUTO, key="k").replayed


def test_a_round_asks_those_again_that_were_not_reached_and_none_that_refused(
    company: Company, no_backoff: None
) -> None:
    with asked_in_turn(company, "one", "two", "three", book_after_doubt=True) as asked:
        one, two, three = asked
        one.books.behaviours, two.books.behaviours = ["request lost"], NOT_REACHED * 2
        three.books.behaviours = ["refuses"]
        book(company, AUTO)
        settle_absent()
        for _ in range(3):
            assert go_on_due(5) == 1
            make_due()
    assert outcomes(current()) == [
        (1, "one", "unknown"), (2, "two", "not_sent"), (3, "three", "rejected"),
        (4, "two", "not_sent"),
    ]  # fmt: skip
    assert (current().status, current().courier_id) == ("booked", "two")


def test_a_next_courier_that_refuses_is_not_asked_again_and_the_failure_is_told(
    company: Company, two: list[Asked]
) -> None:
    two[0].books.behaviours, two[1].books.behaviours = ["request lost"], ["refuses"]
    book(company, AUTO)
    settle_absent()
    assert go_on_due(5) == 1
    assert not FailOver.objects.exists()
    assert (current().status, "no such pincode" in current().failure) == ("failed", True)
    last = Event.objects.order_by("number").last()
    assert last is not None
    assert (last.type, last.data["shipment"]["status"]) == ("shipment.status_changed", "failed")


def test_after_ten_rounds_the_order_has_failed_and_may_be_asked_for_again(
    company: Company, two: list[Asked]
) -> None:
    two[0].books.behaviours, two[1].books.behaviours = ["request lost"], NOT_REACHED * 11
    book(company, AUTO)
    settle_absent()
    rounds = 0
    while FailOver.objects.exists():
        make_due()
        rounds += go_on_due(5)
    assert rounds == 10
    assert (current().status, current().attempt) == ("failed", 11)
    assert book(company, AUTO).shipment.courier_id == "one"
    assert go_on_due(1) == 0
    assert [len(each.books.parcels) for each in two] == [1, 0]


def test_an_order_that_is_asked_for_again_between_two_rounds_is_booked_once(
    company: Company, two: list[Asked]
) -> None:
    two[0].books.behaviours, two[1].books.behaviours = ["request lost"], NOT_REACHED
    book(company, AUTO)
    settle_absent()
    assert go_on_due(5) == 1
    assert book(company, AUTO).status_code == 201
    make_due()
    assert go_on_due(1) == 0
    assert not FailOver.objects.exists()
    assert sum(len(each.books.parcels) for each in two) == 1


def test_a_doubt_at_the_second_courier_stays_one(company: Company, two: list[Asked]) -> None:
    two[0].books.behaviours = ["refuses"]
    two[1].books.behaviours = ["request lost"]
    assert book(company, AUTO).status_code == 202
    assert (current().status, current().courier_id, current().attempt) == ("in_doubt", "two", 2)
    settle_absent()
    assert go_on_due(1) == 0
    assert current().status == "failed"
    assert expire_leases() == 0
