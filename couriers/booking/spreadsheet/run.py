"""Books the orders of a spreadsheet with the bulk engine, several at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from django.db import DatabaseError, InterfaceError

from couriers.booking import bulk
from couriers.booking.bulk import OrderResult, TryAgain
from couriers.booking.bulk_words import reason_of
from couriers.booking.spreadsheet.cells import Cell
from couriers.booking.spreadsheet.drafting import SheetDraft, read_draft
from couriers.booking.spreadsheet.errors import NothingToShip, OrderProblem
from couriers.booking.spreadsheet.goods import Goods, with_goods
from couriers.booking.spreadsheet.lines import OrderLines
from couriers.booking.spreadsheet.report import ReportRow
from couriers.contract.logs import get_logger
from couriers.contract.types import ShipmentDraft
from couriers.models import Company
from couriers.models.job import OrderOutcome
from couriers.resilience.database import Outage, is_outage, leave_connection, outage_of
from couriers.resilience.threads import run_in_threads, take_from

log = get_logger(__name__)

DATABASE_WAIT = 30.0  # seconds that an order waits for PostgreSQL; then the run ends
DATABASE_PAUSE = 1.0  # seconds between two tries


def book_orders(
    company: Company,
    courier: str,
    orders: Sequence[OrderLines],
    *,
    workers: int,
    done: Callable[[ReportRow], None],
    defaults: Mapping[str, Cell] | None = None,
    is_test: bool = False,
    rebook: bool = False,
) -> None:
    """Book every order once, in `workers` threads.

    `done` is called for each order when it ends, by one thread at a time. An interrupted run ends
    once the calls under way have ended. `done` is then not called for the remaining orders. Where
    PostgreSQL cannot serve for DATABASE_WAIT seconds, the remaining orders end as failed, and the
    file can be run again.
    Test orders are booked with the test account, and with test products. `defaults` tell what
    neither the file nor the company's products say of the goods. With `rebook`, an order whose
    shipment has ended is booked once more.
    """
    stop = threading.Event()
    lock = threading.Lock()
    ended: set[int] = set()

    def work(item: tuple[OrderLines, Goods]) -> None:
        reader = _OrderReader(item[0], courier, item[1])
        book = partial(bulk.book_order, company, is_test=is_test, rebook=rebook)
        result = _book(book, reader, stop)
        if result:
            row = reader.report(result)
            with lock:
                ended.add(row.row)
                done(row)

    take = take_from(with_goods(company, orders, defaults or {}, is_test=is_test))
    try:
        run_in_threads(take, work, threads=workers, name="book", stop=stop)
    except (DatabaseError, InterfaceError) as error:
        if (outage := outage_of(error)) is None:
            raise
        leave_connection(error)
        log.error("run_stopped", reason=outage.value, orders=len(orders), ended=len(ended))
        for order in orders:
            if order.row not in ended:
                done(_unfinished(order, outage))


def _unfinished(order: OrderLines, outage: Outage) -> ReportRow:
    reason = f"PostgreSQL cannot serve ({outage.value}): run the file again"
    return ReportRow(order.order_number, OrderOutcome.FAILED, reason=reason, row=order.row)


class _OrderReader:
    """Reads an order for the engine, and says what the engine answers in the file's own words."""

    def __init__(self, order: OrderLines, courier: str, goods: Goods) -> None:
        self.order = order
        self._courier = courier
        self._goods = goods
        self._sheet: SheetDraft | None = None

    def read(self) -> ShipmentDraft | OrderResult:
        """Return the draft of the order, or its result if there is nothing to book."""
        try:
            self._sheet = read_draft(self.order, self._courier, self._goods)
        except OrderProblem as problem:
            return OrderResult(OrderOutcome.REJECTED, reason=str(problem))
        except NothingToShip as reason:
            return OrderResult(OrderOutcome.SKIPPED, reason=str(reason))
        return self._sheet.draft

    def report(self, result: OrderResult) -> ReportRow:
        """Return the row of the report for the order's result."""
        shipment = result.shipment
        return ReportRow(
            self.order.order_number,
            result.outcome,
            shipment.courier_id if shipment else "",
            shipment.tracking_id if shipment else "",
            shipment.pk if shipment else "",
            self._reason(result),
            self.order.row,
        )

    def _reason(self, result: OrderResult) -> str:
        return reason_of(result, self._describe, "book it once more with --rebook")

    def _describe(self, field: str, message: str) -> str:
        return self._sheet.describe(field, message) if self._sheet else f"{field}: {message}"


def _book(
    book: Callable[..., OrderResult | TryAgain], reader: _OrderReader, stop: threading.Event
) -> OrderResult | None:
    """Book an order, waiting in this thread until it has ended. None if the run is stopped.

    Raises the database's error once it could not serve for DATABASE_WAIT seconds.
    """
    number = reader.order.order_number
    tries = 0
    away_since = None
    while True:
        try:
            answer = book(number, reader.read, tries=tries)
        except (DatabaseError, InterfaceError) as error:
            away_since = away_since or time.monotonic()
            if not is_outage(error) or time.monotonic() - away_since > DATABASE_WAIT:
                raise
            leave_connection(error)
            pause = DATABASE_PAUSE
        else:
            if isinstance(answer, OrderResult):
                return answer
            away_since, tries, pause = None, answer.tries, answer.seconds
        if stop.wait(pause):
            return None
