"""Jobs of bulk bookings: the orders of one request, which workers book with the bulk engine.

A job keeps its orders in PostgreSQL, encrypted until they have ended. One bad order ends alone.
Which job is worked on, and for how long, is decided in bulk_turns.py.
"""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from django.db import transaction
from django.db.models import Exists, Min, OuterRef, QuerySet
from django.db.models.functions import Greatest, Now
from django.utils import timezone
from pydantic import TypeAdapter

from couriers.booking.bulk import OrderResult, TryAgain, book_order
from couriers.booking.bulk_skipping import skip_orders
from couriers.booking.bulk_words import reason_of
from couriers.booking.spreadsheet.cells import Cell
from couriers.booking.spreadsheet.drafting import SheetDraft
from couriers.conf import tunables
from couriers.contract import india
from couriers.contract.errors import FieldProblem, InvalidRequest
from couriers.contract.logs import get_logger
from couriers.contract.platform_errors import TooManyJobs, UnreadableValue
from couriers.contract.text import make_storable
from couriers.contract.types import ShipmentDraft
from couriers.models import BulkJob, BulkOrder, BulkTurn, Company
from couriers.models.audit import record
from couriers.models.claims import claim, due, seconds_from_now, unclaimed
from couriers.models.fields import MAX_ERROR_TEXT
from couriers.models.job import JobState, OrderOutcome
from couriers.models.transactions import refuse_open_transaction
from couriers.resilience.threads import run_in_threads

log = get_logger(__name__)

REBOOK_REMEDY = "to book it once more, book it on its own with an Idempotency-Key"
SHARED_NUMBER = FieldProblem("order_number", "is also that of another order of this request")
INSERTED_AT_ONCE = 200  # orders of a new job in one statement
# After so many calls in a row that the rate limiter or an open circuit held back, the company's
# other orders are not tried for HELD_BACK_PAUSE seconds.
MAX_HELD_BACK = 20
HELD_BACK_PAUSE = 1.0
OPEN_JOBS_RETRY_AFTER = 60  # seconds until a company with too many open jobs may ask again
_DRAFTS = TypeAdapter(SheetDraft)


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """One order of a request for a job: as it is stored, or how it has `ended` already.

    `order_number` is as it was sent, "" where it cannot be read.
    """

    order_number: str
    stored: str = ""
    ended: OrderResult | None = None

    @classmethod
    def of(cls, draft: ShipmentDraft, cells: Mapping[str, Cell] | None = None) -> OrderRequest:
        """Return the request for a draft. `cells` are those of a spreadsheet that it is from."""
        stored = _DRAFTS.dump_json(SheetDraft(draft, cells or {})).decode()
        return cls(draft.order_number, stored)

    @classmethod
    def rejected(cls, order_number: str, *problems: FieldProblem) -> OrderRequest:
        """Return the request for an order that is not valid, for these problems."""
        return cls(order_number, ended=_rejected(problems))


def _rejected(problems: Sequence[FieldProblem]) -> OrderResult:
    reason = str(InvalidRequest(problems))
    return OrderResult(OrderOutcome.REJECTED, reason=reason, problems=tuple(problems))


def check_count(orders: int) -> None:
    """Raise InvalidRequest for no orders, or more than BULK_MAX_ORDERS."""
    most = tunables().BULK_MAX_ORDERS
    if not 0 < orders <= most:
        raise InvalidRequest([FieldProblem("orders", f"must be 1 to {most}")])


def create_job(
    company: Company, orders: Iterable[OrderRequest], *,
    key: str = "", fingerprint: str = "", is_test: bool = False,
) -> BulkJob:  # fmt: skip
    """Store a job with its orders, which `book_due_orders` books in the job's mode.

    The orders are stored as they are read, so that few of them are in memory; where reading them
    raises an error, nothing is stored. All orders that share a number are rejected.
    Raises InvalidRequest for no orders or too many, TooManyJobs if the company has
    BULK_MAX_OPEN_JOBS open ones of the mode, and IntegrityError if it has a job with the key.
    """
    with transaction.atomic():
        check_open_jobs(company, is_test=is_test)
        job = BulkJob.objects.create(
            company=company, is_test=is_test, total=0, idempotency_key=key, fingerprint=fingerprint
        )
        numbers: Counter[str] = Counter()
        rows = enumerate(orders)
        while part := list(islice(rows, INSERTED_AT_ONCE)):
            numbers.update(order.order_number for _, order in part)
            BulkOrder.objects.bulk_create(_new_order(job, *each) for each in part)
        job.total = numbers.total()
        check_count(job.total)
        job.save(update_fields=["total"])
        _refuse_shared_numbers(job, numbers)
        # Two requests at once could both take the last place. The lock lets bookings go on, and is
        # taken last, so that the company's other requests do not wait while this one is read.
        Company.objects.select_for_update(no_key=True).only("pk").get(pk=company.pk)
        check_open_jobs(company, is_test=is_test, beside=job)
        BulkTurn.objects.bulk_create([BulkTurn(company=company)], ignore_conflicts=True)
    return job


def check_open_jobs(company: Company, *, is_test: bool, beside: BulkJob | None = None) -> None:
    """Raise TooManyJobs for BULK_MAX_OPEN_JOBS open jobs of the mode, `beside` not counted."""
    most = tunables().BULK_MAX_OPEN_JOBS
    jobs = BulkJob.objects.filter(company=company, is_test=is_test, state=JobState.PENDING)
    if (jobs.exclude(pk=beside.pk) if beside else jobs).count() >= most:
        raise TooManyJobs(most, retry_after=OPEN_JOBS_RETRY_AFTER)


def _refuse_shared_numbers(job: BulkJob, numbers: Counter[str]) -> None:
    """Reject the orders of a new job whose number several of its orders have."""
    shared = [number for number, count in numbers.items() if count > 1 and number]
    if shared:
        problems = (SHARED_NUMBER,)
        job.orders.filter(order_number__in=shared, outcome=OrderOutcome.PENDING).update(
            outcome=OrderOutcome.REJECTED,
            problems=_problems_json(problems),
            reason=str(InvalidRequest(problems)),
            request="",
            finished_at=timezone.now(),
        )


def _new_order(job: BulkJob, number: int, order: OrderRequest) -> BulkOrder:
    row = BulkOrder(job=job, position=number, order_number=make_storable(order.order_number)[:100])
    if order.ended is None:
        row.request = order.stored
        return row
    row.outcome = order.ended.outcome
    row.problems = _problems_json(order.ended.problems)
    row.reason = make_storable(order.ended.reason)[:MAX_ERROR_TEXT]
    row.finished_at = timezone.now()
    return row


def book_due_orders(job_id: str, *, seconds: float) -> float | None:
    """Book due orders of a job in BULK_THREADS threads, starting none after `seconds`.

    No order waits longer than `seconds` for the rate limiter. Returns the seconds until the next
    order is due, at least 1, or None once the job has ended. Raises InsideTransaction if a
    transaction is open.
    """
    refuse_open_transaction("book_due_orders()")
    job = BulkJob.objects.select_related("company").filter(pk=job_id).first()
    if job is None or job.state == JobState.DONE:
        return None
    if job.cancelled_at:
        skip_orders(BulkOrder.objects.filter(job=job), job)
    deadline = time.monotonic() + seconds
    stop, held_back = threading.Event(), _HeldBack()

    def take() -> BulkOrder | None:
        return _claim(job) if time.monotonic() < deadline else None

    def work(order: BulkOrder) -> None:
        if held_back.count(_book_claimed(job, order, longest_wait=seconds)) >= MAX_HELD_BACK:
            stop.set()

    threads = min(tunables().BULK_THREADS, job.total)
    run_in_threads(take, work, threads=threads, name="bulk", stop=stop)
    if stop.is_set():
        BulkTurn.objects.filter(company_id=job.company_id).update(
            next_attempt_at=seconds_from_now(HELD_BACK_PAUSE)
        )
    return _finish(job)


class _HeldBack:
    """Counts, for all threads of a slice, the calls in a row that were held back."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._in_a_row = 0

    def count(self, answer: OrderResult | TryAgain) -> int:
        """Count an order's answer; return how many calls in a row were held back."""
        is_held_back = isinstance(answer, TryAgain) and answer.held_back
        with self._lock:
            self._in_a_row = self._in_a_row + 1 if is_held_back else 0
            return self._in_a_row


def workable_jobs() -> QuerySet[BulkJob]:
    """Return the open jobs with an order that may be booked now, or with none left to book.

    The latter are to be ended. The oldest is first.
    """
    pending = BulkOrder.objects.filter(job=OuterRef("pk"), outcome=OrderOutcome.PENDING)
    return BulkJob.objects.filter(
        Exists(pending.filter(due(), unclaimed())) | ~Exists(pending), state=JobState.PENDING
    ).order_by("id")


def seconds_until_due(orders: QuerySet[BulkOrder]) -> float | None:
    """Return the seconds until one of the pending orders may be booked, or None without any.

    It is 0 or less where one may be booked now. An order with a worker may be once its lease ends.
    """
    pending = orders.filter(outcome=OrderOutcome.PENDING)
    # GREATEST ignores NULL in PostgreSQL.
    at = Greatest("next_attempt_at", "lease_expires_at")
    left: dt.timedelta | None = pending.aggregate(left=Min(at - Now()))["left"]
    return None if left is None else left.total_seconds()


def _claim(job: BulkJob) -> BulkOrder | None:
    orders = BulkOrder.objects.filter(due(), unclaimed(), job=job, outcome=OrderOutcome.PENDING)
    lease_end = seconds_from_now(tunables().BULK_LEASE)
    # The request is read when its order is booked: one that cannot be decrypted ends that order.
    rows = orders.defer("request").order_by("position")
    return next(iter(claim(rows, limit=1, lease_expires_at=lease_end)), None)


def _book_claimed(job: BulkJob, order: BulkOrder, *, longest_wait: float) -> OrderResult | TryAgain:
    # A lease is left by a worker that died, a reason by a try that was put off.
    tried_before = order.lease_expires_at is not None or order.reason != ""
    answer = book_order(
        job.company,
        order.order_number,
        lambda: _read(order),
        tries=order.tries,
        tried_since=job.created_at if tried_before else None,
        is_test=job.is_test,
        longest_wait=longest_wait,
    )
    if isinstance(answer, TryAgain):
        _put_off(order, answer)
        # Whoever cancels the job does not see an order that is put off in the same moment.
        skip_orders(_pending(order), job)
    else:
        _end(order, answer)
    return answer


def _read(order: BulkOrder) -> ShipmentDraft | OrderResult:
    """Return the stored draft, or the result of an order that this process cannot decrypt."""
    try:
        return _DRAFTS.validate_json(order.request).draft
    except UnreadableValue:
        log.error("bulk_order_unreadable", job=order.job_id, position=order.position)
        return OrderResult(
            OrderOutcome.FAILED,
            reason="the stored order cannot be read, since it was encrypted with another key: "
            "hand it in again",
        )


def stored_phone(order: BulkOrder) -> str:
    """Return the consignee's ten digits in the request of an order, "" where that is erased.

    Raises UnreadableValue where FERNET_KEYS lack its key.
    """
    if not order.request:
        return ""
    draft = _DRAFTS.validate_json(order.request).draft
    return india.parse_phone(draft.consignee.phone) or ""


def _put_off(order: BulkOrder, answer: TryAgain) -> None:
    _pending(order).update(
        tries=answer.tries,
        reason=make_storable(answer.reason)[:MAX_ERROR_TEXT],
        lease_expires_at=None,
        next_attempt_at=seconds_from_now(answer.seconds),
    )


def _end(order: BulkOrder, result: OrderResult) -> None:
    # An operator may have a failed order booked once more (bulk_retry.py).
    erased = {} if result.outcome == OrderOutcome.FAILED else {"request": ""}
    _pending(order).update(
        outcome=result.outcome,
        reason=make_storable(_reason(order, result))[:MAX_ERROR_TEXT],
        problems=_problems_json(result.problems),
        shipment=result.shipment,
        **erased,
        lease_expires_at=None,
        finished_at=timezone.now(),
    )


def _reason(order: BulkOrder, result: OrderResult) -> str:
    """Return why an order ended so. One of a spreadsheet is told in the words of the file."""
    remedy = REBOOK_REMEDY if result.may_be_rebooked else ""
    if result.problems or (result.shipment and result.shipment.warnings):
        sheet = _DRAFTS.validate_json(order.request)
        if sheet.cells:
            return reason_of(result, sheet.describe, remedy)
    return "; ".join(text for text in (result.reason, remedy) if text)


def _problems_json(problems: Sequence[FieldProblem]) -> list[dict[str, str]]:
    return [
        {"field": make_storable(p.field), "message": make_storable(p.message)} for p in problems
    ]


def _pending(order: BulkOrder) -> QuerySet[BulkOrder]:
    return BulkOrder.objects.filter(pk=order.pk, outcome=OrderOutcome.PENDING)


def _finish(job: BulkJob) -> float | None:
    seconds = seconds_until_due(BulkOrder.objects.filter(job=job))
    if seconds is None:
        BulkJob.objects.filter(pk=job.pk, state=JobState.PENDING).update(
            state=JobState.DONE, finished_at=timezone.now()
        )
        return None
    return max(1.0, seconds)


def cancel_job(job: BulkJob) -> None:
    """Have no order of the job begun any more: those that have not begun end as skipped.

    What is under way ends as if the job were not cancelled. A job that has ended or is cancelled
    already stays as it is.
    """
    running = BulkJob.objects.filter(pk=job.pk, state=JobState.PENDING, cancelled_at__isnull=True)
    with transaction.atomic():
        if running.update(cancelled_at=Now()):
            record(job, "cancel_job")
    # In a later transaction, so that a worker which puts an order off sees that the job is
    # cancelled, or is seen here.
    skip_orders(BulkOrder.objects.filter(job=job), job)
    _finish(job)
