"""The gauges of /metrics that are read from PostgreSQL, and the counter of bookings."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db.models import F
from django.test import Client
from django.utils import timezone

from couriers.booking.protocol import book
from couriers.contract.actions import ActionKind
from couriers.contract.errors import Rejected, Unknown
from couriers.contract.statuses import Status
from couriers.models import BulkJob, CallbackTally, Event, FlagKind, Shipment, ShipmentAction
from couriers.models.account import Rollout
from couriers.models.asked import AskedState
from couriers.models.flag import clear_flags, raise_flag
from couriers.models.job import JobState
from couriers.operations.doubt import release
from couriers.operations.events import number_events
from couriers.operations.news import CALLBACK_SILENCE
from couriers.tracking.events import apply_events
from couriers.tracking.polling import poll, poll_cutoff
from tests.support.doubts import pass_time
from tests.support.drafts import DRAFT, created_event, draft_with, raising
from tests.support.factories import ShipmentFactory, make_staff
from tests.support.samples import sample_value

pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)


def scrape(name: str, **labels: str) -> float:
    answer = Client().get("/metrics")
    assert answer.status_code == 200
    return sample_value(answer.content.decode(), name, **labels)


def booked_ago(hours: float, **columns: Any) -> Shipment:
    """A shipment under way that was booked so many hours ago, and had no news since."""
    shipment = ShipmentFactory(**columns)
    at = timezone.now() - hours * HOUR
    Shipment.objects.filter(pk=shipment.pk).update(booked_at=at, created_at=at)
    return shipment


def test_open_flags_are_counted_by_kind_and_those_of_two_parcels_together(
    shipment: Shipment,
) -> None:
    def counts() -> tuple[float, ...]:
        return (
            scrape("shipcrowd_open_flags", courier="toy", kind="second_shipment"),
            scrape("shipcrowd_open_flags", courier="toy", kind="live_twice"),
            scrape("shipcrowd_open_flags", courier="toy", kind="late_scans"),
            scrape("shipcrowd_duplicate_bookings", courier="toy"),
        )

    assert counts() == (0, 0, 0, 0)
    for number in range(2):
        raise_flag(shipment, FlagKind.SECOND_SHIPMENT, tracking_id=f"T-{number}")
    raise_flag(shipment, FlagKind.LIVE_TWICE)
    raise_flag(shipment, FlagKind.LATE_SCANS)
    assert counts() == (2, 1, 1, 3)
    clear_flags([shipment], FlagKind.SECOND_SHIPMENT, reason="One was cancelled.")
    assert counts() == (0, 1, 1, 1)


def test_jobs_are_counted_by_state(company: Any) -> None:
    for state in (JobState.PENDING, JobState.DONE, JobState.DONE):
        BulkJob.objects.create(company=company, state=state, total=1)
    assert scrape("shipcrowd_jobs", state="pending") == 1
    assert scrape("shipcrowd_jobs", state="done") == 2


def test_accepted_actions_are_counted_until_they_end(shipment: Shipment) -> None:
    assert scrape("shipcrowd_actions_open", courier="toy") == 0
    action = ShipmentAction.objects.create(
        shipment=shipment,
        kind=ActionKind.CANCEL,
        state=AskedState.ACCEPTED,
        next_attempt_at=timezone.now(),
    )
    ShipmentAction.objects.update(asked_at=F("asked_at") - HOUR)
    assert scrape("shipcrowd_actions_open", courier="toy") == 1
    assert 3600 <= scrape("shipcrowd_actions_open_oldest_seconds", courier="toy") < 3700
    action.state, action.ended_at = AskedState.DONE, timezone.now()
    action.save()
    assert scrape("shipcrowd_actions_open", courier="toy") == 0
    assert scrape("shipcrowd_actions_open_oldest_seconds", courier="toy") == 0


def test_the_sync_rate_is_the_share_of_due_shipments_with_fresh_news(account: Any) -> None:
    def rates() -> tuple[float, float]:
        return (
            scrape("toy_sync_success_rate"),
            scrape("shipcrowd_courier_sync_success_rate", courier="toy"),
        )

    assert rates() == (1, 1)  # none is due
    recent = timezone.now() - HOUR
    booked_ago(1, account=account)  # not due yet
    booked_ago(9, account=account, status=Status.DELIVERED)  # not under way any more
    assert rates() == (1, 1)
    booked_ago(9, account=account)
    assert rates() == (0, 0)
    booked_ago(9, account=account, tracked_at=recent)  # a callback
    booked_ago(9, account=account, polled_at=recent)  # a poll
    booked_ago(9, account=account, tracked_at=timezone.now() - 8 * HOUR)
    assert rates() == (0.5, 0.5)


@pytest.mark.django_db(transaction=True)
def test_a_poll_that_failed_is_no_news(account: Any, able: Any) -> None:
    booked_ago(9, account=account)
    able.on_call["track_shipment"] = raising(Rejected("no"))
    poll(account, cutoff=poll_cutoff(), threads=1)
    assert len(able.asked) == 1
    assert scrape("toy_sync_success_rate") == 0
    able.on_call.clear()
    poll(account, cutoff=poll_cutoff(), threads=1)
    assert scrape("toy_sync_success_rate") == 1


def test_an_account_is_silent_that_should_have_had_a_callback(account: Any) -> None:
    def silent() -> float:
        return scrape("shipcrowd_callbacks_silent_accounts", courier="toy")

    shipment = booked_ago(CALLBACK_SILENCE / 3600 - 1, account=account)
    assert silent() == 0
    Shipment.objects.update(booked_at=F("booked_at") - 2 * HOUR)
    assert silent() == 1
    tally = CallbackTally.objects.create(account=account, accepted_at=timezone.now())
    assert silent() == 0
    tally.accepted_at -= dt.timedelta(seconds=CALLBACK_SILENCE + 60)
    tally.save()
    assert silent() == 1
    account.rollout = Rollout.OFF
    account.save()
    assert silent() == 0
    account.rollout = Rollout.CANARY
    account.save()
    assert silent() == 1
    Shipment.objects.filter(pk=shipment.pk).update(status=Status.DELIVERED)
    assert silent() == 0


@pytest.mark.django_db(transaction=True)
def test_each_booking_is_counted_by_how_it_ended(account: Any, toy: Any) -> None:
    outcomes = ("booked", "failed", "in_doubt", "settled_booked", "settled_released")

    def counts() -> list[float]:
        return [scrape("shipcrowd_bookings_total", courier="toy", outcome=o) for o in outcomes]

    before = counts()

    def since() -> list[float]:
        return [now - then for now, then in zip(counts(), before, strict=True)]

    book(account.company, DRAFT)
    book(account.company, DRAFT)  # a repeat
    assert since() == [1, 0, 0, 0, 0]
    toy.on_create = raising(Rejected("no such pincode"))
    with pytest.raises(Rejected):
        book(account.company, draft_with(order_number="A-2"))
    assert since() == [1, 1, 0, 0, 0]
    toy.on_create = raising(Unknown("read time-out"))
    doubts = [
        book(account.company, draft_with(order_number=number)).shipment for number in ("A-3", "A-4")
    ]
    assert since() == [1, 1, 2, 0, 0]
    apply_events(account, [created_event("A-3", "TRK-3")])
    assert since() == [1, 1, 2, 1, 0]
    pass_time(1000)
    release(doubts[1].pk, actor=make_staff(), reason="The courier does not have it.")
    assert since() == [1, 1, 2, 1, 1]


def test_events_wait_for_their_position(shipment: Shipment) -> None:
    assert scrape("shipcrowd_events_waiting") == 0
    Shipment.objects.filter(pk=shipment.pk).update(status="delivered")
    Event.objects.update(created_at=F("created_at") - HOUR)
    assert scrape("shipcrowd_events_waiting") == 1
    assert 3600 <= scrape("shipcrowd_events_waiting_oldest_seconds") < 3700
    number_events()
    assert scrape("shipcrowd_events_waiting") == 0
    assert scrape("shipcrowd_events_waiting_oldest_seconds") == 0
