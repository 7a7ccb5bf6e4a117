"""Claims: each row goes to one worker, an abandoned one to the next, and pauses grow."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from couriers.models import BulkJob, BulkOrder
from couriers.models.claims import (
    DoublingPauses,
    back_off,
    claim,
    due,
    lock_rows,
    seconds_from_now,
    unclaimed,
)
from couriers.resilience.threads import call_in_parallel

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def rows(company: Any) -> list[BulkOrder]:
    """Ten orders of a job, all due."""
    job = BulkJob.objects.create(company=company, total=10)
    made = [BulkOrder(job=job, position=n, order_number=f"A-{n}") for n in range(10)]
    return BulkOrder.objects.bulk_create(made)


def claim_some(limit: int) -> list[int]:
    free = BulkOrder.objects.filter(due(), unclaimed()).order_by("position")
    taken = claim(free, limit=limit, lease_expires_at=seconds_from_now(60))
    return [row.position for row in taken]


def test_a_row_is_claimed_once_in_the_order_that_was_asked_for(rows: list[BulkOrder]) -> None:
    assert claim_some(4) == [0, 1, 2, 3]
    assert claim_some(100) == [4, 5, 6, 7, 8, 9]
    assert claim_some(1) == []
    leases = BulkOrder.objects.values_list("lease_expires_at", flat=True)
    assert all(lease and lease > timezone.now() for lease in leases)


def test_workers_at_the_same_moment_claim_different_rows(rows: list[BulkOrder]) -> None:
    claimed = call_in_parallel([lambda: claim_some(3)] * 4, name="test")
    positions = [position for one in claimed for position in one]
    assert len(positions) == len(set(positions))


def test_a_lease_that_has_run_out_is_claimed_again_and_can_be_recognised(
    rows: list[BulkOrder],
) -> None:
    claim_some(10)
    ended = timezone.now() - dt.timedelta(seconds=1)
    BulkOrder.objects.filter(position=7).update(lease_expires_at=ended)
    free = BulkOrder.objects.filter(due(), unclaimed())
    (taken,) = claim(free, limit=5, lease_expires_at=seconds_from_now(60))
    assert (taken.position, taken.lease_expires_at) == (7, ended)


def test_a_row_is_not_due_before_its_next_attempt(rows: list[BulkOrder]) -> None:
    BulkOrder.objects.exclude(position=3).update(next_attempt_at=seconds_from_now(60))
    assert claim_some(10) == [3]


def test_a_locked_row_is_passed_over_until_the_transaction_ends(rows: list[BulkOrder]) -> None:
    ordered = BulkOrder.objects.order_by("position")
    with transaction.atomic():
        assert [row.position for row in lock_rows(ordered, limit=2)] == [0, 1]
        (beside,) = call_in_parallel([lambda: claim_some(1)], name="test")
        assert beside == [2]
    assert claim_some(1) == [0]
    assert not connection.in_atomic_block


@pytest.mark.parametrize(
    ("failures", "longest"), [(0, 10), (1, 10), (2, 20), (3, 40), (4, 60), (5, 60), (5000, 60)]
)
def test_pauses_double_up_to_the_longest(failures: int, longest: float) -> None:
    pauses = [back_off(failures, DoublingPauses(10, 60)) for _ in range(50)]
    assert 0.75 * longest <= min(pauses) < max(pauses) <= longest


@pytest.mark.parametrize(("failures", "pause"), [(0, 1), (1, 1), (2, 5), (3, 30), (4, 30)])
def test_pauses_follow_a_table_and_stay_at_its_end(failures: int, pause: float) -> None:
    assert back_off(failures, (1, 5, 30)) == pause


def test_a_longer_delay_that_the_courier_names_is_kept() -> None:
    assert back_off(1, DoublingPauses(10, 60), retry_after=777) == 777
    assert back_off(1, (10,), retry_after=3) == 10
