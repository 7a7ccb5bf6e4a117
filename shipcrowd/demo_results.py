"""What came of the demo's orders: at the platform, and at the sandboxes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rich.table import Table

from sandbox.process import SandboxProcess
from shipcrowd.demo_couriers import COURIERS
from shipcrowd.demo_orders import Order

COLUMNS = ("order", "courier", "why", "attempts", "tracking id", "status", "sandbox's status")


@dataclass(frozen=True, slots=True)
class Result:
    """A booked order. `expected` is the courier that has it and how its sandbox let it end.

    `first_answer` is the status that the storefront was answered when it booked; `attempts` counts
    the couriers' attempts, and `before` says who was asked before and how that ended.
    """

    number: str
    courier: str
    why: str
    first_answer: str
    attempts: int
    before: str
    tracking_id: str
    status: str
    expected: tuple[str, str | None]

    @property
    def is_right(self) -> bool:
        """Whether the order is with the courier that has it, and ended as its sandbox sent it."""
        return (self.courier, self.status) == self.expected

    def cells(self) -> tuple[str, ...]:
        """Return the row of the table."""
        attempts = f"{self.attempts} ({self.before})" if self.before else str(self.attempts)
        if self.first_answer == "in_doubt":
            attempts += ", in doubt, then found"
        courier, status = self.expected
        theirs = status or "unknown"
        if courier != self.courier:
            theirs += f", at {courier}"
        return (
            self.number, self.courier, self.why, attempts, self.tracking_id, self.status, theirs,
        )  # fmt: skip


def result_of(
    order: Order, shipment: Mapping[str, Any] | None, expected: tuple[str, str | None]
) -> Result:
    """Return what came of a booked order, from its shipment as the API shows it."""
    if shipment is None:
        return Result(order.number, "", "", order.result, 0, "", "", "lost", expected)
    choice = shipment["choice"] or {}
    *earlier, _ = shipment["booking_attempts"]
    return Result(
        number=order.number,
        courier=shipment["courier"],
        why=f"{choice.get('rule_name', '')}: {choice.get('strategy', '')}",
        first_answer=order.result,
        attempts=len(earlier) + 1,
        before=", ".join(f"{one['courier']}: {one['outcome']}" for one in earlier),
        tracking_id=shipment["tracking_id"],
        status=shipment["status"],
        expected=expected,
    )


def sandbox_statuses(
    sandboxes: Mapping[str, SandboxProcess],
) -> dict[str, tuple[str, str | None]]:
    """Return for each order which courier has it, and the status in which its way there ends.

    An order that several couriers have is at both, which no shipment is.
    """
    found: dict[str, tuple[str, str | None]] = {}
    for courier in COURIERS:
        for parcel in sandboxes[courier.code].shipments():
            number, status = parcel["order_number"], courier.status_of(parcel["destiny"])
            others = f"{found[number][0]} and " if number in found else ""
            found[number] = (others + courier.code, status)
    return found


def table_of(orders: Iterable[Order], results: Mapping[str, Result]) -> Table:
    """Return the table of all orders, also those that were not booked."""
    table = Table(title="Results")
    for column in COLUMNS:
        table.add_column(column)
    for order in orders:
        result = results.get(order.number)
        blank = [""] * (len(COLUMNS) - 2)
        table.add_row(*(result.cells() if result else (order.number, *blank[:-1], order.result)))
    return table
