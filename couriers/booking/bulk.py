"""The one engine of bulk bookings, for the jobs of the API and for spreadsheets.

`book_order` books one order and returns its result, or when to try again. Its callers do the
waiting. A job keeps its orders in PostgreSQL, encrypted until they have ended. A spreadsheet keeps
them in memory. The order number is the key of an order's booking. So an order that comes twice, to
two workers at once, or again after a worker was killed, is booked once.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from pydantic import TypeAdapter

from couriers.booking.protocol import BookingResult, book, expire_leases, lease_seconds_left
from couriers.conf import tunables
from couriers.contract.errors import (
    CircuitOpen,
    CourierDisabled,
    CourierError,
    FieldProblem,
    InvalidRequest,
    NotDone,
    NotSent,
    RateLimited,
    Rejected,
)
from couriers.contract.logs import get_logger
from couriers.contract.platform_errors import (
    BookingInFlight,
    KeyReused,
    OrderAlreadyLive,
    UnknownCourier,
)
from couriers.contract.statuses import RELEASES_ORDER, UNSETTLED, Status
from couriers.contract.text import make_storable
from couriers.contract.types import ShipmentDraft
from couriers.models import BulkJob, BulkOrder, Company, Shipment
from couriers.models.claims import DoublingPauses, back_off, claim, due, seconds_from_now, unclaimed
from couriers.models.fields import MAX_ERROR_TEXT
from couriers.models.job import JobState, OrderOutcome
from couriers.models.transactions import refuse_open_transaction
from couriers.resilience.threads import run_in_threads

log = get_logger(__name__)

MAX_TRIES = 10  # attempts that certainly booked nothing; after the last one the order has failed
LONGEST_PAUSE = 120.0  # seconds between two tries, even if the courier names a longer delay
PAUSES = DoublingPauses(first=2.0, longest=LONGEST_PAUSE)
_DRAFTS = TypeAdapter(ShipmentDraft)


@dataclass(frozen=True, slots=True)
class OrderResult:
    """How an order ended. `problems` are the fields for which an order was rejected."""

    outcome: OrderOutcome
    shipment: Shipment | None = None
    reason: str = ""
    problems: tuple[FieldProblem, ...] = ()


@dataclass(frozen=True, slots=True)
class TryAgain:
    """The order has not ended: call `book_order` again after `seconds`, with these `tries`."""

    seconds: float
    reason: str
    tries: int


# Returns an order's draft when it is to be booked, or its result if there is nothing to book.
ReadOrder = Callable[[], ShipmentDraft | OrderResult]


def book_order(
    company: Company,
    order_number: str,
    read: ReadOrder,
    *,
    tries: int = 0,
    tried_since: dt.datetime | None = None,
    rebook: bool = False,
) -> OrderResult | TryAgain:
    """Book one order once, even if it is called several times.

    `tries` is that of the last TryAgain, 0 at first. `tried_since` is a time since when workers of
    the same job may have booked the order and died. A booking made since then is `booked`, not
    `already_booked`.

    - A booking in flight is tried again until its lease has run out. Then it is in doubt.
    - RateLimited and CircuitOpen are tried again without a limit.
    - Other NotSent and NotDone count as tries, and are tried again after growing pauses.
    - Any other error ends the order: as `failed` if the courier is switched off or the program has
      a fault, else as `rejected`.

    Raises OperationalError or InterfaceError if the database does not answer, and
    InsideTransaction if a transaction is open.
    """
    refuse_open_transaction("book_order()")
    try:
        draft = read()
        if isinstance(draft, OrderResult):
            return draft
        return _book(company, draft, tries, tried_since)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:  # noqa: BLE001 - failed_by_fault logs it
        return failed_by_fault(company, order_number, error)


def failed_by_fault(company: Company, order_number: str, error: Exception) -> OrderResult:
    """Log an exception that ended an order, and return the order's result."""
    log.exception("bulk_order_failed", company=company.slug, order_number=order_number)
    return OrderResult(OrderOutcome.FAILED, reason=f"{type(error).__name__}: see the log")


def already_booked(shipment: Shipment) -> OrderResult:
    """Return the result of an order that has a shipment. Its reason is the shipment's status."""
    reason = shipment.get_status_display().lower()
    return OrderResult(OrderOutcome.ALREADY_BOOKED, shipment, reason)


def create_job(company: Company, drafts: Sequence[ShipmentDraft]) -> BulkJob:
    """Store a job with its orders, which `book_due_orders` books.

    Raises InvalidRequest for no orders, more than BULK_MAX_ORDERS, or a repeated order number.
    """
    most = tunables().BULK_MAX_ORDERS
    if not 0 < len(drafts) <= most:
        raise InvalidRequest([FieldProblem("orders", f"must be 1 to {most}")])
    first: dict[str, int] = {}
    repeated = [
        FieldProblem(f"orders[{number}].order_number", f"is also that of orders[{earlier}]")
        for number, draft in enumerate(drafts)
        if (earlier := first.setdefault(draft.order_number, number)) != number
    ]
    if repeated:
        raise InvalidRequest(repeated[:20])
    with transaction.atomic():
        job = BulkJob.objects.create(company=company, total=len(drafts))
        BulkOrder.objects.bulk_create(
            BulkOrder(
                job=job,
                position=number,
                order_number=draft.order_number,
                request=_DRAFTS.dump_json(draft).decode(),
            )
            for number, draft in enumerate(drafts)
        )
    return job


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


def _book(
    company: Company, draft: ShipmentDraft, tries: int, tried_since: dt.datetime | None
) -> OrderResult | TryAgain:
    try:
        result = book(company, draft, long_waits=True)
    except BookingInFlight as error:
        return _try_again(error.retry_after, error, tries)
    except OrderAlreadyLive as error:
        return _result_of_live(error, tries)
    except KeyReused as error:
        reason = f"booked before with another {', '.join(error.fields)}"
        return OrderResult(OrderOutcome.REJECTED, reason=reason)
    except UnknownCourier as error:
        return _rejected(error, FieldProblem("courier", str(error)))
    except Rejected as error:
        return _rejected(error, *(error.problems if isinstance(error, InvalidRequest) else ()))
    except (NotSent, NotDone) as error:
        return _after_no_booking(error, tries)
    return _result_of(result, tried_since)


def _result_of(result: BookingResult, tried_since: dt.datetime | None) -> OrderResult:
    shipment = result.shipment
    if result.status_code == 202:
        return OrderResult(OrderOutcome.IN_DOUBT, shipment, shipment.failure)
    made_by_us = tried_since is not None and shipment.created_at >= tried_since
    if result.replayed and not made_by_us:
        return already_booked(shipment)
    return OrderResult(OrderOutcome.BOOKED, shipment)


def _result_of_live(error: OrderAlreadyLive, tries: int) -> OrderResult | TryAgain:
    """Return the result for an order that has a shipment under another key, from its status."""
    shipment = Shipment.objects.get(pk=error.shipment_id)
    if shipment.status == Status.BOOKING:
        if lease_seconds_left(shipment) > 0:
            return _try_again(1.0, error, tries)
        expire_leases()
        shipment.refresh_from_db()
    if shipment.status in UNSETTLED:
        return OrderResult(OrderOutcome.IN_DOUBT, shipment, str(error))
    if shipment.status in RELEASES_ORDER:
        # It has just ended, so the order may be booked.
        return _try_again(1.0, error, tries)
    return already_booked(shipment)


def _rejected(error: Exception, *problems: FieldProblem) -> OrderResult:
    return OrderResult(OrderOutcome.REJECTED, reason=str(error), problems=problems)


def _after_no_booking(error: CourierError, tries: int) -> OrderResult | TryAgain:
    """Apply the retry rule to an order that certainly was not booked."""
    if isinstance(error, (RateLimited, CircuitOpen)):
        return _try_again(error.retry_after or 1.0, error, tries)
    tries += 1
    if isinstance(error, CourierDisabled) or tries >= MAX_TRIES:
        return OrderResult(OrderOutcome.FAILED, reason=str(error))
    return _try_again(back_off(tries, PAUSES, error.retry_after), error, tries)


def _try_again(seconds: float, error: Exception, tries: int) -> TryAgain:
    return TryAgain(min(max(seconds, 1.0), LONGEST_PAUSE), str(error), tries)


def _claim(job: BulkJob) -> BulkOrder | None:
    orders = BulkOrder.objects.filter(due(), unclaimed(), job=job, outcome=OrderOutcome.PENDING)
    lease_end = seconds_from_now(tunables().BULK_LEASE)
    return next(iter(claim(orders.order_by("position"), limit=1, lease_expires_at=lease_end)), None)


def _book_claimed(job: BulkJob, order: BulkOrder) -> None:
    # A lease is left by a worker that died, a reason by a try that was put off.
    tried_before = order.lease_expires_at is not None or order.reason != ""
    answer = book_order(
        job.company,
        order.order_number,
        lambda: _DRAFTS.validate_json(order.request),
        tries=order.tries,
        tried_since=job.created_at if tried_before else None,
    )
    if isinstance(answer, TryAgain):
        _put_off(order, answer)
    else:
        _end(order, answer)


def _put_off(order: BulkOrder, answer: TryAgain) -> None:
    _pending(order).update(
        tries=answer.tries,
        reason=make_storable(answer.reason)[:MAX_ERROR_TEXT],
        lease_expires_at=None,
        next_attempt_at=seconds_from_now(answer.seconds),
    )


def _end(order: BulkOrder, result: OrderResult) -> None:
    _pending(order).update(
        outcome=result.outcome,
        reason=make_storable(result.reason)[:MAX_ERROR_TEXT],
        problems=[
            {"field": make_storable(p.field), "message": make_storable(p.message)}
            for p in result.problems
        ],
        shipment=result.shipment,
        request="",
        lease_expires_at=None,
        finished_at=timezone.now(),
    )


def _pending(order: BulkOrder) -> QuerySet[BulkOrder]:
    return BulkOrder.objects.filter(pk=order.pk, outcome=OrderOutcome.PENDING)


def _finish(job: BulkJob) -> float | None:
    pending = BulkOrder.objects.filter(job=job, outcome=OrderOutcome.PENDING)
    following = pending.order_by("next_attempt_at").first()
    if following is None:
        BulkJob.objects.filter(pk=job.pk, state=JobState.PENDING).update(
            state=JobState.DONE, finished_at=timezone.now()
        )
        return None
    return max(1.0, (following.next_attempt_at - timezone.now()).total_seconds())
