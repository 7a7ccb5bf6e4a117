"""The life cycles of shipments, on a fast clock: how they end, and the steps on the way."""

from __future__ import annotations

import asyncio
import hashlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Generic

from sandbox.chosen_ends import OUTCOMES, chosen_end
from sandbox.ledger import AnyShipment


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Of each hundred shipments, how many end delivered, undelivered or returned to the seller.

    A courier may have more: `recovered` are undelivered at first and then delivered, `lost` on the
    way, `not_picked` stay with the seller. Other sums than a hundred are taken as proportions.
    """

    delivered: int = 85
    undelivered: int = 5
    rto: int = 10
    recovered: int = 0
    lost: int = 0
    not_picked: int = 0

    def draw(self, order_number: str, seed: int) -> str:
        """The name of an outcome: always the same for the same order number and seed.

        It is what the number chooses, whatever the proportions are (sandbox.chosen_ends).
        """
        if (end := chosen_end(order_number)) and end in OUTCOMES:
            return OUTCOMES[end]
        digest = hashlib.sha256(f"{seed}:{order_number}".encode()).digest()
        shares = asdict(self)
        number = int.from_bytes(digest[:4], "big") % sum(shares.values())
        for name, share in shares.items():
            if number < share:
                return name
            number -= share
        raise AssertionError("the number is less than the sum of the shares")


class LifeCycles(ABC, Generic[AnyShipment]):
    """Takes shipments through statuses, `pace` seconds apart.

    With `brief` a shipment reaches only the first and the last status of each sequence. A courier's
    subclass knows the sequences, and writes `reach`.
    """

    def __init__(self, pace: float, *, brief: bool) -> None:
        self._pace = pace
        self._brief = brief
        self._tasks: dict[AnyShipment, asyncio.Task[None]] = {}

    @abstractmethod
    def reach(self, shipment: AnyShipment, status: str) -> None:
        """Add the status to the shipment, and send its callbacks."""

    def run(self, shipment: AnyShipment, statuses: Sequence[str]) -> None:
        """Take a shipment through these statuses, in place of any that it was still to reach."""
        self.stop(shipment)
        shipment.final_status, shipment.finished = statuses[-1], False
        if self._brief:
            statuses = (statuses[0], statuses[-1])
        self._tasks[shipment] = asyncio.create_task(self._reach_all(shipment, statuses))

    def advance(self, shipment: AnyShipment, status: str) -> None:
        """Put a shipment into a status at once; it stays there."""
        self.stop(shipment)
        shipment.final_status, shipment.finished = status, True
        self.reach(shipment, status)

    def stop(self, shipment: AnyShipment) -> None:
        """Leave a shipment in its present status."""
        task = self._tasks.pop(shipment, None)
        if task:
            task.cancel()

    async def _reach_all(self, shipment: AnyShipment, statuses: Sequence[str]) -> None:
        for number, status in enumerate(statuses, start=1):
            await asyncio.sleep(self._pace)
            shipment.finished = number == len(statuses)
            self.reach(shipment, status)
        del self._tasks[shipment]
