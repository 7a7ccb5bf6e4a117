"""The ledger: what was really booked and called, to compare a client's view with. In memory.

A stand-in books again whatever is sent again, as couriers do: the number of bookings for each order
is what tests of "one order, one shipment" look at.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from sandbox.errors import NotFound


@dataclass(slots=True)
class Step:
    """A status that a shipment reached; `time_ms` is in milliseconds since the epoch."""

    status: str
    time_ms: int
    description: str
    location: str = ""
    ndr_reason: str = ""


@dataclass(eq=False, kw_only=True)
class Shipment:
    """A booked shipment. `body` is what the create call sent.

    `final_status` is the one in which its life cycle ends; `finished` tells that it is reached.
    `former_ids` are the tracking ids that it had before it was recreated.
    """

    tracking_id: str
    order_number: str
    reverse: bool
    body: dict[str, Any]
    final_status: str = ""
    finished: bool = False
    steps: list[Step] = field(default_factory=list)
    former_ids: list[str] = field(default_factory=list)

    @property
    def status(self) -> str:
        return self.steps[-1].status

    def add_step(
        self, status: str, description: str = "", location: str = "", ndr_reason: str = ""
    ) -> Step:
        """Add a status at the present time, or a millisecond after the last one if that is later.

        The description is the status itself where none is given.
        """
        now = int(time.time() * 1000)
        time_ms = max(now, self.steps[-1].time_ms + 1) if self.steps else now
        step = Step(status, time_ms, description or status, location, ndr_reason)
        self.steps.append(step)
        return step

    def summary(self) -> dict[str, Any]:
        """What /_sandbox/shipments lists; a courier may add fields of its own."""
        return {
            "tracking_id": self.tracking_id,
            "order_number": self.order_number,
            "reverse": self.reverse,
            "status": self.status,
            "destiny": self.final_status,
            "finished": self.finished,
            "former_ids": self.former_ids,
        }


AnyShipment = TypeVar("AnyShipment", bound=Shipment)


class Ledger(Generic[AnyShipment]):
    """Shipments, counts of calls by operation, and the requests where they are recorded.

    `invalid_requests` are those that broke a rule of the courier.
    """

    def __init__(self) -> None:
        self.shipments: list[AnyShipment] = []
        self.calls: Counter[str] = Counter()
        self.requests: list[dict[str, Any]] = []
        self.invalid_requests: list[dict[str, Any]] = []
        # Bookings by order number and whether it is a return, which may have its order's number.
        self._bookings: Counter[tuple[str, bool]] = Counter()
        self._by_tracking_id: dict[str, AnyShipment] = {}

    def add(self, shipment: AnyShipment) -> None:
        """Book a shipment, whether or not its order was booked before."""
        self.shipments.append(shipment)
        self._bookings[(shipment.order_number, shipment.reverse)] += 1
        self.index(shipment)

    def index(self, shipment: AnyShipment) -> None:
        """Make a shipment known under its present tracking id, beside any former one."""
        self._by_tracking_id[shipment.tracking_id] = shipment

    def find(self, tracking_id: str) -> AnyShipment | None:
        """The shipment with this tracking id, present or former."""
        return self._by_tracking_id.get(tracking_id)

    def get(self, tracking_id: str) -> AnyShipment:
        """The shipment with this tracking id. Raises NotFound if there is none."""
        return existing(self.find(tracking_id))

    def state(self) -> dict[str, Any]:
        """The counts that tests compare with; a courier may add its own."""
        return {
            "booked": len(self.shipments),
            "orders": len(self._bookings),
            "duplicates": sum(count - 1 for count in self._bookings.values()),
            "finished": sum(shipment.finished for shipment in self.shipments),
            "statuses": dict(Counter(shipment.status for shipment in self.shipments)),
            "calls": dict(self.calls),
            "invalid_requests": len(self.invalid_requests),
        }


def existing(shipment: AnyShipment | None) -> AnyShipment:
    """A look-up's result. Raises NotFound where it found nothing."""
    if shipment is None:
        raise NotFound("Shipment does not exist.")
    return shipment
