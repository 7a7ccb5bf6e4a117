"""The machine's clock jumps, or differs from the database's, by an hour: nothing double or lost."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
import time_machine
from django.db.models import F
from django.utils import timezone

from couriers import tasks
from couriers.booking import bulk_jobs, bulk_turns
from couriers.booking.leases import expire_leases
from couriers.booking.protocol import book
from couriers.contract.errors import NotDone, NotSent, TimeIsUp
from couriers.contract.platform_errors import BookingInFlight, TooEarly
from couriers.fulfilment import manifests
from couriers.models import BulkOrder, BulkTurn, CourierCall, ManifestChunk, Shipment
from couriers.operations.doubt import release
from tests.support.callbacks import send
from tests.support.drafts import DRAFT, raising, requests_for
from tests.support.factories import make_staff
from tests.support.parcels import make_shipments
from webhooks import tasks as inbox_tasks
from webhooks.models import WebhookEvent
from webhooks.processing import process_batch

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_dispatch")]

HOUR = dt.timedelta(hours=1)
JUMPS = pytest.mark.parametrize("jump", [HOUR, -HOUR], ids=["forward", "back"])


@pytest.fixture
def no_dispatch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Send no task. Each test does the worker's part itself."""
    monkeypatch.setattr("webhooks.dispatch.request_processing", lambda: None)
    for task in (tasks.run_bulk, tasks.make_manifest, inbox_tasks.process_inbox):
        monkeypatch.setattr(task, "apply_async", lambda *_, **__: None)


@contextmanager
def clock_off_by(jump: dt.timedelta) -> Iterator[None]:
    """Run the block on a machine whose clock differs so much from the database's."""
    with time_machine.travel(dt.datetime.now(dt.UTC) + jump):
        yield


@JUMPS
def test_a_callback_is_applied_at_once_whichever_machines_clock_is_wrong(
    account: Any, shipment: Shipment, jump: dt.timedelta
) -> None:
    with clock_off_by(jump):
        send(account, {"id": shipment.tracking_id, "status": "picked_up", "hour": 1})
    assert process_batch().processed == 1
    send(account, {"id": shipment.tracking_id, "status": "in_transit", "hour": 2})
    with clock_off_by(jump):
        assert process_batch().processed == 1


@JUMPS
def test_a_callback_that_came_before_its_shipment_is_tried_again_after_a_second(
    account: Any, jump: dt.timedelta
) -> None:
    send(account, {"id": "LATER", "status": "picked_up", "hour": 1})
    with clock_off_by(jump):
        assert process_batch().waiting == 1
    left = WebhookEvent.objects.get().next_attempt_at - timezone.now()
    assert dt.timedelta(0) < left <= dt.timedelta(seconds=1)


@JUMPS
def test_a_bulk_job_is_booked_once_whichever_machines_clock_is_wrong(
    account: Any, toy: Any, jump: dt.timedelta
) -> None:
    toy.on_create = raising(NotDone("busy", retry_after=50), times=1)
    with clock_off_by(jump):
        job = bulk_jobs.create_job(account.company, requests_for(DRAFT))
    turn = bulk_turns.take_turn()
    assert turn is not None
    with clock_off_by(jump):
        delay = bulk_turns.serve(turn)
    assert delay is not None
    assert 45 < delay <= 50
    with clock_off_by(-jump):
        assert bulk_turns.take_turn() is None  # not due yet
        BulkOrder.objects.update(next_attempt_at=F("next_attempt_at") - HOUR)
        bulk_jobs.book_due_orders(job.pk, seconds=9)
    assert toy.booked == ["A-1"]


@JUMPS
def test_a_chunk_is_claimed_by_one_worker_whichever_machines_clock_is_wrong(
    account: Any, able: Any, jump: dt.timedelta
) -> None:
    with clock_off_by(jump):
        manifest = manifests.create_for_shipments(account, make_shipments(account, 1)).manifest
    chunk = manifest.chunks.get()
    claimed_meanwhile = []

    def other_worker(_: Any) -> None:
        with clock_off_by(jump):
            claimed_meanwhile.append(manifests.due_chunks().exists())

    able.on_call["create_manifest"] = other_worker
    manifests.make_chunk(chunk.pk)
    assert claimed_meanwhile == [False]
    assert ManifestChunk.objects.get().state == "done"


@JUMPS
def test_a_jump_during_the_call_expires_no_lease_and_books_once(
    account: Any, toy: Any, jump: dt.timedelta
) -> None:
    """The same request comes again, and the sweeper runs, while the call is under way."""
    seen = []

    def hook(_: Any) -> None:
        toy.on_create = None
        with clock_off_by(jump):
            assert expire_leases() == 0
            with pytest.raises(BookingInFlight):
                book(account.company, DRAFT)
        seen.append(Shipment.objects.get().status)

    toy.on_create = staticmethod(hook)
    assert book(account.company, DRAFT).status_code == 201
    assert (seen, toy.booked) == (["booking"], ["A-1"])


def test_a_clock_that_is_set_back_does_not_lengthen_the_time_to_send(
    account: Any, toy: Any, no_backoff: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each call takes 50 s, so only two of the four attempts fit into the lease of 150 s."""
    passed, sent_at = [0.0], []
    monotonic = SimpleNamespace(monotonic=lambda: passed[0])
    monkeypatch.setattr("couriers.resilience.deadline.time", monotonic)
    with time_machine.travel(timezone.now(), tick=False) as clock:

        def hook(_: Any) -> None:
            sent_at.append(passed[0])
            passed[0] += 50
            clock.shift(50 - HOUR.total_seconds())
            raise NotSent("refused")

        toy.on_create = staticmethod(hook)
        with pytest.raises(TimeIsUp):
            book(account.company, DRAFT)
    assert sent_at == [0.0, 50.0]


def test_a_clock_that_is_set_forward_sends_nothing_more_and_loses_no_order(
    account: Any, toy: Any, no_backoff: None
) -> None:
    """As after the machine was suspended: the monotonic clock stood still."""
    with time_machine.travel(timezone.now(), tick=False) as clock:

        def hook(_: Any) -> None:
            toy.on_create = None
            clock.shift(HOUR)
            raise NotSent("refused")

        toy.on_create = staticmethod(hook)
        with pytest.raises(TimeIsUp):
            book(account.company, DRAFT)
        assert toy.booked == []
        assert book(account.company, DRAFT).status_code == 201
    assert toy.booked == ["A-1"]


@JUMPS
def test_no_order_is_released_while_its_call_may_still_be_answered(
    account: Any, toy: Any, jump: dt.timedelta
) -> None:
    operator = make_staff()

    def hook(_: Any) -> None:
        Shipment.objects.update(status="in_doubt")
        with clock_off_by(jump), pytest.raises(TooEarly):
            release(Shipment.objects.get().pk, actor=operator, reason="not in the panel")
        # The database's clock is set forward instead, and the lease seems to be over.
        Shipment.objects.update(lease_expires_at=F("lease_expires_at") - HOUR)
        with pytest.raises(TooEarly):
            release(Shipment.objects.get().pk, actor=operator, reason="not in the panel")

    toy.on_create = staticmethod(hook)
    assert book(account.company, DRAFT).status_code == 201
    assert CourierCall.objects.get().outcome == "ok"


def test_a_database_whose_clock_is_set_back_delays_new_work_by_a_sweep_and_not_by_an_hour(
    account: Any, able: Any
) -> None:
    bulk_jobs.create_job(account.company, requests_for(DRAFT))
    manifests.create_for_shipments(account, make_shipments(account, 1))
    for model in (BulkOrder, BulkTurn, ManifestChunk):
        model._default_manager.update(next_attempt_at=F("next_attempt_at") + HOUR)
    assert bulk_turns.take_turn() is None
    assert not manifests.due_chunks().exists()
    assert tasks.sweep_jobs()
    assert tasks.sweep_manifests() == 1
    assert bulk_turns.take_turn() is not None


def test_a_callback_that_came_before_the_databases_clock_was_set_back_is_applied_by_a_sweep(
    account: Any, shipment: Shipment
) -> None:
    send(account, {"id": shipment.tracking_id, "status": "picked_up", "hour": 1})
    WebhookEvent.objects.update(next_attempt_at=F("next_attempt_at") + HOUR)
    assert process_batch().claimed == 0
    assert inbox_tasks.sweep_inbox() == 1


def test_a_sweep_brings_no_pause_forward(account: Any, toy: Any, able: Any) -> None:
    able.on_call["create_manifest"] = raising(NotSent("refused", retry_after=1000))
    manifest = manifests.create_for_shipments(account, make_shipments(account, 1)).manifest
    manifests.make_chunk(manifest.chunks.get().pk)
    toy.on_create = raising(NotDone("busy", retry_after=110))
    job = bulk_jobs.create_job(account.company, requests_for(DRAFT))
    bulk_jobs.book_due_orders(job.pk, seconds=9)
    assert not tasks.sweep_jobs()
    assert tasks.sweep_manifests() == 0


def test_a_sweep_brings_no_callback_forward_that_is_tried_again_later(account: Any) -> None:
    send(account, {"id": "LATER", "status": "picked_up", "hour": 1})
    assert process_batch().waiting == 1
    WebhookEvent.objects.update(next_attempt_at=timezone.now() + HOUR)
    assert inbox_tasks.sweep_inbox() == 0
