"""A failed order of a bulk job is booked once more, as it was handed in."""

from __future__ import annotations

from typing import Any

import pytest

from couriers.booking.bulk_jobs import OrderRequest, create_job
from couriers.booking.bulk_retry import retry_order
from couriers.booking.protocol import book
from couriers.contract.errors import CourierDisabled
from couriers.models import BulkJob, BulkOrder, BulkTurn
from couriers.operations.erasure_requests import ErasureRequest, FoundBy, erase_requested
from couriers.tasks import run_bulk
from tests.support.drafts import DRAFT, raising

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def failed(account: Any, toy: Any) -> BulkOrder:
    create_job(account.company, [OrderRequest.of(DRAFT)])
    toy.on_create = raising(CourierDisabled("switched off"))
    run_bulk()
    toy.on_create = None
    order = BulkOrder.objects.get()
    assert order.outcome == "failed"
    return order


def test_it_is_booked_and_its_request_erased(failed: BulkOrder, toy: Any) -> None:
    BulkTurn.objects.all().delete()
    assert retry_order(failed.pk)
    assert not retry_order(failed.pk)
    assert BulkJob.objects.get().state == "pending"
    run_bulk()
    failed.refresh_from_db()
    assert (failed.outcome, failed.request) == ("booked", "")
    assert BulkJob.objects.get().state == "done"
    assert not retry_order(failed.pk)
    assert toy.booked == [DRAFT.order_number]


def test_one_that_was_booked_meanwhile_is_not_booked_twice(
    failed: BulkOrder, account: Any, toy: Any
) -> None:
    book(account.company, DRAFT)
    retry_order(failed.pk)
    run_bulk()
    failed.refresh_from_db()
    assert failed.outcome in ("booked", "already_booked")
    assert toy.booked == [DRAFT.order_number]


@pytest.mark.parametrize(
    ("found_by", "value"),
    [(FoundBy.ORDER, DRAFT.order_number), (FoundBy.PHONE, "9876543210")],
)
def test_the_request_of_a_failed_order_is_erased_on_demand(
    failed: BulkOrder, account: Any, found_by: FoundBy, value: str
) -> None:
    done = erase_requested(ErasureRequest(account.company, found_by, value))
    assert done.bulk_orders == 1
    failed.refresh_from_db()
    assert (failed.request, failed.reason) == ("", "")
    assert not retry_order(failed.pk)
