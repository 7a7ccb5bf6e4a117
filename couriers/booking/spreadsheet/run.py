"""Books the orders of a spreadsheet with the bulk engine, several at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence

from django.db import InterfaceError, OperationalError, connection

from couriers.booking import bulk
from couriers.booking.bulk import OrderResult, ReadOrder
from couriers.booking.spreadsheet.reading import COLUMN_OF, LineProblem, OrderLines, draft_of
from couriers.booking.spreadsheet.report import ReportRow
from couriers.contract.statuses import UNSETTLED, Status
from couriers.contract.types import Direction, ShipmentDraft
from couriers.models import Company, Shipment
from couriers.models.job import OrderOutcome
from couriers.resilience.threads import run_in_threads, take_from

LOOKUP_BATCH = 500  # orders


def book_orders(
    company: Company,
    courier: str,
    orders: Sequence[OrderLines],
    *,
    workers: int,
    done: Callable[[ReportRow], None],
) -> None:
    """Book every order once, in `workers` threads.

    `done` is called for each order when it ends, by one thread at a time. An interrupted run ends
    once the calls under way have ended. `done` is then not called for the remaining orders.
    """
    stop = threading.Event()
    lock = threading.Lock()

    def work(item: tuple[OrderLines, Shipment | None]) -> None:
        order, earlier = item
        result = _book(company, order, _reader(order, courier, earlier), stop)
        if result:
            row = _row(order, result)
            with lock:
                done(row)

    take = take_from(_with_earlier_shipments(company, courier, orders))
    run_in_threads(take, work, threads=workers, name="book", stop=stop)


def _with_earlier_shipments(
    company: Company, courier: str, orders: Sequence[OrderLines]
) -> Iterator[tuple[OrderLines, Shipment | None]]:
    """Yield each order with its earlier shipment or None, looked up for many orders at once."""
    for start in range(0, len(orders), LOOKUP_BATCH):
        part = orders[start : start + LOOKUP_BATCH]
        earlier = _earlier_shipments(company, courier, part)
        for order in part:
            yield order, earlier.get(order.order_number)


def _earlier_shipments(
    company: Company, courier: str, orders: Sequence[OrderLines]
) -> dict[str, Shipment]:
    """Return the orders' shipments by order number, preferring one that has not failed."""
    shipments = (
        Shipment.objects.filter(
            company=company,
            courier_id=courier,
            direction=Direction.FORWARD,
            order_number__in=[order.order_number for order in orders],
        )
        .only("order_number", "status", "tracking_id")
        .order_by("id")
    )
    return {s.order_number: s for s in sorted(shipments, key=lambda s: s.status != Status.FAILED)}


def _reader(order: OrderLines, courier: str, earlier: Shipment | None) -> ReadOrder:
    """Return the function with which the engine reads the order."""

    def read() -> ShipmentDraft | OrderResult:
        try:
            draft = draft_of(order, courier)
        except LineProblem as problem:
            return OrderResult(OrderOutcome.REJECTED, reason=str(problem))
        if draft is None:
            return OrderResult(OrderOutcome.SKIPPED, reason="nothing to ship: quantity 0")
        if earlier and earlier.status not in (Status.FAILED, *UNSETTLED):
            return bulk.already_booked(earlier)
        return draft

    return read


def _book(
    company: Company, order: OrderLines, read: ReadOrder, stop: threading.Event
) -> OrderResult | None:
    """Book an order, waiting in this thread until it has ended. None if the run is stopped."""
    tries = 0
    while True:
        try:
            answer = bulk.book_order(company, order.order_number, read, tries=tries)
        except (OperationalError, InterfaceError) as error:
            # The connection may be broken. The next order gets a new one.
            connection.close()
            return bulk.failed_by_fault(company, order.order_number, error)
        if isinstance(answer, OrderResult):
            return answer
        tries = answer.tries
        if stop.wait(answer.seconds):
            return None


def _row(order: OrderLines, result: OrderResult) -> ReportRow:
    shipment = result.shipment
    return ReportRow(
        order.order_number,
        result.outcome,
        shipment.tracking_id if shipment else "",
        shipment.pk if shipment else "",
        _reason(order, result),
    )


def _reason(order: OrderLines, result: OrderResult) -> str:
    """Return the result's reason, with the row and column of the file for each problem."""
    if not result.problems:
        return result.reason
    row = order.lines[0][0]
    return "; ".join(
        f"row {row}, column {COLUMN_OF[p.field]}: {p.message}"
        if p.field in COLUMN_OF
        else f"{p.field}: {p.message}"
        for p in result.problems
    )
