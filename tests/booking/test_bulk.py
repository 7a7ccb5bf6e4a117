"""Bulk jobs: each order is booked once and reported, and the consignee's data is erased."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone

from couriers import tasks
from couriers.booking import bulk, bulk_jobs, bulk_turns
from couriers.booking.protocol import book
from couriers.contract.errors import (
    CircuitOpen,
    CourierError,
    FieldProblem,
    InvalidRequest,
    NotSent,
    RateLimited,
    Rejected,
    Unknown,
)
from couriers.models import BulkJob, BulkOrder, Courier, IdempotencyKey, Shipment
from couriers.resilience import once
from tests.support.api import job_orders
from tests.support.drafts import DRAFT, draft_with, raising, requests_for
from tests.support.factories import CompanyFactory

pytestmark = pytest.mark.django_db(transaction=True)

URL = "/api/v1/shipments/bulk/"


@pytest.fixture(autouse=True)
def no_worker(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Collect the tasks instead of sending them. Each test does the worker's part itself."""
    sent: list[Any] = []
    monkeypatch.setattr(
        tasks.run_bulk, "apply_async", lambda args, **options: sent.append((args, options))
    )
    return sent


def orders_of(order: dict[str, Any], *numbers: str) -> list[dict[str, Any]]:
    return [order | {"order_number": number} for number in numbers]


def post(client: Client, orders: Any) -> Any:
    return client.post(URL, json.dumps({"orders": orders}), content_type="application/json")


def outcomes(client: Client, url: str) -> dict[str, str]:
    return {o["order_number"]: o["outcome"] for o in job_orders(client, url)}


def test_each_order_of_a_job_ends_with_its_own_outcome(
    storefront: Client, account: Any, toy: Any, order: Any, no_worker: list[Any]
) -> None:
    post(storefront, orders_of(order, "old"))
    bulk_jobs.book_due_orders(BulkJob.objects.get().pk, seconds=9)
    endings = {"refused": Rejected("no", courier_message="Wallet is empty"), "lost": Unknown("x")}

    def hook(request: Any) -> None:
        if request.order_number in endings:
            raise endings[request.order_number]

    toy.on_create = staticmethod(hook)
    bad = order | {"order_number": "bad", "consignee": order["consignee"] | {"phone": "12"}}
    alien = order | {"order_number": "alien", "courier": "dhl"}
    changed = order | {"order_number": "changed"}
    book(account.company, draft_with(order_number="changed"))
    answer = post(
        storefront, [*orders_of(order, "a", "old", "refused", "lost"), bad, alien, changed]
    )
    assert answer.status_code == 202, answer.content
    url = answer["Location"]
    assert answer.json()["counts"]["pending"] == 7
    (arguments, options) = no_worker[-1]
    assert (arguments, options["retry"]) == ((), False)
    assert bulk_jobs.book_due_orders(url.split("/")[-2], seconds=9) is None
    assert outcomes(storefront, url) == {
        "a": "booked", "old": "already_booked", "refused": "rejected", "lost": "in_doubt",
        "bad": "rejected", "alien": "rejected", "changed": "rejected",
    }  # fmt: skip
    job = storefront.get(url).json()
    assert (job["state"], sum(job["counts"].values()), job["total"]) == ("done", 7, 7)
    by_number = {o["order_number"]: o for o in job_orders(storefront, url)}
    assert [e["field"] for e in by_number["bad"]["errors"]] == ["consignee.phone"]
    assert [e["field"] for e in by_number["alien"]["errors"]] == ["courier"]
    assert "Wallet is empty" in by_number["refused"]["reason"]
    assert by_number["a"]["tracking_id"].startswith("TOY")
    assert by_number["lost"]["shipment"].startswith("shp_")


def test_a_job_that_is_run_or_sent_again_books_nothing_twice(
    storefront: Client, account: Any, toy: Any, order: Any
) -> None:
    numbers = [f"B-{n}" for n in range(12)]
    urls = [post(storefront, orders_of(order, *numbers))["Location"] for _ in range(2)]
    for url in (*urls, *urls):
        bulk_jobs.book_due_orders(url.split("/")[-2], seconds=9)
    assert sorted(toy.booked) == sorted(numbers)
    assert storefront.get(urls[0]).json()["counts"]["booked"] == 12
    assert storefront.get(urls[1]).json()["counts"]["already_booked"] == 12


def test_the_consignees_data_is_encrypted_and_erased_once_settled(
    storefront: Client, account: Any, order: Any
) -> None:
    job = post(storefront, orders_of(order, "a")).json()["id"]

    def stored() -> str:
        with connection.cursor() as cursor:
            cursor.execute("SELECT t::text FROM shipcrowd_couriers_bulkorder t")
            return str(cursor.fetchall())

    assert "Secret Lane" in BulkOrder.objects.get().request
    assert "Secret Lane" not in stored()
    assert "98765" not in stored()
    bulk_jobs.book_due_orders(job, seconds=9)
    assert BulkOrder.objects.get().request == ""


def test_an_order_that_was_not_booked_is_retried_and_fails_after_the_last_try(
    storefront: Client, account: Any, toy: Any, order: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "MAX_TRIES", 3)

    toy.on_create = raising(NotSent("refused", retry_after=50))
    url = post(storefront, orders_of(order, "a"))["Location"]
    job = url.split("/")[-2]
    for _ in range(2):
        delay = bulk_jobs.book_due_orders(job, seconds=9)
        assert delay is not None
        assert 45 < delay <= 50
        BulkOrder.objects.update(next_attempt_at=timezone.now())
    assert bulk_jobs.book_due_orders(job, seconds=9) is None
    assert outcomes(storefront, url) == {"a": "failed"}
    assert Shipment.objects.get().attempt == 3


def test_switched_off_couriers_fail_at_once(storefront: Client, account: Any, order: Any) -> None:
    Courier.objects.update(is_enabled=False)
    url = post(storefront, orders_of(order, "a"))["Location"]
    assert bulk_jobs.book_due_orders(url.split("/")[-2], seconds=9) is None
    assert outcomes(storefront, url) == {"a": "failed"}


def test_the_sweeper_sends_a_task_for_a_job_that_no_worker_has(
    storefront: Client, account: Any, order: Any, no_worker: list[Any]
) -> None:
    job = post(storefront, orders_of(order, "a", "b")).json()["id"]
    once.release(tasks.RUN_QUEUED)
    no_worker.clear()
    BulkOrder.objects.update(lease_expires_at=timezone.now() + dt.timedelta(seconds=60))
    assert not tasks.sweep_jobs()
    BulkOrder.objects.update(lease_expires_at=timezone.now())
    assert tasks.sweep_jobs()
    assert len(no_worker) == 1
    bulk_jobs.book_due_orders(job, seconds=9)
    assert not tasks.sweep_jobs()


def test_a_broker_that_is_down_loses_no_job(
    storefront: Client, account: Any, order: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kombu.exceptions import OperationalError

    def down(*_: Any, **__: Any) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(tasks.run_bulk, "apply_async", down)
    assert post(storefront, orders_of(order, "a")).status_code == 202
    assert bulk_turns.has_work()


@pytest.mark.parametrize("orders", [[], {}, "a", None, [{}] * 10_001])
def test_a_request_without_orders_or_with_too_many_is_refused(
    storefront: Client, account: Any, orders: Any
) -> None:
    answer = post(storefront, orders)
    assert (answer.status_code, len(answer.content) < 1000) == (400, True)
    assert [problem["field"] for problem in answer.json()["errors"]] == ["orders"]
    assert not BulkJob.objects.exists()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda o: o | {"order_number": "x" * 101}, "order_number"),
        (lambda o: o | {"surprise": 1}, "surprise"),
        (lambda o: o | {"consignee": {}}, "consignee.name"),
        (lambda o: o | {"cod_amount": "NaN"}, "cod_amount"),
        (lambda o: "an order", "order"),
    ],
)
def test_a_malformed_order_is_rejected_alone(
    storefront: Client, account: Any, order: Any, change: Any, field: str
) -> None:
    url = post(storefront, [change(order), order | {"order_number": "fine"}])["Location"]
    bulk_jobs.book_due_orders(url.split("/")[-2], seconds=9)
    job = storefront.get(url).json()
    bad, fine = job_orders(storefront, url)
    assert (bad["outcome"], fine["outcome"], job["state"]) == ("rejected", "booked", "done")
    assert bad["errors"][0]["field"] == field
    assert field in bad["reason"]


def test_orders_that_share_a_number_are_all_rejected(
    storefront: Client, account: Any, order: Any, toy: Any
) -> None:
    url = post(storefront, orders_of(order, "same", "other", "same"))["Location"]
    bulk_jobs.book_due_orders(url.split("/")[-2], seconds=9)
    orders = job_orders(storefront, url)
    assert [o["outcome"] for o in orders] == ["rejected", "booked", "rejected"]
    assert [e["field"] for e in orders[0]["errors"]] == ["order_number"]
    assert toy.booked == ["other"]


def test_a_job_with_too_many_orders_is_refused(
    storefront: Client, account: Any, order: Any, settings: Any
) -> None:
    settings.SHIPCROWD = settings.SHIPCROWD | {"BULK_MAX_ORDERS": 2}
    answer = post(storefront, orders_of(order, "a", "b", "c"))
    assert answer.json()["errors"] == [{"field": "orders", "message": "must be 1 to 2"}]
    assert post(storefront, orders_of(order, "a", "b")).status_code == 202


def test_another_companys_job_is_a_404_and_a_job_is_read_in_three_statements(
    storefront: Client, account: Any, order: Any, django_assert_max_num_queries: Any
) -> None:
    other = BulkJob.objects.create(company=CompanyFactory(), total=1)
    assert storefront.get(f"/api/v1/jobs/{other.pk}/").status_code == 404
    url = post(storefront, orders_of(order, *map(str, range(30))))["Location"]
    for path in (url, f"{url}orders/", "/api/v1/jobs/"):
        with django_assert_max_num_queries(3):
            assert storefront.get(path).status_code == 200


@pytest.mark.slow
def test_hundreds_of_orders_are_booked_once_each(
    storefront: Client, account: Any, toy: Any, order: Any
) -> None:
    numbers = [f"B-{n:04d}" for n in range(300)]
    answer = post(storefront, orders_of(order, *numbers))
    assert answer.status_code == 202
    while bulk_jobs.book_due_orders(answer.json()["id"], seconds=60):
        pass
    assert sorted(toy.booked) == numbers
    assert storefront.get(answer["Location"]).json()["counts"]["booked"] == 300


def work(times: int = 1) -> BulkOrder:
    """Run the only job this number of times, and return its only order."""
    for _ in range(times):
        bulk_jobs.book_due_orders(BulkJob.objects.get().pk, seconds=9)
        BulkOrder.objects.filter(outcome="pending").update(next_attempt_at=timezone.now())
    return BulkOrder.objects.get()


def test_a_job_ends_even_if_its_worker_failed_before_finishing_it(
    account: Any, toy: Any, no_worker: list[Any], monkeypatch: Any
) -> None:
    def fail(_: BulkJob) -> None:
        raise OperationalError("restarting")

    job = bulk_jobs.create_job(account.company, requests_for(DRAFT))
    with monkeypatch.context() as patch:
        patch.setattr(bulk_jobs, "_finish", fail)
        with pytest.raises(OperationalError):
            tasks.run_bulk()  # a failed task is acknowledged
    assert BulkOrder.objects.get().outcome == "booked"
    assert tasks.sweep_jobs()
    tasks.run_bulk()
    assert BulkJob.objects.get(pk=job.pk).state == "done"
    assert not tasks.sweep_jobs()


def test_an_order_that_is_in_doubt_already_is_reported_in_doubt(account: Any, toy: Any) -> None:
    toy.on_create = raising(Unknown("lost"))
    shipment = book(account.company, DRAFT, key="by hand").shipment
    bulk_jobs.create_job(account.company, requests_for(DRAFT))
    order = work()
    assert (order.outcome, order.shipment_id) == ("in_doubt", shipment.pk)


def test_an_order_in_flight_is_tried_again(account: Any, toy: Any) -> None:
    shipment = book(account.company, DRAFT, key="by hand").shipment
    lease = timezone.now() + dt.timedelta(minutes=1)
    Shipment.objects.update(status="booking", lease_expires_at=lease)
    IdempotencyKey.objects.update(response_status=None, response_body=None)
    bulk_jobs.create_job(account.company, requests_for(DRAFT))
    assert work().outcome == "pending"
    Shipment.objects.update(status="booked", lease_expires_at=None)
    order = work()
    assert (order.outcome, order.shipment_id) == ("already_booked", shipment.pk)


def test_the_limiter_and_an_open_circuit_use_up_no_tries(account: Any, toy: Any) -> None:
    bulk_jobs.create_job(account.company, requests_for(DRAFT))
    for error in (RateLimited("used up", retry_after=40), CircuitOpen("failing", retry_after=60)):
        toy.on_create = raising(error)
        assert work(bulk.MAX_TRIES + 2).outcome == "pending"
    toy.on_create = None
    assert work().outcome == "booked"


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (Rejected("no", courier_message="a\x00b"), "rejected"),
        (InvalidRequest([FieldProblem("options", "has a\x00b")]), "rejected"),
        (NotSent("a\x00b"), "pending"),
    ],
)
def test_a_reason_that_contains_nul_is_stored_without_it(
    account: Any, toy: Any, no_backoff: None, error: CourierError, outcome: str
) -> None:
    toy.on_create = raising(error)
    bulk_jobs.create_job(account.company, requests_for(DRAFT))
    order = work()
    assert order.outcome == outcome
    assert "ab" in order.reason
