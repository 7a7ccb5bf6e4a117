"""A cancelled job: what has not begun is skipped, what is under way ends, and nothing is lost."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections import Counter
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from couriers.booking import bulk_jobs
from couriers.booking.bulk_retry import retry_order
from couriers.contract.errors import CircuitOpen, NotSent, Unknown
from couriers.models import AuditEntry, BulkJob, BulkOrder, CompanyApiKey, Shipment
from tests.support.drafts import DRAFT, draft_with, raising, requests_for
from tests.support.factories import CompanyFactory, CourierAccountFactory, ShipmentFactory
from tests.support.threads import run_at_once

pytestmark = pytest.mark.django_db(transaction=True)


def make_job(account: Any, count: int) -> BulkJob:
    drafts = [draft_with(order_number=f"C-{number:03d}") for number in range(count)]
    return bulk_jobs.create_job(account.company, requests_for(*drafts))


def cancel(client: Client, job: BulkJob) -> Any:
    answer = client.post(f"/api/v1/jobs/{job.pk}/cancel/")
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_what_has_not_begun_is_skipped_with_the_reason_and_its_request_erased(
    storefront: Client, account: Any, toy: Any
) -> None:
    job = make_job(account, 3)
    answer = cancel(storefront, job)
    assert (answer["state"], answer["counts"]["skipped"]) == ("done", 3)
    assert answer["cancelled_at"]
    rows = BulkOrder.objects.all()
    assert {(row.outcome, row.request) for row in rows} == {("skipped", "")}
    assert {row.reason for row in rows} == {"the job was cancelled before the order had begun"}
    assert bulk_jobs.book_due_orders(job.pk, seconds=5) is None
    assert toy.booked == []
    assert cancel(storefront, job) == answer
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.object_key, entry.company) == (
        "cancel_job", job.pk, account.company,
    )  # fmt: skip
    assert entry.actor_name == f"API key {CompanyApiKey.objects.get().prefix}"


def test_a_job_that_has_ended_stays_as_it_is(storefront: Client, account: Any) -> None:
    job = make_job(account, 2)
    bulk_jobs.book_due_orders(job.pk, seconds=5)
    answer = cancel(storefront, job)
    assert (answer["counts"]["booked"], answer["cancelled_at"]) == (2, None)
    assert not AuditEntry.objects.exists()


def test_a_test_order_of_the_same_number_does_not_count_as_begun(
    storefront: Client, account: Any, toy: Any
) -> None:
    job = make_job(account, 1)
    tried = CourierAccountFactory(company=account.company, courier=account.courier, is_test=True)
    number = BulkOrder.objects.get().order_number
    ShipmentFactory(account=tried, is_test=True, order_number=number, direction="forward")
    assert cancel(storefront, job)["counts"]["skipped"] == 1


def test_another_companys_job_is_a_404(storefront: Client, account: Any) -> None:
    job = BulkJob.objects.create(company=CompanyFactory(), total=1)
    assert storefront.post(f"/api/v1/jobs/{job.pk}/cancel/").status_code == 404
    job.refresh_from_db()
    assert job.cancelled_at is None


def test_an_order_under_way_ends_and_the_job_with_it(
    storefront: Client, account: Any, toy: Any, settings: Any
) -> None:
    settings.SHIPCROWD = settings.SHIPCROWD | {"BULK_THREADS": 1}
    job = make_job(account, 2)
    answers = []
    toy.on_create = staticmethod(lambda _: answers.append(cancel(storefront, job)))
    assert bulk_jobs.book_due_orders(job.pk, seconds=5) is None
    assert (answers[0]["state"], answers[0]["counts"]["pending"]) == ("pending", 1)
    assert toy.booked == ["C-000"]
    job.refresh_from_db()
    outcomes = list(job.orders.values_list("outcome", flat=True))
    assert (job.state, outcomes) == ("done", ["booked", "skipped"])


@pytest.mark.parametrize("error", [NotSent("no line", retry_after=9), CircuitOpen("open")])
def test_an_order_that_certainly_is_not_booked_is_skipped(
    storefront: Client, account: Any, toy: Any, error: Exception
) -> None:
    job = make_job(account, 1)
    toy.on_create = raising(error)
    bulk_jobs.book_due_orders(job.pk, seconds=5)
    assert BulkOrder.objects.get().reason
    assert cancel(storefront, job)["counts"]["skipped"] == 1


def test_an_order_that_is_put_off_after_the_cancellation_is_skipped(
    storefront: Client, account: Any, toy: Any
) -> None:
    job = make_job(account, 1)

    def fail_once_cancelled(_: Any) -> None:
        cancel(storefront, job)
        raise NotSent("no line", retry_after=60)

    toy.on_create = staticmethod(fail_once_cancelled)
    assert bulk_jobs.book_due_orders(job.pk, seconds=5) is None
    assert BulkOrder.objects.get().outcome == "skipped"
    assert BulkJob.objects.get().state == "done"


def test_an_order_whose_worker_died_is_not_called_skipped(
    storefront: Client, account: Any, toy: Any
) -> None:
    """Its call may have booked: it ends as what it is, once the lease has run out."""
    job = make_job(account, 2)
    BulkOrder.objects.filter(position=0).update(
        lease_expires_at=timezone.now() - dt.timedelta(seconds=1)
    )
    answer = cancel(storefront, job)
    assert (answer["state"], answer["counts"]["skipped"]) == ("pending", 1)
    assert bulk_jobs.book_due_orders(job.pk, seconds=5) is None
    assert list(job.orders.values_list("outcome", flat=True)) == ["booked", "skipped"]


def test_an_order_that_a_dead_worker_left_in_flight_is_waited_for(
    storefront: Client, account: Any, toy: Any
) -> None:
    toy.on_create = raising(Unknown("lost"))
    job = make_job(account, 1)
    stored = job.orders.get().request
    bulk_jobs.book_due_orders(job.pk, seconds=5)
    BulkOrder.objects.update(
        outcome="pending", finished_at=None, reason="in flight", request=stored
    )
    BulkJob.objects.update(state="pending", finished_at=None)
    assert cancel(storefront, job)["counts"]["pending"] == 1
    bulk_jobs.book_due_orders(job.pk, seconds=5)
    assert BulkOrder.objects.get().outcome == "in_doubt"


def test_workers_end_what_a_cancellation_that_was_cut_off_left(account: Any, toy: Any) -> None:
    job = make_job(account, 2)
    BulkJob.objects.update(cancelled_at=timezone.now())
    assert bulk_jobs.book_due_orders(job.pk, seconds=5) is None
    assert toy.booked == []
    assert set(job.orders.values_list("outcome", flat=True)) == {"skipped"}


def test_a_failed_order_of_a_cancelled_job_is_not_booked_once_more(account: Any) -> None:
    job = bulk_jobs.create_job(account.company, requests_for(DRAFT))
    BulkOrder.objects.update(outcome="failed", finished_at=timezone.now())
    BulkJob.objects.update(cancelled_at=timezone.now())
    assert not retry_order(job.orders.get().pk)
    assert job.orders.get().outcome == "failed"


@pytest.mark.parametrize("delay", [0.0, 0.1, 0.3])
def test_cancelling_while_workers_book_loses_and_repeats_nothing(
    account: Any, toy: Any, settings: Any, delay: float
) -> None:
    """Four workers, two cancellations at once, and calls that fail half of the time."""
    settings.SHIPCROWD = settings.SHIPCROWD | {"BULK_THREADS": 3}
    calls: Counter[str] = Counter()
    lock = threading.Lock()

    def create(request: Any) -> None:
        with lock:
            calls[request.order_number] += 1
            fails = sum(calls.values()) % 2
        time.sleep(0.005)
        if fails:
            raise NotSent("no line", retry_after=0)

    toy.on_create = staticmethod(create)
    job = make_job(account, 60)
    turns = iter(range(6))

    def work() -> None:
        with lock:
            turn = next(turns)
        if turn < 2:
            time.sleep(delay)
            bulk_jobs.cancel_job(BulkJob.objects.get())
        else:
            bulk_jobs.book_due_orders(job.pk, seconds=1)

    run_at_once(work, 6)
    bulk_jobs.book_due_orders(job.pk, seconds=5)
    job.refresh_from_db()
    outcomes = dict(job.orders.values_list("order_number", "outcome"))
    booked = {number for number, outcome in outcomes.items() if outcome == "booked"}
    assert set(outcomes.values()) <= {"booked", "skipped"}
    assert (job.state, sorted(toy.booked)) == ("done", sorted(booked))
    live = Shipment.objects.live()
    assert set(live.values_list("order_number", flat=True)) == booked
    assert len(booked) < 60
