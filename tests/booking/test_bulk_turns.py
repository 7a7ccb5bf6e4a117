"""Turns of bulk work: companies are served one after the other, each for a short slice."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from couriers import tasks
from couriers.booking import bulk_jobs, bulk_turns
from couriers.contract.errors import NotDone, RateLimited
from couriers.contract.platform_errors import TooManyJobs
from couriers.contract.types import Limit
from couriers.models import BulkJob, BulkOrder, BulkTurn, Company, CourierAccount
from couriers.resilience import once, rate_limit
from couriers.resilience.threads import call_in_parallel
from tests.support.drafts import draft_with, raising, requests_for
from tests.support.factories import CompanyFactory, CourierAccountFactory, WarehouseFactory

pytestmark = pytest.mark.django_db(transaction=True)

URL = "/api/v1/shipments/bulk/"


@pytest.fixture(autouse=True)
def queue(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The tasks that were sent and not run: run_bulk's options, the first sent first."""
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(
        tasks.run_bulk, "apply_async", lambda args, retry, producer, **options: sent.append(options)
    )
    return sent


@pytest.fixture
def neighbour(account: CourierAccount) -> Company:
    """A second company with an account at the same courier."""
    company = CompanyFactory()
    WarehouseFactory(company=company)
    CourierAccountFactory(company=company, courier=account.courier)
    return company


def make_job(company: Company, *numbers: str) -> BulkJob:
    drafts = [draft_with(order_number=number) for number in numbers]
    job = bulk_jobs.create_job(company, requests_for(*drafts))
    tasks.start_job(job)
    return job


def run_queued(queue: list[dict[str, Any]], times: int) -> None:
    """Do what a single worker does: run the task that was sent first, so many times."""
    for _ in range(times):
        if queue:
            queue.pop(0)
            tasks.run_bulk()


def post(client: Client, orders: Sequence[Any], key: str = "") -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    return client.post(
        URL, json.dumps({"orders": orders}), content_type="application/json", headers=headers
    )


def test_a_small_job_waits_for_one_slice_of_a_company_with_ten_jobs(
    account: CourierAccount, neighbour: Company, toy: Any, queue: list[Any], settings: Any
) -> None:
    settings.SHIPCROWD = settings.SHIPCROWD | {"BULK_SLICE": 0.2, "BULK_THREADS": 1}
    toy.on_create = staticmethod(lambda _: time.sleep(0.05))
    for n in range(10):
        make_job(account.company, *(f"big-{n}-{i}" for i in range(20)))
    run_queued(queue, 1)
    make_job(neighbour, "small-1", "small-2", "small-3")
    before = len(toy.booked)
    assert toy.booked == [f"big-0-{i}" for i in range(before)]
    run_queued(queue, 1)
    assert toy.booked[before] == "small-1"
    assert not any(number.startswith("big") for number in toy.booked[before:])
    run_queued(queue, 1)
    # The greedy company goes on with its oldest job.
    assert toy.booked[-1].startswith("big-0-")


def test_a_single_worker_that_runs_what_is_queued_finishes_all_jobs(
    account: CourierAccount, neighbour: Company, toy: Any, queue: list[Any]
) -> None:
    for n in range(5):
        make_job(account.company, f"a{n}")
        make_job(neighbour, f"b{n}")
    for _ in range(20):
        assert len(queue) <= 1
        run_queued(queue, 1)
    assert queue == []
    assert not BulkJob.objects.filter(state="pending").exists()
    # In turn, each company's oldest first.
    assert toy.booked == [f"{who}{n}" for n in range(5) for who in "ab"]


def test_a_company_has_one_slice_at_a_time_and_another_worker_takes_the_next_company(
    account: CourierAccount, neighbour: Company
) -> None:
    make_job(account.company, "a1", "a2")
    make_job(neighbour, "b1")
    first, second = bulk_turns.take_turn(), bulk_turns.take_turn()
    assert first is not None
    assert second is not None
    assert {first.company, second.company} == {account.company, neighbour}
    assert bulk_turns.take_turn() is None


def test_a_killed_workers_slice_is_taken_up_by_the_sweeper(
    account: CourierAccount, toy: Any, queue: list[Any]
) -> None:
    job = make_job(account.company, "a1", "a2")
    assert bulk_turns.take_turn() is not None  # its worker is killed
    queue.clear()
    once.release(tasks.RUN_QUEUED)
    assert not tasks.sweep_jobs()
    BulkTurn.objects.update(lease_expires_at=timezone.now())
    assert tasks.sweep_jobs()
    run_queued(queue, 5)
    job.refresh_from_db()
    assert (job.state, sorted(toy.booked)) == ("done", ["a1", "a2"])


def test_the_sweeper_serves_jobs_that_were_made_before_there_were_turns(
    account: CourierAccount, toy: Any, queue: list[Any]
) -> None:
    make_job(account.company, "a1")
    BulkTurn.objects.all().delete()
    queue.clear()
    once.release(tasks.RUN_QUEUED)
    assert tasks.sweep_jobs()
    run_queued(queue, 2)
    assert toy.booked == ["a1"]


def test_an_order_that_is_due_later_is_waited_for_without_a_slice(
    account: CourierAccount, toy: Any, queue: list[Any]
) -> None:
    toy.on_create = raising(NotDone("busy", retry_after=50))
    make_job(account.company, "a1")
    run_queued(queue, 1)
    assert queue.pop(0) == {}  # another company could have had work
    assert 45 < queue.pop(0)["countdown"] <= 50
    tasks.run_bulk()
    assert queue == []


def test_an_order_waits_for_the_rate_limiter_no_longer_than_a_slice(
    account: CourierAccount, toy: Any, settings: Any
) -> None:
    settings.SHIPCROWD = settings.SHIPCROWD | {"BULK_SLICE": 0.5}
    rate_limit.acquire("a", "create", Limit(1, 20))
    toy.on_create = staticmethod(lambda _: rate_limit.acquire("a", "create", Limit(1, 20)))
    make_job(account.company, "a1")
    turn = bulk_turns.take_turn()
    assert turn is not None
    began = time.monotonic()
    delay = bulk_turns.serve(turn)
    assert time.monotonic() - began < 5
    assert delay is not None
    assert 15 < delay <= 20
    assert (BulkOrder.objects.get().outcome, BulkOrder.objects.get().tries) == ("pending", 0)


def test_a_used_up_limit_ends_the_slice_and_the_other_orders_follow_soon(
    account: CourierAccount, toy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_jobs, "MAX_HELD_BACK", 4)
    toy.on_create = raising(RateLimited("used up", retry_after=100))
    make_job(account.company, *(f"a{n}" for n in range(20)))
    turn = bulk_turns.take_turn()
    assert turn is not None
    assert bulk_turns.serve(turn) == 1.0
    tried = BulkOrder.objects.exclude(reason="").count()
    assert 4 <= tried < 12  # each of the threads may have begun one more
    assert bulk_turns.take_turn() is None
    BulkTurn.objects.update(next_attempt_at=timezone.now())
    toy.on_create = None
    turn = bulk_turns.take_turn()
    assert turn is not None
    bulk_turns.serve(turn)
    assert len(toy.booked) == 20 - tried


def test_a_company_with_too_many_open_jobs_is_refused_with_a_remedy_and_known_keys_answered(
    storefront: Client, account: CourierAccount, order: dict[str, Any], settings: Any
) -> None:
    settings.SHIPCROWD = settings.SHIPCROWD | {"BULK_MAX_OPEN_JOBS": 2}
    orders = [[order | {"order_number": f"a{n}"}] for n in range(3)]
    first = post(storefront, orders[0], "one")
    assert post(storefront, orders[1], "two").status_code == 202
    refused = post(storefront, orders[2], "three")
    assert (refused.status_code, refused["Retry-After"]) == (429, "60")
    problem = refused.json()
    assert problem["type"].endswith("/too-many-jobs")
    assert "2 bulk jobs are open" in problem["detail"]
    again = post(storefront, orders[0], "one")
    assert (again.status_code, again["Idempotent-Replayed"]) == (202, "true")
    assert again.json()["id"] == first.json()["id"]
    assert BulkJob.objects.count() == 2
    bulk_jobs.book_due_orders(first.json()["id"], seconds=9)
    assert post(storefront, orders[2], "three").status_code == 202


def test_another_companys_jobs_do_not_count(
    account: CourierAccount, neighbour: Company, settings: Any
) -> None:
    settings.SHIPCROWD = settings.SHIPCROWD | {"BULK_MAX_OPEN_JOBS": 1}
    make_job(account.company, "a1")
    make_job(neighbour, "b1")
    with pytest.raises(TooManyJobs):
        make_job(neighbour, "b2")


def test_two_requests_at_once_do_not_both_take_the_last_place(
    account: CourierAccount, settings: Any
) -> None:
    settings.SHIPCROWD = settings.SHIPCROWD | {"BULK_MAX_OPEN_JOBS": 1}

    def try_to_make(number: str) -> bool:
        try:
            bulk_jobs.create_job(account.company, requests_for(draft_with(order_number=number)))
        except TooManyJobs:
            return False
        return True

    calls = [lambda n=n: try_to_make(f"a{n}") for n in range(6)]
    assert call_in_parallel(calls, name="post").count(True) == 1
    assert BulkJob.objects.count() == 1


def test_a_request_that_is_being_read_lets_the_companys_other_requests_pass(
    account: CourierAccount,
) -> None:
    begun, passed = threading.Event(), threading.Event()

    def orders() -> Iterator[bulk_jobs.OrderRequest]:
        yield from requests_for(draft_with(order_number="slow-1"))
        begun.set()
        assert passed.wait(20)
        yield from requests_for(draft_with(order_number="slow-2"))

    def pass_by() -> BulkJob:
        assert begun.wait(20)
        job = make_job(account.company, "quick")
        passed.set()
        return job

    slow, quick = call_in_parallel(
        [lambda: bulk_jobs.create_job(account.company, orders()), pass_by], name="post"
    )
    assert (slow.total, quick.total) == (2, 1)
