"""The parcel of a courier that was asked before is followed until it has ended or is cancelled."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any

import pytest

from couriers.booking.going_on import go_on_due
from couriers.booking.protocol import book
from couriers.contract.errors import CourierError, RateLimited, Unknown
from couriers.models import BookingAttempt, Company, Shipment
from couriers.tasks import sync_account
from couriers.tracking import polling
from couriers.tracking.events import apply_events
from tests.support.commands import run_json
from tests.support.drafts import created_event, draft_with
from tests.support.fail_over import Asked, asked_in_turn, scan_of, settle_absent
from tests.support.flags import open_flags

pytestmark = pytest.mark.django_db(transaction=True)

LONG_AGO = "2026-01-01T00:00Z"


@pytest.fixture
def two(company: Company, no_backoff: None) -> Iterator[list[Asked]]:
    """Two couriers; the second has the order, and the first turned out to have it, too."""
    with asked_in_turn(company, "one", "two", book_after_doubt=True) as asked:
        move(company, asked, "A-1", "LATE1")
        yield asked


def move(company: Company, two: list[Asked], number: str, late: str) -> None:
    """Have the second courier book an order, and the first say afterwards that it has it."""
    two[0].books.behaviours = ["request lost"]
    book(company, draft_with(courier="auto", order_number=number))
    settle_absent()
    assert go_on_due(5) == 1
    apply_events(two[0].account, [created_event(number, late)])
    make_due()


def make_due() -> None:
    """Let the silence of every parcel pass."""
    BookingAttempt.objects.exclude(tracking_id="").update(
        found_at=LONG_AGO, parcel_status_at=LONG_AGO, polled_at=None
    )


def attempt() -> BookingAttempt:
    return BookingAttempt.objects.get(tracking_id="LATE1")


def poll(asked: Asked) -> None:
    sync_account(asked.account.pk)


def test_its_status_is_asked_for_and_the_shipment_stays(two: list[Asked]) -> None:
    two[0].scans["LATE1"] = [scan_of("in_transit", 2)]
    assert two[0].account in polling.accounts_to_poll(polling.poll_cutoff())
    poll(two[0])
    assert (two[0].tracks, attempt().parcel_status) == ([["LATE1"]], "in_transit")
    shipment = Shipment.objects.get()
    assert (shipment.status, shipment.courier_id, shipment.scans.count()) == ("booked", "two", 0)
    assert open_flags(shipment) == [("earlier_courier", "LATE1")]


def test_it_is_not_asked_about_again_before_the_silence_has_passed(two: list[Asked]) -> None:
    poll(two[0])
    poll(two[0])
    assert two[0].tracks == [["LATE1"]]
    assert two[0].account not in polling.accounts_to_poll(polling.poll_cutoff())
    make_due()
    poll(two[0])
    assert len(two[0].tracks) == 2


@pytest.mark.parametrize("end", ["cancelled", "delivered", "rto_delivered", "lost"])
def test_one_that_has_ended_is_asked_about_no_more(two: list[Asked], end: str) -> None:
    two[0].scans["LATE1"] = [scan_of("in_transit", 2), scan_of(end, 3)]
    poll(two[0])
    assert attempt().parcel_status == end
    make_due()
    poll(two[0])
    assert len(two[0].tracks) == 1
    flags = [] if end == "cancelled" else [("earlier_courier", "LATE1")]
    assert open_flags(Shipment.objects.get()) == flags


def test_one_that_staff_have_cancelled_is_asked_about_no_more(two: list[Asked]) -> None:
    BookingAttempt.objects.update(cancelled_at="2026-11-25T00:00Z")
    poll(two[0])
    assert two[0].tracks == []


def test_many_are_asked_about_in_the_couriers_batch_size(
    company: Company, two: list[Asked]
) -> None:
    for number in range(2, 6):
        move(company, two, f"A-{number}", f"LATE{number}")
    poll(two[0])
    assert sorted(len(call) for call in two[0].tracks) == [1, 2, 2]
    assert sorted(chain.from_iterable(two[0].tracks)) == [f"LATE{number}" for number in range(1, 6)]


@pytest.mark.parametrize(
    ("error", "is_due"), [(RateLimited("used up", retry_after=1), True), (Unknown("reset"), False)]
)
def test_after_an_error_the_run_ends_and_the_parcel_is_asked_about_later(
    two: list[Asked], error: CourierError, is_due: bool
) -> None:
    two[0].scans["LATE1"] = error
    poll(two[0])
    assert len(two[0].tracks) == 1
    assert (attempt().polled_at is None) == is_due
    make_due()
    two[0].scans["LATE1"] = [scan_of("in_transit", 2)]
    poll(two[0])
    assert attempt().parcel_status == "in_transit"


def test_a_parcel_that_the_courier_does_not_know_stays_as_it_is(two: list[Asked]) -> None:
    poll(two[0])
    assert (attempt().parcel_status, attempt().cancelled_at) == ("", None)


def test_the_command_polls_it_as_well(company: Company, two: list[Asked]) -> None:
    two[0].scans["LATE1"] = [scan_of("in_transit", 2)]
    told: dict[str, Any] = run_json("sync_tracking", "--company", company.slug)
    assert attempt().parcel_status == "in_transit"
    assert told["failed"] == 0


def test_an_attempt_without_a_parcel_is_not_asked_about(company: Company, no_backoff: None) -> None:
    with asked_in_turn(company, "one", "two") as asked:
        asked[0].books.behaviours = ["refuses"]
        book(company, draft_with(courier="auto"))
        assert asked[0].account not in polling.accounts_to_poll(polling.poll_cutoff())
        poll(asked[0])
    assert asked[0].tracks == []
