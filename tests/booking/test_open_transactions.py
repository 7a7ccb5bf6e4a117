"""Nothing that calls a courier runs inside a transaction: a rollback would lose the booking."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client

from couriers.booking import bulk, bulk_jobs
from couriers.booking.protocol import book
from couriers.booking.returns import ReturnDraft, book_return
from couriers.booking.stored_drafts import items_json
from couriers.fulfilment import actions, manifests
from couriers.models import CourierCall, IdempotencyKey, ManifestChunk, Shipment
from couriers.models.transactions import InsideTransaction
from tests.support.drafts import DRAFT, draft_with, raising, requests_for
from tests.support.factories import ShipmentFactory

pytestmark = pytest.mark.django_db(transaction=True)


def refusal_of(call: Callable[[], Any]) -> str:
    """Make the call inside a transaction; return the text of the error that it raises."""
    with pytest.raises(InsideTransaction) as caught, transaction.atomic():
        call()
    return str(caught.value)


def test_a_booking_inside_a_transaction_is_refused_before_anything_is_written_or_sent(
    account: Any, toy: Any
) -> None:
    refusal = refusal_of(lambda: book(account.company, DRAFT))
    assert refusal.startswith("book() was called inside a database transaction")
    assert "transaction.on_commit()" in refusal
    assert toy.booked == []
    assert not Shipment.objects.exists()
    assert not IdempotencyKey.objects.exists()


def test_a_booking_without_autocommit_is_refused(account: Any, toy: Any) -> None:
    transaction.set_autocommit(False)
    try:
        with pytest.raises(InsideTransaction):
            book(account.company, DRAFT)
    finally:
        transaction.rollback()
        transaction.set_autocommit(True)
    assert toy.booked == []


def test_a_booking_after_the_commit_is_made(account: Any, toy: Any) -> None:
    with transaction.atomic():
        transaction.on_commit(lambda: book(account.company, DRAFT))
    assert toy.booked == ["A-1"]


def test_a_return_inside_a_transaction_is_refused(account: Any, toy: Any) -> None:
    original = ShipmentFactory(
        account=account, warehouse=account.company.warehouses.get(), status="delivered",
        items=items_json(DRAFT.items),
    )  # fmt: skip
    draft = ReturnDraft(return_reason="too small", order_number="R-1")
    assert refusal_of(lambda: book_return(account.company, original, draft))
    assert toy.booked == []


def test_a_bulk_order_inside_a_transaction_is_refused_and_has_not_failed(
    account: Any, toy: Any
) -> None:
    assert "book_order()" in refusal_of(
        lambda: bulk.book_order(account.company, "A-1", lambda: DRAFT)
    )
    job = bulk_jobs.create_job(account.company, requests_for(DRAFT, draft_with(order_number="A-2")))
    assert "book_due_orders()" in refusal_of(lambda: bulk_jobs.book_due_orders(job.pk, seconds=5))
    assert toy.booked == []
    assert set(job.orders.values_list("outcome", flat=True)) == {"pending"}


def test_an_action_inside_a_transaction_is_refused_before_the_courier_is_called(
    account: Any, able: Any
) -> None:
    shipment = ShipmentFactory(account=account, warehouse=account.company.warehouses.get())
    assert "cancel_shipment was called" in refusal_of(lambda: actions.cancel(shipment))
    assert able.asked == []
    assert not CourierCall.objects.exists()


def test_a_chunk_of_a_manifest_is_not_made_inside_a_transaction(account: Any, able: Any) -> None:
    shipment = ShipmentFactory(account=account, warehouse=account.company.warehouses.get())
    manifests.create_for_shipments(account, [shipment.pk])
    chunk = ManifestChunk.objects.get()
    assert "make_chunk()" in refusal_of(lambda: manifests.make_chunk(chunk.pk))
    assert able.asked == []
    assert ManifestChunk.objects.get().attempts == 0


@pytest.fixture
def atomic_requests() -> Iterator[None]:
    """A host project that wraps each request in a transaction."""
    connection.settings_dict["ATOMIC_REQUESTS"] = True
    yield
    connection.settings_dict["ATOMIC_REQUESTS"] = False


@pytest.mark.usefixtures("atomic_requests")
def test_the_api_books_in_a_project_with_atomic_requests(
    storefront: Client, account: Any, order: Any
) -> None:
    answer = storefront.post("/api/v1/shipments/", order, content_type="application/json")
    assert answer.status_code == 201


@pytest.mark.usefixtures("atomic_requests")
def test_the_api_keeps_what_it_stored_before_an_error_in_a_project_with_atomic_requests(
    storefront: Client, account: Any, order: Any, toy: Any
) -> None:
    toy.on_create = raising(RuntimeError("a fault in the plug-in"))
    answer = storefront.post("/api/v1/shipments/", order, content_type="application/json")
    assert answer.status_code == 202
    assert Shipment.objects.get().status == "in_doubt"
