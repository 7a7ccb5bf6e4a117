"""Orders of a job that cannot be read end alone, and the job ends."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.db import connection

from couriers.booking import bulk_jobs
from couriers.models import BulkJob, BulkOrder
from tests.support.drafts import DRAFT, draft_with, requests_for

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_stored_order_that_cannot_be_read_fails(account: Any, toy: Any) -> None:
    bulk_jobs.create_job(account.company, requests_for(DRAFT))
    BulkOrder.objects.update(request=json.dumps({"courier": "toy"}))
    assert bulk_jobs.book_due_orders(BulkJob.objects.get().pk, seconds=9) is None
    order = BulkOrder.objects.get()
    assert (order.outcome, BulkJob.objects.get().state) == ("failed", "done")
    assert order.reason == "a fault of the platform, which is in its log"


def test_an_order_that_was_encrypted_with_another_key_fails_alone(account: Any, toy: Any) -> None:
    """It was written by a process with other FERNET_KEYS."""
    job = bulk_jobs.create_job(account.company, requests_for(DRAFT, draft_with(order_number="A-2")))
    foreign = Fernet(Fernet.generate_key()).encrypt(b"{}")
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {BulkOrder._meta.db_table} SET request = %s WHERE position = 0", [foreign]
        )
    assert bulk_jobs.book_due_orders(job.pk, seconds=9) is None
    job.refresh_from_db()
    rows = list(job.orders.defer("request").values_list("outcome", "reason"))
    assert (job.state, rows[1]) == ("done", ("booked", ""))
    assert rows[0][0] == "failed"
    assert "another key" in rows[0][1]
