"""How a shipment's life goes, on a fast clock: which way, and step by step. Knows no HTTP."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from sandbox.ledger import Booked, Step

ON_THE_WAY = ("Pickup Scheduled", "Out for Pickup", "Picked Up", "In Transit", "Out for Delivery")
BACK = ("RTO Requested", "RTO In Transit", "RTO Out for Delivery", "RTO Delivered")

# A way is what follows "Order Placed"; it ends in the name's own status.
WAYS: dict[str, tuple[str, ...]] = {
    "delivered": (*ON_THE_WAY, "Delivered"),
    "undelivered": (*ON_THE_WAY, "Undelivered"),
    "rto": (*ON_THE_WAY, "Undelivered", *BACK),
}
AGAIN = ("Out for Delivery", "Delivered")
SENT_BACK = ("Seller RTO Requested", "RTO In Transit", "RTO Delivered")
RETURN_WAY = ("Pickup Scheduled", "Out for Pickup", "Picked Up", "In Transit", "Delivered")
BEFORE_PICKUP = {"Order Placed", "Pickup Pending", "Pickup Scheduled", "Out for Pickup"}
REASONS = ("Customer Unavailable", "Customer Unreachable", "Address Issue", "Payment Issue")
PLACES = ("BENGALURU", "HYDERABAD", "NAGPUR", "DELHI", "JAIPUR", "PUNE")


@dataclass(frozen=True, slots=True)
class Shares:
    """Out of a hundred shipments, how many end how; the same for the same seed and order."""

    delivered: int = 85
    undelivered: int = 5
    rto: int = 10
    seed: int = 0

    def draw(self, order_number: str) -> str:
        digest = hashlib.sha256(f"{self.seed}:{order_number}".encode()).digest()
        lot = int.from_bytes(digest[:4], "big") % (self.delivered + self.undelivered + self.rto)
        if lot < self.delivered:
            return "delivered"
        return "undelivered" if lot < self.delivered + self.undelivered else "rto"


class LifeCycles:
    """Runs the lives of shipments; `announce` is told of every step."""

    def __init__(
        self,
        announce: Callable[[Booked, Step], None],
        shares: Shares,
        pace: float,
        *,
        brief: bool = False,
    ) -> None:
        self._announce = announce
        self._shares = shares
        self._pace = pace
        self._brief = brief
        self._tasks: dict[Booked, asyncio.Task[None]] = {}

    def start(self, shipment: Booked) -> None:
        """Send a shipment on its way."""
        way = RETURN_WAY if shipment.reverse else WAYS[self._shares.draw(shipment.order_number)]
        self._run(shipment, way)

    def cancel(self, shipment: Booked) -> bool:
        """Cancel: before pick-up it ends there, after it the parcel travels back.

        False where it was cancelled already, or has ended.
        """
        if shipment.finished or shipment.cancelled:
            return False
        self._stop(shipment)
        if shipment.status in BEFORE_PICKUP:
            self._finish(shipment, "Cancelled")
        else:
            self._announce(shipment, shipment.add("Cancelled"))
            self._run(shipment, BACK)
        return True

    def attempt_again(self, shipment: Booked) -> None:
        """Try once more to deliver a parcel that was not."""
        self._stop(shipment)
        self._run(shipment, AGAIN)

    def send_back(self, shipment: Booked) -> None:
        """Return an undelivered parcel because its seller says so."""
        self._stop(shipment)
        self._run(shipment, SENT_BACK)

    def advance(self, shipment: Booked, status: str) -> None:
        """Put a shipment into a status by hand; it stays there."""
        self._stop(shipment)
        self._finish(shipment, status)

    def _finish(self, shipment: Booked, status: str) -> None:
        shipment.destiny, shipment.finished = status, True
        self._announce(shipment, self._step(shipment, status))

    def _run(self, shipment: Booked, way: tuple[str, ...]) -> None:
        shipment.destiny, shipment.finished = way[-1], False
        if self._brief:
            way = (way[0], way[-1])
        self._tasks[shipment] = asyncio.create_task(self._live(shipment, way))

    async def _live(self, shipment: Booked, way: tuple[str, ...]) -> None:
        for number, status in enumerate(way):
            await asyncio.sleep(self._pace)
            step = self._step(shipment, status)
            shipment.finished = number == len(way) - 1
            self._announce(shipment, step)
        del self._tasks[shipment]

    def _stop(self, shipment: Booked) -> None:
        task = self._tasks.pop(shipment, None)
        if task:
            task.cancel()

    @staticmethod
    def _step(shipment: Booked, status: str) -> Step:
        lot = hashlib.sha256(f"{shipment.order_number}:{status}".encode()).digest()
        reason = REASONS[lot[0] % len(REASONS)] if status == "Undelivered" else ""
        place = "" if status == "Delivered" else PLACES[lot[1] % len(PLACES)]
        return shipment.add(status, f"{status} successfully", place, reason)
