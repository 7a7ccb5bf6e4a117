"""Jobs of bulk bookings: the orders of one request, which workers book with the bulk engine.

A job keeps its orders in PostgreSQL, encrypted until they have ended. One bad order ends alone.
"""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cryptography.fernet import InvalidToken
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from pydantic import TypeAdapter

from couriers.booking.bulk import OrderResult, TryAgain, book_order
from couriers.conf import tunables
from couriers.contract import india
from couriers.contract.errors import FieldProblem, InvalidRequest
from couriers.contract.logs import get_logger
from couriers.contract.text import make_storable
from couriers.contract.types import ShipmentDraft
from couriers.models import BulkJob, BulkOrder, Company
from couriers.models.claims import claim, due, seconds_from_now, unclaimed
from couriers.models.fields import MAX_ERROR_TEXT
from couriers.models.job import JobState, OrderOutcome
from couriers.models.transactions import refuse_open_transaction
from couriers.resilience.threads import run_in_threads

log = get_logger(__name__)

REBOOK_REMEDY = "; to book it once more, book it on its own with an Idempotency-Key"
_DRAFTS = TypeAdapter(ShipmentDraft)


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """One order of a request for a job. Without a draft it is rejected for its `problems`.

    `order_number` is as it was sent, "" where it cannot be read.
    """

    order_number: str
    draft: ShipmentDraft | None
    problems: tuple[FieldProblem, ...] = ()


def check_count(orders: int) -> None:
    """Raise InvalidRequest for no orders, or more than BULK_MAX_ORDERS."""
    most = tunables().BULK_MAX_ORDERS
    if not 0 < orders <= most:
        raise InvalidRequest([FieldProblem("orders", f"must be 1 to {most}")])


def create_job(
    company: Company, orders: Sequence[OrderRequest], *, key: str = "", fingerprint: str = ""
) -> BulkJob:
    """Store a job with its orders, which `book_due_orders` books.

    An order without a draft has ended already, as rejected. So have all orders that share a number.
    Raises InvalidRequest for no orders or too many, and IntegrityError if the company has a job
    with the key.
    """
    check_count(len(orders))
    now = timezone.now()
    with transaction.atomic():
        job = BulkJob.objects.create(
            company=company, total=len(orders), idempotency_key=key, fingerprint=fingerprint
        )
        BulkOrder.objects.bulk_create(
            _new_order(job, number, order, now)
            for number, order in enumerate(_refuse_shared_numbers(orders))
        )
    return job


def _refuse_shared_numbers(orders: Sequence[OrderRequest]) -> Iterator[OrderRequest]:
    """Yield the orders, those with a number that another one has without their draft."""
    counts = Counter(order.order_number for order in orders if order.order_number)
    for order in orders:
        if counts[order.order_number] > 1:
            problem = FieldProblem("order_number", "is also that of another order of this request")
            yield OrderRequest(order.order_number, None, (*order.problems, problem))
        else:
            yield order


def _new_order(job: BulkJob, number: int, order: OrderRequest, now: dt.datetime) -> BulkOrder:
    row = BulkOrder(job=job, position=number, order_number=make_storable(order.order_number)[:100])
    if order.draft is not None:
        row.request = _DRAFTS.dump_json(order.draft).decode()
        return row
    row.outcome = OrderOutcome.REJECTED
    row.problems = _problems_json(order.problems)
    row.reason = str(InvalidRequest(order.problems))[:MAX_ERROR_TEXT]
    row.finished_at = now
    return row


def book_due_orders(job_id: str, *, seconds: float) -> float | None:
    """Book due orders of a job in BULK_THREADS threads, starting none after `seconds`.

    Returns the seconds until the next order is due, or None once the job has ended. Raises
    InsideTransaction if a transaction is open.
    """
    refuse_open_transaction("book_due_orders()")
    job = BulkJob.objects.select_related("company").filter(pk=job_id).first()
    if job is None or job.state == JobState.DONE:
        return None
    deadline = time.monotonic() + seconds

    def take() -> BulkOrder | None:
        return _claim(job) if time.monotonic() < deadline else None

    threads = min(tunables().BULK_THREADS, job.total)
    run_in_threads(take, lambda order: _book_claimed(job, order), threads=threads, name="bulk")
    return _finish(job)


def stranded_jobs() -> QuerySet[BulkJob]:
    """Return the jobs with due orders, or none left, that no worker has; the oldest first."""
    pending = BulkOrder.objects.filter(job=OuterRef("pk"), outcome=OrderOutcome.PENDING)
    return BulkJob.objects.filter(
        Exists(pending.filter(due())) | ~Exists(pending),
        ~Exists(pending.exclude(unclaimed())),
        state=JobState.PENDING,
    ).order_by("id")


def _claim(job: BulkJob) -> BulkOrder | None:
    orders = BulkOrder.objects.filter(due(), unclaimed(), job=job, outcome=OrderOutcome.PENDING)
    lease_end = seconds_from_now(tunables().BULK_LEASE)
    # The request is read when its order is booked: one that cannot be decrypted ends that order.
    rows = orders.defer("request").order_by("position")
    return next(iter(claim(rows, limit=1, lease_expires_at=lease_end)), None)


def _book_claimed(job: BulkJob, order: BulkOrder) -> None:
    # A lease is left by a worker that died, a reason by a try that was put off.
    tried_before = order.lease_expires_at is not None or order.reason != ""
    answer = book_order(
        job.company,
        order.order_number,
        lambda: _read(order),
        tries=order.tries,
        tried_since=job.created_at if tried_before else None,
    )
    if isinstance(answer, TryAgain):
        _put_off(order, answer)
    else:
        _end(order, answer)


def _read(order: BulkOrder) -> ShipmentDraft | OrderResult:
    """Return the stored draft, or the result of an order that this process cannot decrypt."""
    try:
        return _DRAFTS.validate_json(order.request)
    except InvalidToken:
        log.error("bulk_order_unreadable", job=order.job_id, position=order.position)
        return OrderResult(
            OrderOutcome.FAILED,
            reason="the stored order cannot be read, since it was encrypted with another key: "
            "hand it in again",
        )


def stored_phone(order: BulkOrder) -> str:
    """Return the consignee's ten digits in the request of an order that has not ended, or "".

    Raises InvalidToken where FERNET_KEYS lack its key.
    """
    if not order.request:
        return ""
    return india.parse_phone(_DRAFTS.validate_json(order.request).consignee.phone) or ""


def _put_off(order: BulkOrder, answer: TryAgain) -> None:
    _pending(order).update(
        tries=answer.tries,
        reason=make_storable(answer.reason)[:MAX_ERROR_TEXT],
        lease_expires_at=None,
        next_attempt_at=seconds_from_now(answer.seconds),
    )


def _end(order: BulkOrder, result: OrderResult) -> None:
    remedy = REBOOK_REMEDY if result.may_be_rebooked else ""
    _pending(order).update(
        outcome=result.outcome,
        reason=make_storable(result.reason + remedy)[:MAX_ERROR_TEXT],
        problems=_problems_json(result.problems),
        shipment=result.shipment,
        request="",
        lease_expires_at=None,
        finished_at=timezone.now(),
    )


def _problems_json(problems: Sequence[FieldProblem]) -> list[dict[str, str]]:
    return [
        {"field": make_storable(p.field), "message": make_storable(p.message)} for p in problems
    ]


def _pending(order: BulkOrder) -> QuerySet[BulkOrder]:
    return BulkOrder.objects.filter(pk=order.pk, outcome=OrderOutcome.PENDING)


def _finish(job: BulkJob) -> float | None:
    pending = BulkOrder.objects.filter(job=job, outcome=OrderOutcome.PENDING)
    times = pending.order_by("next_attempt_at").values_list("next_attempt_at", flat=True)
    next_attempt_at = times.first()
    if next_attempt_at is None:
        BulkJob.objects.filter(pk=job.pk, state=JobState.PENDING).update(
            state=JobState.DONE, finished_at=timezone.now()
        )
        return None
    return max(1.0, (next_attempt_at - timezone.now()).total_seconds())
