"""Polling: shipments without recent scans, each asked about once, at the permitted rate."""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management.base import CommandError
from django.db import OperationalError
from django.utils import timezone

from couriers import tasks
from couriers.contract.errors import (
    CircuitOpen,
    NotFound,
    NotSent,
    RateLimited,
    TooManyRequests,
    Unknown,
)
from couriers.contract.statuses import STATUS_FACTS, Status
from couriers.contract.types import Limit, Tracking
from couriers.contract.types import Scan as TypesScan
from couriers.models import CourierAccount, Scan, Shipment
from couriers.resilience import rate_limit, waits
from couriers.tracking import poll_feed, poller, polling
from couriers.tracking.polling import Polled
from sandbox.process import SandboxProcess
from tests.support.commands import run_json
from tests.support.drafts import raising
from tests.support.factories import CourierAccountFactory, WarehouseFactory
from tests.support.parcels import make_shipments
from tests.support.sandboxes import sandbox_fixture
from tests.support.threads import run_at_once
from tests.support.toy import MAPPER

pytestmark = pytest.mark.django_db(transaction=True)

TWO_DAYS_AGO = timezone.now() - dt.timedelta(days=2)


def due_shipments(account: Any, count: int, **more: Any) -> list[str]:
    ids = make_shipments(
        account, count, **{"status": "picked_up", "tracked_at": TWO_DAYS_AGO} | more
    )
    Shipment.objects.filter(pk__in=ids).update(created_at=TWO_DAYS_AGO)
    return ids


def poll(
    account: CourierAccount, threads: int = 4, silence: float = 3600, seconds: float = float("inf")
) -> Counter[Polled]:
    counts: Counter[Polled] = Counter()

    def done(outcome: Polled) -> None:
        counts[outcome] += 1

    cutoff = polling.poll_cutoff(silence)
    polling.poll(account, cutoff=cutoff, threads=threads, seconds=seconds, done=done)
    return counts


def test_only_shipments_under_way_without_recent_scans_are_polled(account: Any, able: Any) -> None:
    polled = due_shipments(account, 1)
    polled += due_shipments(account, 1, tracked_at=None)
    make_shipments(account, 1, status="picked_up", tracked_at=timezone.now())
    make_shipments(account, 1, status="booked")  # created just now: no scan is expected yet
    for status in Status:
        if STATUS_FACTS[status].terminal:
            due_shipments(account, 1, status=status)
    for status in ("booking", "in_doubt", "failed"):
        more = {"lease_expires_at": timezone.now()} if status == "booking" else {}
        due_shipments(account, 1, status=status, tracking_id="", **more)
    cutoff = polling.poll_cutoff(3600)
    assert set(polling.due_for_poll(cutoff).values_list("pk", flat=True)) == set(polled)
    assert [a.pk for a in polling.accounts_to_poll(cutoff)] == [account.pk]
    assert poll(account) == {Polled.MOVED: 2}
    assert Shipment.objects.filter(pk__in=polled, status="in_transit").count() == 2


@pytest.mark.slow
def test_many_threads_and_processes_poll_each_shipment_once(account: Any, able: Any) -> None:
    due_shipments(account, 450)
    totals = run_at_once(lambda: poll(account, 8).total(), 3)
    assert sum(totals) == 450
    assert Counter(t for _, t in able.asked).most_common(1)[0][1] == 1


def test_a_polled_shipment_is_due_again_only_after_the_silence(account: Any, able: Any) -> None:
    old = poll_the_same_scan(account, able)
    assert poll(account) == {Polled.UNCHANGED: 1}
    assert poll(account) == {}
    Shipment.objects.update(polled_at=TWO_DAYS_AGO)
    assert poll(account) == {Polled.UNCHANGED: 1}
    assert Scan.objects.count() == 1
    assert Shipment.objects.get().tracked_at == old


def poll_the_same_scan(account: Any, able: Any) -> dt.datetime:
    """Make a shipment whose courier answers with the same scan each time; return its time."""
    due_shipments(account, 1, status="in_transit")
    scan = TypesScan(MAPPER.map("in_transit"), TWO_DAYS_AGO, "PUNE")
    able.on_call["track_shipment"] = lambda t: Tracking(t, (scan,))
    return TWO_DAYS_AGO


def test_a_run_ends_even_without_a_silence(account: Any, able: Any) -> None:
    due_shipments(account, 5)
    assert poll(account, silence=0) == {Polled.MOVED: 5}


def test_a_shipment_that_failed_is_counted_and_due_in_the_next_run(
    account: Any, able: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("couriers.tracking.poll_feed.time.sleep", lambda _: None)
    due_shipments(account, 2)
    able.on_call["track_shipment"] = raising(Unknown("read time-out"))
    assert poll(account) == {Polled.FAILED: 2}
    assert len(able.asked) == 6  # a read may be repeated
    able.on_call["track_shipment"] = raising(NotSent("refused"), times=2)
    assert poll(account) == {Polled.MOVED: 2}


def test_a_429_is_retried_after_its_retry_after(
    account: Any, able: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("couriers.tracking.poll_feed.time.sleep", pauses.append)
    due_shipments(account, 1)
    able.on_call["track_shipment"] = raising(TooManyRequests("429", retry_after=7), times=1)
    assert poll(account, threads=1) == {Polled.MOVED: 1}
    assert pauses == [7]


def test_a_pause_beyond_the_end_of_the_run_ends_it_and_all_stay_due(
    account: Any, able: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waits, "MAX_LONG_WAIT", 0.1)
    due_shipments(account, 4)
    rate_limit.pause(account.pk, "track", 3600)  # as a 429 with Retry-After does
    able.on_call["track_shipment"] = lambda _: rate_limit.acquire(account.pk, "track", Limit(10, 1))
    began = time.monotonic()
    assert poll(account, threads=2, seconds=30) == {}
    assert time.monotonic() - began < 10
    assert not Shipment.objects.filter(polled_at__isnull=False).exists()


def test_shipments_that_always_fail_do_not_keep_others_from_being_polled(
    account: Any, able: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(poller, "TRIES", 1)
    due_shipments(account, 6)
    every = list(Shipment.objects.order_by("pk").values_list("tracking_id", flat=True))
    bad = every[:3]
    now = [0.0]
    clock = SimpleNamespace(monotonic=lambda: now[0])
    monkeypatch.setattr(polling, "time", clock)
    monkeypatch.setattr(poll_feed, "time", clock)

    def hook(tracking_id: str) -> None:
        now[0] += 1
        if tracking_id in bad:
            raise Unknown("500")

    able.on_call["track_shipment"] = hook
    for _ in range(4):
        poll(account, threads=1, seconds=2)  # time for two
    assert {tracking_id for _, tracking_id in able.asked} == set(every)


@pytest.mark.parametrize("attempts", [-1, 40_000])
def test_an_impossible_number_of_attempts_is_ignored(
    account: Any, able: Any, attempts: int
) -> None:
    due_shipments(account, 1)
    scan = TypesScan(MAPPER.map("in_transit"), timezone.now())
    able.on_call["track_shipment"] = lambda t: Tracking(t, (scan,), attempts=attempts)
    assert poll(account) == {Polled.MOVED: 1}
    assert Shipment.objects.get().delivery_attempts is None


def test_an_error_of_the_plug_in_fails_only_that_shipment(
    account: Any, able: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("couriers.tracking.polling.time.sleep", lambda _: None)
    due_shipments(account, 5)
    able.on_call["track_shipment"] = raising(KeyError("scans"), times=3)  # and it is repeated
    assert poll(account, threads=1) == {Polled.FAILED: 1, Polled.MOVED: 4}
    assert poll(account) == {Polled.MOVED: 1}


def test_an_unreachable_database_ends_the_run(
    account: Any, able: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    due_shipments(account, 5)
    able.on_call["track_shipment"] = raising(OperationalError("away"))
    with pytest.raises(OperationalError):
        poll(account, threads=1)
    assert len(able.asked) == 1


def test_an_unknown_tracking_id_is_counted_and_changes_nothing(account: Any, able: Any) -> None:
    due_shipments(account, 1)
    able.on_call["track_shipment"] = raising(NotFound("no such id"))
    assert poll(account) == {Polled.NOT_FOUND: 1}
    assert Shipment.objects.get().status == "picked_up"


def test_an_open_circuit_ends_the_run_and_the_rest_stay_due(account: Any, able: Any) -> None:
    due_shipments(account, 300)
    able.on_call["track_shipment"] = raising(CircuitOpen("failing", retry_after=60))
    counts = poll(account, threads=2)
    assert set(counts) == {Polled.FAILED}
    assert counts.total() <= 2
    assert not Shipment.objects.filter(polled_at__isnull=False).exists()


def test_the_command_counts_outcomes_and_can_be_repeated(
    account: Any, able: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("couriers.tracking.poll_feed.time.sleep", lambda _: None)
    other = CourierAccountFactory(courier=account.courier)
    WarehouseFactory(company=other.company)
    due_shipments(account, 3)
    due_shipments(other, 2)
    assert run_json("sync_tracking", "--company", account.company.slug) == {
        "shipments": 3, "moved": 3, "unchanged": 0, "not_found": 0, "failed": 0,
    }  # fmt: skip
    assert run_json("sync_tracking")["shipments"] == 2
    assert run_json("sync_tracking")["shipments"] == 0
    due_shipments(account, 1)
    able.on_call["track_shipment"] = raising(Unknown("lost"))
    run_json("sync_tracking", code=3)
    for flags in (["--workers", "0"], ["--minutes", "-1"], ["--company", "nobody"]):
        with pytest.raises(CommandError):
            run_json("sync_tracking", *flags)


def test_the_tasks_poll_every_account(
    account: Any, able: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[Any] = []
    monkeypatch.setattr(tasks.sync_account, "apply_async", lambda args, **_: sent.append(args))
    due_shipments(account, 3)
    for _ in range(2):  # a second beat sends no second task
        assert tasks.sync_tracking() == 1
    assert len(sent) == 1
    tasks.sync_account(*sent[0])
    tasks.sync_account("acc_gone")
    assert Shipment.objects.filter(status="in_transit").count() == 3
    assert len(sent) == 1  # nothing is left to poll


def test_an_account_is_polled_in_slices_which_others_come_between(
    account: Any, able: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[Any] = []
    monkeypatch.setattr(
        tasks.sync_account, "apply_async", lambda args, **options: sent.append((args, options))
    )
    monkeypatch.setattr(tasks, "SYNC_SLICE", 0.0)
    due_shipments(account, 3)
    tasks.sync_account(account.pk)
    (args, options), sent[:] = sent[0], []
    assert args == (account.pk, tasks.SYNC_SLICES - 1)
    assert options["countdown"] == 0
    tasks.sync_account(account.pk, 1)  # the last slice
    assert sent == []


def test_a_slice_that_would_wait_too_long_for_the_limiter_is_sent_again_after_that_time(
    account: Any, able: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[Any] = []
    monkeypatch.setattr(
        tasks.sync_account, "apply_async", lambda args, **options: sent.append(options)
    )
    able.on_call["track_shipment"] = raising(RateLimited("used up", retry_after=40))
    due_shipments(account, 3)
    tasks.sync_account(account.pk)
    assert [options["countdown"] for options in sent] == [40]


sandbox = sandbox_fixture("--hold")


@pytest.mark.slow
def test_polling_keeps_95_per_cent_of_the_permitted_rate_and_stays_within_it(
    company: Any, sandbox: SandboxProcess, order: Any
) -> None:
    """Against a real HTTP server. The limiter's permits are timed."""
    from couriers.api.serializers import ShipmentDraftSerializer
    from couriers.booking.protocol import book

    limit = Limit(20, 1)
    CourierAccountFactory(
        company=company,
        base_url=sandbox.url,
        limits={
            "create_shipment": {"count": 1000, "window": 1},
            "track": {"count": limit.count, "window": limit.window},
        },
    )
    for number in range(120):
        draft = ShipmentDraftSerializer(
            data=order | {"courier": "ekart", "order_number": str(number)}
        )
        draft.is_valid(raise_exception=True)
        book(company, draft.draft())
    Shipment.objects.update(created_at=TWO_DAYS_AGO)
    permits: list[float] = []
    acquire = rate_limit.acquire

    def timed_acquire(owner: str, operation: str, given: Limit, **options: Any) -> None:
        acquire(owner, operation, given, **options)
        if operation == "track":
            permits.append(time.monotonic())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rate_limit, "acquire", timed_acquire)
        counts = run_json("sync_tracking")
    assert (counts["shipments"], counts["failed"]) == (120, 0)
    permits.sort()
    rate = (len(permits) - 1) / (permits[-1] - permits[0])
    assert rate >= 0.95 * limit.count / limit.window, rate
    # No window has more calls than permitted. A thread takes some time to wake up.
    for first, last in zip(permits, permits[limit.count :], strict=False):
        assert last - first >= 0.95 * limit.window
    assert rate <= 1.01 * limit.count / limit.window
    assert sandbox.state()["calls"]["track"] == 120
