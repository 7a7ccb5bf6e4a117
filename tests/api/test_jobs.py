"""Jobs over the API: the list with its filters, the orders of a job by page and as CSV."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from couriers.booking import bulk_jobs
from couriers.contract.errors import Rejected
from couriers.models import BulkJob, BulkOrder
from tests.support.api import job_orders
from tests.support.drafts import draft_with, raising, requests_for
from tests.support.factories import CompanyFactory

pytestmark = pytest.mark.django_db(transaction=True)

JOBS = "/api/v1/jobs/"


def make_job(company: Any, *numbers: str) -> BulkJob:
    return bulk_jobs.create_job(
        company, requests_for(*(draft_with(order_number=number) for number in numbers))
    )


def ids(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [job["id"] for job in answer.json()["results"]]


def test_the_list_has_the_companys_jobs_newest_first_with_their_counts(
    storefront: Client, account: Any
) -> None:
    old, new = make_job(account.company, "A-1", "A-2"), make_job(account.company, "B-1")
    make_job(CompanyFactory(), "C-1")
    bulk_jobs.book_due_orders(old.pk, seconds=5)
    answer = storefront.get(JOBS)
    assert ids(answer) == sorted([old.pk, new.pk], reverse=True)
    counts = {job["id"]: job["counts"] for job in answer.json()["results"]}
    assert (counts[old.pk]["booked"], counts[new.pk]["pending"]) == (2, 1)
    assert all(sum(job["counts"].values()) == job["total"] for job in answer.json()["results"])


def test_the_list_is_filtered_by_state_and_time_and_paged(storefront: Client, account: Any) -> None:
    jobs = [make_job(account.company, f"A-{n}") for n in range(3)]
    bulk_jobs.book_due_orders(jobs[0].pk, seconds=5)
    BulkJob.objects.filter(pk=jobs[1].pk).update(created_at=timezone.now() - dt.timedelta(days=2))
    assert ids(storefront.get(f"{JOBS}?state=done")) == [jobs[0].pk]
    yesterday = (timezone.now() - dt.timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert ids(storefront.get(f"{JOBS}?created_before={yesterday}")) == [jobs[1].pk]
    assert set(ids(storefront.get(f"{JOBS}?created_after={yesterday}&state=pending"))) == {
        jobs[2].pk
    }
    answer = storefront.get(f"{JOBS}?page_size=2")
    rest = storefront.get(answer.json()["next"])
    assert sorted([*ids(answer), *ids(rest)]) == sorted(job.pk for job in jobs)
    assert rest.json()["next"] is None


@pytest.mark.parametrize(
    ("query", "field"),
    [("state=nope", "state"), ("state=done&state=pending", "state"),
     ("created_after=x", "created_after"), ("cursor=shp_1", "cursor"),
     ("outcome=booked", "outcome")],
)  # fmt: skip
def test_a_filter_of_the_list_that_is_not_understood_is_named(
    storefront: Client, account: Any, query: str, field: str
) -> None:
    answer = storefront.get(f"{JOBS}?{query}")
    assert answer.status_code == 400
    assert [problem["field"] for problem in answer.json()["errors"]] == [field]


def test_the_orders_of_a_job_are_paged_as_they_were_sent(storefront: Client, account: Any) -> None:
    numbers = [f"Z-{n}" for n in (5, 3, 9, 1, 7)]
    job = make_job(account.company, *numbers)
    url = f"{JOBS}{job.pk}/"
    found = []
    following = f"{url}orders/?page_size=2"
    sizes = []
    while following:
        body = storefront.get(following).json()
        sizes.append(len(body["results"]))
        found += [order["order_number"] for order in body["results"]]
        following = body["next"]
    assert (found, sizes) == (numbers, [2, 2, 1])


def test_the_orders_are_filtered_by_one_outcome_or_several(
    storefront: Client, account: Any, toy: Any
) -> None:
    job = make_job(account.company, "A-1", "A-2", "A-3")
    BulkOrder.objects.filter(position=1).update(outcome="rejected", finished_at=timezone.now())
    BulkOrder.objects.filter(position=2).update(outcome="failed", finished_at=timezone.now())
    url = f"{JOBS}{job.pk}/orders/"

    def numbers(query: str) -> list[str]:
        return [one["order_number"] for one in storefront.get(f"{url}?{query}").json()["results"]]

    assert numbers("outcome=rejected") == ["A-2"]
    assert numbers("outcome=rejected&outcome=failed") == ["A-2", "A-3"]
    assert numbers("outcome=booked") == []
    page = storefront.get(f"{url}?outcome=rejected&outcome=failed&page_size=1").json()
    assert [one["order_number"] for one in storefront.get(page["next"]).json()["results"]] == [
        "A-3"
    ]
    report = storefront.get(f"{url}?outcome=failed", headers={"Accept": "text/csv"})
    assert report.content.decode().splitlines()[1:] == ["A-3,failed,,,,"]


@pytest.mark.parametrize(
    ("query", "field"),
    [("outcome=nope", "outcome"), ("outcome=", "outcome"), ("cursor=-1", "cursor"),
     ("cursor=" + "9" * 11, "cursor"), ("page_size=201", "page_size"), ("state=done", "state")],
)  # fmt: skip
def test_a_filter_of_the_orders_that_is_not_understood_is_named(
    storefront: Client, account: Any, query: str, field: str
) -> None:
    job = make_job(account.company, "A-1")
    answer = storefront.get(f"{JOBS}{job.pk}/orders/?{query}")
    assert answer.status_code == 400
    assert [problem["field"] for problem in answer.json()["errors"]] == [field]


def test_the_report_has_the_columns_of_the_command_and_no_formula(
    storefront: Client, account: Any, toy: Any
) -> None:
    job = make_job(account.company, "A-1", "=1+1")
    toy.on_create = raising(Rejected("no", courier_message="@ no"), times=1)
    bulk_jobs.book_due_orders(job.pk, seconds=9)
    answer = storefront.get(f"{JOBS}{job.pk}/orders/", headers={"Accept": "text/csv"})
    head, *lines = answer.content.decode().splitlines()
    assert head == "order_number,outcome,courier,tracking_id,shipment_id,reason"
    assert [line.split(",")[0] for line in lines] == ["A-1", "'=1+1"]
    orders = job_orders(storefront, f"{JOBS}{job.pk}/")
    by_outcome = {order["outcome"]: order for order in orders}
    assert set(by_outcome) == {"booked", "rejected"}
    assert by_outcome["booked"]["tracking_id"] in answer.content.decode()
    assert by_outcome["booked"]["shipment"] in answer.content.decode()


def test_the_report_has_no_pages(storefront: Client, account: Any) -> None:
    job = make_job(account.company, "A-1")
    answer = storefront.get(f"{JOBS}{job.pk}/orders/?page_size=5", headers={"Accept": "text/csv"})
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["errors"] == [{"field": "page_size", "message": "CSV has no pages"}]


@pytest.mark.parametrize("path", ["", "orders/", "cancel/"])
def test_another_companys_job_is_a_404(storefront: Client, account: Any, path: str) -> None:
    job = make_job(CompanyFactory(), "A-1")
    send = storefront.post if path == "cancel/" else storefront.get
    assert send(f"{JOBS}{job.pk}/{path}").status_code == 404
