"""A shipment of Delhivery's as its operations see it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from sandbox.delhivery.statuses import Status
from sandbox.ledger import Shipment, Step

MODES = {"Prepaid": "Pre-paid", "COD": "COD", "Pickup": "Pickup", "REPL": "REPL"}


def number_in(value: Any) -> float | None:
    """The number in a field, which may be text, a weight's with its unit; None for any other."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(str(value).removesuffix(" gm"))
    except ValueError:
        return None
    return number if math.isfinite(number) else None


@dataclass(eq=False, kw_only=True)
class DelhiveryShipment(Shipment):
    """A booked shipment, whose `tracking_id` is its waybill and whose `body` is its package.

    `client` is the account, `warehouse` the name of its pickup location. `changes` are what edits
    gave; `boxes` are the other boxes of the same shipment, which are no bookings of their own.
    """

    client: str
    warehouse: str
    booked_at: float  # seconds of the monotonic clock
    cancelled: bool = False
    changes: dict[str, Any] = field(default_factory=dict)
    boxes: list[DelhiveryShipment] = field(default_factory=list)
    e_way_bills: list[str] = field(default_factory=list)

    @property
    def now(self) -> Status:
        return Status.parse(self.status)

    @property
    def mode(self) -> str:
        """The payment mode, as answers have it."""
        return str(self.changes.get("pt") or MODES[self.body["payment_mode"]])

    @property
    def cod_amount(self) -> float:
        """What is to be collected, in rupees."""
        if self.mode != "COD":
            return 0.0
        return number_in(self.changes.get("cod") or self.body.get("cod_amount")) or 0.0

    @property
    def total_amount(self) -> float:
        return number_in(self.body.get("total_amount")) or 0.0

    @property
    def identity(self) -> tuple[Any, ...]:
        """What an earlier order must have had, all of it, to refuse this one as a duplicate."""
        names = ("products_desc", "payment_mode", "name")
        texts = (str(self.body.get(name) or "") for name in names)
        return (self.client, self.order_number, self.total_amount, *texts)

    @property
    def attempts(self) -> int:
        """How often it was taken to the consignee."""
        return sum(step.status.startswith("UD/Dispatched/") for step in self.steps)

    def first(self, *beginnings: str) -> Step | None:
        """The first step whose status begins with one of these."""
        return next((step for step in self.steps if step.status.startswith(beginnings)), None)

    def summary(self) -> dict[str, Any]:
        return {
            **super().summary(),
            "client": self.client,
            "warehouse": self.warehouse,
            "payment_mode": self.mode,
            "cod_amount": self.cod_amount,
            "weight": self.body.get("weight"),
            "cancelled": self.cancelled,
            "changes": self.changes,
            "boxes": [box.tracking_id for box in self.boxes],
            "attempts": self.attempts,
        }
