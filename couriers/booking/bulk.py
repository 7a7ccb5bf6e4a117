"""Bulk bookings: orders handed in together, each booked exactly once by the booking protocol.

The order number is the booking's key, so a job that is run twice, by two workers at once, or
after one was killed, books nothing twice. Requests are encrypted at rest and erased once settled.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import structlog
from django.db import InterfaceError, OperationalError, connections, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from pydantic import TypeAdapter

from couriers.booking.protocol import BookingResult, book
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
from couriers.contract.platform_errors import (
    BookingInFlight,
    KeyReused,
    OrderAlreadyLive,
    UnknownCourier,
)
from couriers.contract.statuses import Status
from couriers.contract.types import ShipmentDraft
from couriers.models import BulkJob, BulkOrder, Company
from couriers.models.job import JobState, OrderOutcome

log = structlog.get_logger(__name__)

TRIES = 10  # of an order that the courier puts off, or that cannot be sent
LONGEST_PAUSE = 120.0  # seconds between two of them
_DRAFTS = TypeAdapter(ShipmentDraft)


def create_job(company: Company, drafts: Sequence[ShipmentDraft]) -> BulkJob:
    """Store the orders of a job; they are booked by `work_on`.

    Raises InvalidRequest for too many, or for an order number that is given twice for a courier.
    """
    most = tunables().BULK_MAX_ORDERS
    if not 0 < len(drafts) <= most:
        raise InvalidRequest([FieldProblem("orders", f"must be 1 to {most}")])
    first: dict[str, int] = {}
    twice = [
        FieldProblem(f"orders[{number}].order_number", f"is that of orders[{earlier}]")
        for number, draft in enumerate(drafts)
        if (earlier := first.setdefault(draft.order_number, number)) != number
    ]
    if twice:
        raise InvalidRequest(twice[:20])
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


def work_on(job_id: str, *, seconds: float) -> float | None:
    """Book what is due of a job, several orders at once, for about that long.

    Returns the seconds after which there is more to do, or None once the job has ended.
    """
    job = BulkJob.objects.select_related("company").filter(pk=job_id).first()
    if job is None or job.state == JobState.DONE:
        return None
    deadline = time.monotonic() + seconds
    threads = min(tunables().BULK_THREADS, job.total)
    with ThreadPoolExecutor(threads, thread_name_prefix="bulk") as pool:
        for task in [pool.submit(_book_due, job, deadline) for _ in range(threads)]:
            task.result()
    return _finish(job)


def stranded_jobs() -> QuerySet[BulkJob]:
    """Jobs with nobody at work on them: with orders that are due, or with none left to end for."""
    now = timezone.now()
    mine = BulkOrder.objects.filter(job=OuterRef("pk"), outcome=OrderOutcome.PENDING)
    return BulkJob.objects.filter(
        Exists(mine.filter(next_attempt_at__lte=now)) | ~Exists(mine),
        ~Exists(mine.filter(lease_expires_at__gt=now)),
        state=JobState.PENDING,
    ).order_by("id")


def _book_due(job: BulkJob, deadline: float) -> None:
    """One thread's work: an order after the other, until none is due or the time is over."""
    try:
        while time.monotonic() < deadline and (claimed := _claim(job)):
            _book_one(job, *claimed)
    finally:
        connections.close_all()  # the thread's own


def _claim(job: BulkJob) -> tuple[BulkOrder, bool] | None:
    """An order to book, and whether this job has tried it before."""
    now = timezone.now()
    with transaction.atomic():
        order = (
            BulkOrder.objects.select_for_update(skip_locked=True)
            .filter(
                Q(lease_expires_at__isnull=True) | Q(lease_expires_at__lte=now),
                job=job,
                outcome=OrderOutcome.PENDING,
                next_attempt_at__lte=now,
            )
            .order_by("position")
            .first()
        )
        if order is None:
            return None
        tried = order.lease_expires_at is not None or order.reason != ""
        order.lease_expires_at = now + dt.timedelta(seconds=tunables().BULK_LEASE)
        order.save(update_fields=["lease_expires_at"])
    return order, tried


def _book_one(job: BulkJob, order: BulkOrder, tried: bool) -> None:
    try:
        draft = _DRAFTS.validate_json(order.request)
        result = book(job.company, draft, patient=True)
    except BookingInFlight as error:
        # Perhaps of a worker that died: its lease runs out, and then there is an answer.
        _put_off(order, str(error), error.retry_after)
    except OrderAlreadyLive as error:
        if error.status == Status.BOOKING:
            _put_off(order, str(error), 1.0)
        else:
            doubtful = error.status == Status.IN_DOUBT
            outcome = OrderOutcome.IN_DOUBT if doubtful else OrderOutcome.ALREADY_BOOKED
            _settle(order, outcome, str(error), shipment_id=error.shipment_id)
    except KeyReused as error:
        _settle(order, OrderOutcome.REJECTED, str(error))
    except UnknownCourier as error:
        _settle(order, OrderOutcome.REJECTED, str(error), [FieldProblem("courier", str(error))])
    except InvalidRequest as error:
        _settle(order, OrderOutcome.REJECTED, str(error), error.problems)
    except (Rejected, CourierDisabled) as error:
        refused = isinstance(error, Rejected)
        _settle(order, OrderOutcome.REJECTED if refused else OrderOutcome.FAILED, str(error))
    except (RateLimited, CircuitOpen) as error:
        # Our own guards: bulk work waits as long as it takes.
        _put_off(order, str(error), error.retry_after or 1.0)
    except (NotSent, NotDone) as error:
        _again(order, error)
    except (OperationalError, InterfaceError):
        # The database itself: the order stays claimed, and is taken up when the lease is over.
        raise
    except Exception as error:
        log.exception("bulk_order_failed", job=job.pk, position=order.position)
        _settle(order, OrderOutcome.FAILED, f"{type(error).__name__}: see the log")
    else:
        _booked(job, order, result, tried)


def _booked(job: BulkJob, order: BulkOrder, result: BookingResult, tried: bool) -> None:
    shipment = result.shipment
    # A worker of ours may have booked it and died before it could say so.
    ours = tried and shipment.created_at >= job.created_at
    if result.status_code == 202:
        outcome = OrderOutcome.IN_DOUBT
    elif result.replayed and not ours:
        outcome = OrderOutcome.ALREADY_BOOKED
    else:
        outcome = OrderOutcome.BOOKED
    _settle(order, outcome, shipment.failure, shipment_id=shipment.pk)


def _again(order: BulkOrder, error: CourierError) -> None:
    if order.tries + 1 >= TRIES:
        _settle(order, OrderOutcome.FAILED, str(error))
    else:
        order.tries += 1
        _put_off(order, str(error), error.retry_after or 2.0**order.tries)


def _put_off(order: BulkOrder, reason: str, delay: float) -> None:
    wait = dt.timedelta(seconds=min(max(delay, 1.0), LONGEST_PAUSE))
    _pending(order).update(
        tries=order.tries,
        reason=reason[:1000],
        lease_expires_at=None,
        next_attempt_at=timezone.now() + wait,
    )


def _settle(
    order: BulkOrder,
    outcome: OrderOutcome,
    reason: str = "",
    problems: Sequence[FieldProblem] = (),
    *,
    shipment_id: str | None = None,
) -> None:
    _pending(order).update(
        outcome=outcome,
        reason=reason[:1000],
        problems=[{"field": p.field, "message": p.message} for p in problems],
        shipment_id=shipment_id or None,
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
