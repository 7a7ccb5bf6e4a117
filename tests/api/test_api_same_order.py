"""The order as the key, over the API: one booking, and a bulk request with a key of its own."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from couriers.booking.bulk_jobs import book_due_orders
from couriers.models import BulkJob, BulkOrder, Shipment
from tests.support.api import job_orders, post_shipment
from tests.support.factories import CompanyFactory
from tests.support.threads import run_at_once

BULK = "/api/v1/shipments/bulk/"


def post_bulk(client: Client, orders: list[Any], key: str | None = "k") -> Any:
    headers = {} if key is None else {"Idempotency-Key": key}
    body = json.dumps({"orders": orders})
    return client.post(BULK, body, content_type="application/json", headers=headers)


def test_an_order_with_other_content_is_422_naming_the_fields_as_sent(
    storefront: Client, account: Any, order: Any
) -> None:
    first = post_shipment(storefront, order).json()
    order["consignee"]["phone"] = "9123456780"
    order["items"][0]["quantity"] = 2
    order["warehouse"] = account.company.warehouses.get().pk
    answer = post_shipment(storefront, order)
    problem = answer.json()
    assert (answer.status_code, problem["type"]) == (422, "/problems/order-differs")
    assert problem["fields"] == ["consignee.phone", "items[].quantity", "warehouse"]
    assert (problem["shipment"], problem["shipment_status"]) == (first["id"], "booked")
    assert b"9123456780" not in answer.content


@pytest.mark.parametrize("status", ["cancelled", "rto_delivered", "lost"])
def test_an_order_that_has_ended_is_409_with_the_remedy(
    storefront: Client, account: Any, order: Any, status: str
) -> None:
    first = post_shipment(storefront, order).json()
    Shipment.objects.update(status=status)
    answer = post_shipment(storefront, order)
    problem = answer.json()
    assert (answer.status_code, problem["type"]) == (409, "/problems/order-ended")
    assert (problem["shipment"], problem["shipment_status"]) == (first["id"], status)
    assert "Idempotency-Key" in problem["detail"]
    assert post_shipment(storefront, order, **{"Idempotency-Key": "again"}).status_code == 201


@pytest.mark.django_db(transaction=True)
def test_an_ended_order_of_a_job_is_rejected_with_the_remedy(
    storefront: Client, account: Any, order: Any
) -> None:
    first = post_shipment(storefront, order).json()
    Shipment.objects.update(status="cancelled")
    job = post_bulk(storefront, [order]).json()
    book_due_orders(job["id"], seconds=9)
    (ended,) = job_orders(storefront, f"/api/v1/jobs/{job['id']}/")
    assert (ended["outcome"], ended["shipment"]) == ("rejected", None)
    assert first["id"] in ended["reason"]
    assert "cancelled" in ended["reason"]
    assert "Idempotency-Key" in ended["reason"]


@pytest.mark.django_db(transaction=True)
def test_an_order_of_a_job_with_other_content_is_rejected_naming_the_fields(
    storefront: Client, account: Any, order: Any
) -> None:
    post_shipment(storefront, order)
    order["consignee"]["name"] = "Ravi Other"
    job = post_bulk(storefront, [order]).json()
    book_due_orders(job["id"], seconds=9)
    (other,) = job_orders(storefront, f"/api/v1/jobs/{job['id']}/")
    assert (other["outcome"], other["errors"][0]["field"]) == ("rejected", "consignee.name")


def test_a_bulk_request_with_a_key_makes_one_job(
    storefront: Client, account: Any, order: Any
) -> None:
    first = post_bulk(storefront, [order])
    again = post_bulk(storefront, [order])
    assert (first.status_code, "Idempotent-Replayed" in first) == (202, False)
    assert (again.status_code, again["Idempotent-Replayed"]) == (202, "true")
    assert again["Location"] == first["Location"]
    assert BulkJob.objects.count() == 1
    other = post_bulk(storefront, [order | {"order_number": "B-2"}])
    assert (other.status_code, other.json()["type"]) == (422, "/problems/key-reused")
    assert post_bulk(storefront, [order], key=None)["Location"] != first["Location"]


def test_a_key_of_a_job_may_have_been_used_by_another_company(
    storefront: Client, account: Any, order: Any
) -> None:
    BulkJob.objects.create(company=CompanyFactory(), total=1, idempotency_key="k")
    assert "Idempotent-Replayed" not in post_bulk(storefront, [order])


@pytest.mark.django_db(transaction=True)
def test_a_bulk_request_that_comes_several_times_at_once_makes_one_job(
    storefront: Client, account: Any, order: Any
) -> None:
    answers = run_at_once(lambda: post_bulk(storefront, [order]), 4)
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer["Location"] for answer in answers}) == 1
    assert BulkOrder.objects.count() == 1
