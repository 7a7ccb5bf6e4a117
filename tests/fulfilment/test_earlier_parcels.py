"""The parcel of a courier that was asked before is cancelled there, by a person's decision."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

from couriers.booking.going_on import go_on_due
from couriers.booking.protocol import book
from couriers.contract.actions import ActionResult
from couriers.contract.errors import Rejected, Unknown
from couriers.contract.platform_errors import ActionNotAllowed
from couriers.contract.statuses import Status
from couriers.fulfilment.earlier_parcels import (
    CANCELLED,
    ask_about_cancels,
    cancel_parcel,
    expire_cancels,
)
from couriers.models import AuditEntry, BookingAttempt, Company, ParcelCancel
from couriers.models.asked import Asker
from couriers.tracking.events import apply_events
from tests.support.drafts import created_event
from tests.support.fail_over import (
    ACCEPTED,
    AUTO,
    Asked,
    asked_in_turn,
    current,
    scan_event,
    settle_absent,
)
from tests.support.flags import open_flags

pytestmark = pytest.mark.django_db(transaction=True)

FLAG = ("earlier_courier", "LATE1")


@pytest.fixture
def two(company: Company, no_backoff: None) -> Iterator[list[Asked]]:
    """Two couriers; the second has the order, and the first turned out to have it, too."""
    with asked_in_turn(company, "one", "two", book_after_doubt=True) as asked:
        asked[0].books.behaviours = ["request lost"]
        book(company, AUTO)
        settle_absent()
        assert go_on_due(5) == 1
        apply_events(asked[0].account, [created_event("A-1", "LATE1")])
        yield asked


@pytest.fixture
def by(db: None) -> Asker:
    """A member of staff."""
    return Asker(get_user_model().objects.create_user("operator"))


def attempt() -> BookingAttempt:
    return BookingAttempt.objects.get(number=1)


def test_it_is_cancelled_at_the_earlier_courier_and_the_shipment_stays(
    two: list[Asked], by: Asker
) -> None:
    before = current()
    row = cancel_parcel(attempt().pk, by=by, reason="a second parcel")
    assert (row.state, row.asked_by) == ("done", by.user)
    assert (two[0].cancels, two[1].cancels) == (["LATE1"], [])
    assert attempt().cancelled_at is not None
    assert open_flags(current()) == []
    assert (current().status, current().tracking_id) == ("booked", before.tracking_id)
    entry = AuditEntry.objects.get(action=CANCELLED)
    assert (entry.actor, entry.reason) == (by.user, "a second parcel")
    assert entry.details["tracking_id"] == "LATE1"


def test_a_second_click_makes_no_second_call(two: list[Asked], by: Asker) -> None:
    first = cancel_parcel(attempt().pk, by=by)
    assert cancel_parcel(attempt().pk, by=by).pk == first.pk
    assert two[0].cancels == ["LATE1"]


def test_an_accepted_cancellation_is_asked_about_until_it_has_ended(
    two: list[Asked], by: Asker
) -> None:
    two[0].answers.append(ACCEPTED)
    two[0].books.is_indexed = False
    row = cancel_parcel(attempt().pk, by=by)
    assert (row.state, row.handle) == ("accepted", "H1")
    assert open_flags(current()) == [FLAG]
    assert ask_about_cancels() == 0  # not due yet
    ParcelCancel.objects.update(next_attempt_at="2026-01-01T00:00Z")
    assert ask_about_cancels() == 1
    assert ParcelCancel.objects.get().state == "accepted"
    two[0].books.is_indexed = True
    ParcelCancel.objects.update(next_attempt_at="2026-01-01T00:00Z")
    ask_about_cancels()
    assert ParcelCancel.objects.get().state == "done"
    assert open_flags(current()) == []
    assert attempt().cancelled_at is not None


def test_an_accepted_cancellation_ends_by_the_couriers_scan(two: list[Asked], by: Asker) -> None:
    two[0].answers.append(ACCEPTED)
    two[0].books.is_indexed = False
    cancel_parcel(attempt().pk, by=by)
    apply_events(two[0].account, [scan_event("LATE1", "cancelled", 3)])
    ParcelCancel.objects.update(next_attempt_at="2026-01-01T00:00Z")
    ask_about_cancels()
    assert ParcelCancel.objects.get().state == "done"


def test_a_parcel_in_transit_travels_back(two: list[Asked], by: Asker) -> None:
    apply_events(two[0].account, [scan_event("LATE1", "in_transit", 3)])
    cancel_parcel(attempt().pk, by=by)
    assert attempt().parcel_status == Status.RTO_REQUESTED
    assert open_flags(current()) == []


@pytest.mark.parametrize(
    ("error", "state"), [(Rejected("too late"), "refused"), (Unknown("time-out"), "unknown")]
)
def test_a_cancellation_that_failed_is_kept_and_the_flag_stays(
    two: list[Asked], by: Asker, error: Any, state: str
) -> None:
    two[0].answers.append(error)
    with pytest.raises(type(error)):
        cancel_parcel(attempt().pk, by=by)
    assert ParcelCancel.objects.get().state == state
    assert open_flags(current()) == [FLAG]
    two[0].answers.append(ActionResult(remark="ok", status=Status.CANCELLED))
    assert cancel_parcel(attempt().pk, by=by).state == "done"


def test_a_delivered_parcel_cannot_be_cancelled(two: list[Asked], by: Asker) -> None:
    apply_events(two[0].account, [scan_event("LATE1", "delivered", 3)])
    with pytest.raises(ActionNotAllowed, match="delivered"):
        cancel_parcel(attempt().pk, by=by)
    assert not two[0].cancels


def test_a_process_that_died_leaves_it_unknown(two: list[Asked]) -> None:
    ParcelCancel.objects.create(attempt=attempt(), lease_expires_at="2026-01-01T00:00Z")
    assert expire_cancels() == 1
    assert ParcelCancel.objects.get().state == "unknown"


def test_the_button_of_the_shipments_page_cancels_it(
    two: list[Asked], admin_client: Client
) -> None:
    shipment = current()
    page = admin_client.get(reverse("admin:shipcrowd_couriers_shipment_change", args=[shipment.pk]))
    text = page.content.decode()
    assert "LATE1" in text
    assert "Cancel the second parcel" in text
    assert "Second parcel: one" in text
    url = reverse("admin:shipcrowd_cancel_parcel", args=[shipment.pk])
    form = admin_client.get(url).content.decode()
    assert "LATE1 of One" in form
    answer = admin_client.post(url, {"attempt": attempt().pk, "reason": "second parcel"})
    assert answer.status_code == 302
    assert two[0].cancels == ["LATE1"]
    after = admin_client.get(
        reverse("admin:shipcrowd_couriers_shipment_change", args=[shipment.pk])
    ).content.decode()
    assert "Cancel the second parcel" not in after
    assert "Its cancellation: done (cancelled)." in after
