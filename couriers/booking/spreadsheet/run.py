"""Booking the orders of a file, several at once, each exactly once however often it is run."""

from __future__ import annotations

import csv
import enum
import os
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import structlog
from django.db import close_old_connections, connections

from couriers.booking.protocol import book
from couriers.booking.spreadsheet.orders import (
    COLUMN_OF,
    FileUnusable,
    LineProblem,
    OrderLines,
    draft_of,
)
from couriers.contract.errors import (
    CourierDisabled,
    InvalidRequest,
    NotDone,
    NotSent,
    RateLimited,
    Rejected,
)
from couriers.contract.platform_errors import BookingInFlight, KeyReused, OrderAlreadyLive
from couriers.contract.statuses import UNSETTLED, Status
from couriers.contract.types import Direction, ShipmentDraft
from couriers.models import Company, Shipment

log = structlog.get_logger(__name__)

CHUNK = 500  # orders looked up at once
TRIES = 10  # of an order that the courier puts off, or that cannot be sent
LONGEST_PAUSE = 60.0  # seconds


class Outcome(enum.StrEnum):
    """What became of an order."""

    BOOKED = "booked"
    ALREADY_BOOKED = "already_booked"
    SKIPPED = "skipped"
    REJECTED = "rejected"
    IN_DOUBT = "in_doubt"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Result:
    """One order's line in the report."""

    order_number: str
    outcome: Outcome
    tracking_id: str = ""
    shipment_id: str = ""
    reason: str = ""


def import_orders(
    company: Company,
    courier: str,
    orders: Sequence[OrderLines],
    *,
    workers: int,
    done: Callable[[Result], None],
) -> None:
    """Book every order; `done` is told of each as it ends, from this thread."""
    tasks: list[Future[Result]] = []
    with ThreadPoolExecutor(workers, thread_name_prefix="book") as pool:
        try:
            for start in range(0, len(orders), CHUNK):
                chunk = orders[start : start + CHUNK]
                known = _known(company, courier, chunk)
                tasks = [
                    pool.submit(_one, company, courier, order, known.get(order.order_number))
                    for order in chunk
                ]
                for task in tasks:
                    done(task.result())
        finally:
            for task in tasks:
                task.cancel()  # where we are told to stop; those that are done do not mind
            all_there = threading.Barrier(workers)

            def leave(_: int) -> None:
                """Close the thread's own connection; none is done before all threads have begun."""
                connections.close_all()
                all_there.wait()

            list(pool.map(leave, range(workers)))


def _known(company: Company, courier: str, orders: Sequence[OrderLines]) -> dict[str, Shipment]:
    """The shipments that exist for the orders; of several, one that was not given up."""
    shipments = Shipment.objects.filter(
        company=company,
        courier_id=courier,
        direction=Direction.FORWARD,
        order_number__in=[order.order_number for order in orders],
    ).order_by("id")
    return {s.order_number: s for s in sorted(shipments, key=lambda s: s.status != Status.FAILED)}


def _one(company: Company, courier: str, order: OrderLines, known: Shipment | None) -> Result:
    close_old_connections()
    number = order.order_number
    try:
        draft = draft_of(order, courier)
        if draft is None:
            return Result(number, Outcome.SKIPPED, reason="nothing to ship: quantity 0")
        if known and known.status not in (Status.FAILED, *UNSETTLED):
            return _already(known)
        return _book(company, draft)
    except LineProblem as problem:
        return Result(number, Outcome.REJECTED, reason=str(problem))
    except InvalidRequest as error:
        row = order.lines[0][0]
        reason = "; ".join(
            f"row {row}, column {COLUMN_OF[p.field]}: {p.message}"
            if p.field in COLUMN_OF
            else f"{p.field}: {p.message}"
            for p in error.problems
        )
        return Result(number, Outcome.REJECTED, reason=reason)
    except Rejected as error:
        return Result(number, Outcome.REJECTED, reason=str(error))
    except KeyReused as error:
        reason = f"booked before with another {', '.join(error.fields)}"
        return Result(number, Outcome.REJECTED, reason=reason)
    except OrderAlreadyLive as error:
        if error.status in UNSETTLED:
            reason = str(error)
            return Result(number, Outcome.IN_DOUBT, shipment_id=error.shipment_id, reason=reason)
        return _already(Shipment.objects.get(pk=error.shipment_id))
    except BookingInFlight as error:
        return Result(number, Outcome.IN_DOUBT, shipment_id=error.shipment_id, reason=str(error))
    except (NotSent, NotDone) as error:
        return Result(number, Outcome.FAILED, reason=str(error))
    except Exception as error:
        log.exception("order_failed", order_number=number)
        return Result(number, Outcome.FAILED, reason=f"{type(error).__name__}: see the log")


def _already(shipment: Shipment) -> Result:
    return Result(
        shipment.order_number,
        Outcome.ALREADY_BOOKED,
        shipment.tracking_id,
        shipment.pk,
        shipment.get_status_display().lower(),
    )


def _book(company: Company, draft: ShipmentDraft) -> Result:
    """Book, waiting for the rate limiter as long as it takes: bulk work has the time."""
    tries = 0
    while True:
        try:
            result = book(company, draft, patient=True)
            break
        except (NotSent, NotDone) as error:
            tries += not isinstance(error, RateLimited)
            if isinstance(error, CourierDisabled) or tries >= TRIES:
                raise
            time.sleep(min(error.retry_after or 1.0, LONGEST_PAUSE))
    shipment = result.shipment
    if result.status_code == 202:
        return Result(draft.order_number, Outcome.IN_DOUBT, "", shipment.pk, shipment.failure)
    if result.replayed:
        return _already(shipment)
    return Result(draft.order_number, Outcome.BOOKED, shipment.tracking_id, shipment.pk)


def check_report(path: Path) -> None:
    """Raise FileUnusable where a report could not be put: to be known before the first booking."""
    if path.exists() and not path.is_file():
        raise FileUnusable(f"{path}: is not a file")
    folder = path.resolve().parent
    if not folder.is_dir():
        raise FileUnusable(f"{path}: there is no folder {folder}")
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise FileUnusable(f"{path}: cannot be written ({error.strerror})") from None


def write_report(path: Path, results: Sequence[Result]) -> None:
    """A row an order, in the file's order; the report is there whole or not at all.

    A text that a spreadsheet would take for a formula has a ' in front.
    """
    target = path.resolve()
    with tempfile.NamedTemporaryFile(
        "w", dir=target.parent, prefix=".report-", delete=False, encoding="utf-8", newline=""
    ) as file:
        try:
            writer = csv.writer(file)
            writer.writerow(["order_number", "outcome", "tracking_id", "shipment_id", "reason"])
            for result in results:
                writer.writerow(
                    [
                        _no_formula(result.order_number),
                        result.outcome,
                        _no_formula(result.tracking_id),
                        result.shipment_id,
                        _no_formula(result.reason),
                    ]
                )
            file.flush()
            os.chmod(file.name, 0o644)
            os.replace(file.name, target)
        except BaseException:
            os.unlink(file.name)
            raise


def _no_formula(text: str) -> str:
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
