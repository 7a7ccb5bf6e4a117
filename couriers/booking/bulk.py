"""The one engine of bulk bookings, for the jobs of the API and for spreadsheets.

`book_order` books one order and returns its result, or when to try again. Its callers do the
waiting: jobs (bulk_jobs.py) keep their orders in PostgreSQL, a spreadsheet keeps them in memory.
The order number is the key of an order's booking. So an order that comes twice, to two workers at
once, or again after a worker was killed, is booked once.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from couriers.booking.protocol import book
from couriers.booking.settling import BookingResult
from couriers.contract.errors import (
    HELD_BY_PERSON,
    CircuitOpen,
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
    OrderDiffers,
    OrderEnded,
    ShipmentErased,
    UnknownCourier,
    UnreadableValue,
)
from couriers.contract.types import ShipmentDraft
from couriers.models import Company, Shipment
from couriers.models.claims import DoublingPauses, back_off
from couriers.models.job import OrderOutcome
from couriers.models.transactions import refuse_open_transaction
from couriers.resilience.database import is_outage
from couriers.resilience.waits import MAX_LONG_WAIT

log = get_logger(__name__)

MAX_TRIES = 10  # attempts that certainly booked nothing; after the last one the order has failed
LONGEST_PAUSE = 120.0  # seconds between two tries, even if the courier names a longer delay
PAUSES = DoublingPauses(first=2.0, longest=LONGEST_PAUSE)


@dataclass(frozen=True, slots=True)
class OrderResult:
    """How an order ended. `problems` are the fields for which an order was rejected.

    `may_be_rebooked` marks an order that was rejected only because its shipment has ended.
    """

    outcome: OrderOutcome
    shipment: Shipment | None = None
    reason: str = ""
    problems: tuple[FieldProblem, ...] = ()
    may_be_rebooked: bool = False


@dataclass(frozen=True, slots=True)
class TryAgain:
    """The order has not ended: call `book_order` again after `seconds`, with these `tries`.

    `held_back` marks a call that the rate limiter or an open circuit held back.
    """

    seconds: float
    reason: str
    tries: int
    held_back: bool = False


# Returns an order's draft when it is to be booked, or its result if there is nothing to book.
ReadOrder = Callable[[], ShipmentDraft | OrderResult]


def book_order(
    company: Company,
    order_number: str,
    read: ReadOrder,
    *,
    tries: int = 0,
    tried_since: dt.datetime | None = None,
    is_test: bool = False,
    rebook: bool = False,
    longest_wait: float = MAX_LONG_WAIT,
) -> OrderResult | TryAgain:
    """Book one order once, even if it is called several times.

    `tries` is that of the last TryAgain, 0 at first. `tried_since` is a time since when workers of
    the same job may have booked the order and died. A booking made since then is `booked`, not
    `already_booked`. `is_test` is as in `book`. With `rebook` an order whose shipment has ended is
    booked once more. The call waits for the rate limiter for at most `longest_wait` seconds.

    - An order that is booked with other content is rejected, naming the fields. So is one whose
      shipment has ended.
    - A booking in flight is tried again until its lease has run out. Then it is in doubt.
    - RateLimited and CircuitOpen are tried again without a limit.
    - Other NotSent and NotDone count as tries, and are tried again after growing pauses.
    - Any other error ends the order: as `failed` if the courier is switched off or the program has
      a fault, else as `rejected`.

    Raises an error of the database if it cannot serve (couriers.resilience.database), and
    InsideTransaction if a transaction is open.
    """
    refuse_open_transaction("book_order()")
    try:
        draft = read()
        if isinstance(draft, OrderResult):
            return draft
        do = partial(book, company, draft, is_test=is_test, rebook=rebook)
        return _book(partial(do, longest_wait=longest_wait), tries, tried_since)
    except Exception as error:
        if is_outage(error):
            raise
        return failed_by_fault(company, order_number, error)


def failed_by_fault(company: Company, order_number: str, error: Exception) -> OrderResult:
    """Log an exception that ended an order, and return the order's result."""
    log.exception("bulk_order_failed", company=company.slug, order_number=order_number)
    return OrderResult(OrderOutcome.FAILED, reason="a fault of the platform, which is in its log")


def _book(
    book_it: Callable[[], BookingResult], tries: int, tried_since: dt.datetime | None
) -> OrderResult | TryAgain:
    try:
        result = book_it()
    except (BookingInFlight, OrderAlreadyLive) as error:
        # Another process is booking the order. Its result is the answer of the next try.
        return _try_again(error.retry_after or 1.0, error, tries)
    except (OrderDiffers, KeyReused) as error:
        return _rejected(error, *(_difference(name, error) for name in error.fields))
    except OrderEnded as error:
        reason = f"the order's shipment {error.shipment_id} has ended ({error.status})"
        return OrderResult(OrderOutcome.REJECTED, reason=reason, may_be_rebooked=True)
    except ShipmentErased as error:
        return _rejected(error)
    except UnknownCourier as error:
        return _rejected(error, FieldProblem("courier", str(error)))
    except UnreadableValue as error:
        return OrderResult(OrderOutcome.FAILED, reason=str(error))
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
        status = shipment.get_status_display().lower()
        return OrderResult(OrderOutcome.ALREADY_BOOKED, shipment, status)
    return OrderResult(OrderOutcome.BOOKED, shipment)


def _difference(field: str, error: OrderDiffers | KeyReused) -> FieldProblem:
    shipment = f" ({error.shipment_id})" if isinstance(error, OrderDiffers) else ""
    return FieldProblem(field, f"differs from what was booked under this number{shipment}")


def _rejected(error: Exception, *problems: FieldProblem) -> OrderResult:
    return OrderResult(OrderOutcome.REJECTED, reason=_reason(error), problems=problems)


def _after_no_booking(error: CourierError, tries: int) -> OrderResult | TryAgain:
    """Apply the retry rule to an order that certainly was not booked."""
    if isinstance(error, (RateLimited, CircuitOpen)):
        return _try_again(error.retry_after or 1.0, error, tries, held_back=True)
    tries += 1
    if isinstance(error, HELD_BY_PERSON) or tries >= MAX_TRIES:
        return OrderResult(OrderOutcome.FAILED, reason=error.reason)
    return _try_again(back_off(tries, PAUSES, error.retry_after), error, tries)


def _try_again(
    seconds: float, error: Exception, tries: int, *, held_back: bool = False
) -> TryAgain:
    return TryAgain(min(max(seconds, 1.0), LONGEST_PAUSE), _reason(error), tries, held_back)


def _reason(error: Exception) -> str:
    return error.reason if isinstance(error, CourierError) else str(error)
