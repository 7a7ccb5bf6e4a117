"""The life cycles of Delhivery's shipments, and what cancellations and NDR actions change."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence

from sandbox.delhivery import statuses
from sandbox.delhivery.options import DelhiveryOptions
from sandbox.delhivery.shipments import DelhiveryShipment
from sandbox.delhivery.switches import DelhiverySwitches
from sandbox.ledger import Step
from sandbox.lifecycle import LifeCycles

CITIES = (
    "Bengaluru_Bommasandra_HB (Karnataka)", "Delhi_Kirtinagar_C (Delhi)",
    "Jaipur_Sez_Dpc (Rajasthan)", "Nagpur_Hub (Maharashtra)",
)  # fmt: skip
WORDS = {
    "X-UCI": "Shipment details manifested", "X-PNP": "Shipment not received from client",
    "FMPUR-101": "Pickup scheduled", "FMOFP-101": "Out for pickup",
    "X-PPOM": "Shipment picked up", "DTUP-210": "Seller cancelled the order",
    "EOD-11": "Consignee unavailable", "EOD-6": "Consignee refused to accept/order cancelled",
    "EOD-74": "Bad/Incomplete address", "EOD-15": "Consignee moved/shifted",
    "EOD-69": "Customer wants open delivery", "EOD-38": "Delivered to consignee",
    "ST-114": "Call placed to consignee",
}  # fmt: skip


class DelhiveryLifeCycles(LifeCycles[DelhiveryShipment]):
    """Life cycles by Delhivery's statuses; `on_step` is called with each step."""

    def __init__(
        self,
        options: DelhiveryOptions,
        switches: DelhiverySwitches,
        on_step: Callable[[DelhiveryShipment, Step], None],
    ) -> None:
        super().__init__(options.pace, brief=options.brief)
        self._options = options
        self._switches = switches
        self._on_step = on_step
        self._late_scans: set[asyncio.Task[None]] = set()

    def start(self, shipment: DelhiveryShipment) -> None:
        """Reach the first status, and start the life cycle unless the sandbox is on hold."""
        first = statuses.RETURN_OPEN if shipment.reverse else statuses.MANIFESTED
        self.reach(shipment, first)
        if self._switches.not_picked_at_once and not shipment.reverse:
            self.reach(shipment, statuses.NOT_PICKED_YET)
        if self._options.hold:
            return
        outcome = self._options.outcomes.draw(shipment.order_number, self._options.seed)
        if shipment.reverse:
            way = statuses.RETURNS.get(outcome, statuses.RETURN)
        else:
            way = statuses.FORWARD[outcome]
        self.run(shipment, [statuses.with_reason(one, shipment.order_number) for one in way])

    def join(self, box: DelhiveryShipment, master: DelhiveryShipment) -> None:
        """Take another box of a shipment where its first one is; it goes with that one then."""
        for step in master.steps:
            self._on_step(box, box.add_step(step.status, step.description, step.location))
        box.final_status, box.finished = master.final_status, master.finished

    def cancel(self, shipment: DelhiveryShipment) -> None:
        """Cancel a shipment that may be: one that is on its way is returned to the seller."""
        shipment.cancelled = True
        if shipment.reverse:
            self.advance(shipment, f"CN/Canceled/{statuses.CANCEL_CODE}")
        elif statuses.is_before_pickup(shipment.status):
            self._cancel_before_pickup(shipment)
        else:
            self._turn_back(shipment)

    def _cancel_before_pickup(self, shipment: DelhiveryShipment) -> None:
        """The status stays as it is; a scan comes later, or never."""
        self.stop(shipment)
        status = f"UD/{shipment.now.word}/{statuses.CANCEL_CODE}"
        shipment.final_status = status
        if not self._switches.cancel_scan_comes:
            shipment.finished = True
            return
        shipment.finished = False
        scan = asyncio.create_task(self._scan_late(shipment, status))
        self._late_scans.add(scan)
        scan.add_done_callback(self._late_scans.discard)

    async def _scan_late(self, shipment: DelhiveryShipment, status: str) -> None:
        await asyncio.sleep(self._switches.cancel_scan_lag)
        self.advance(shipment, status)

    def _turn_back(self, shipment: DelhiveryShipment) -> None:
        first, *others = statuses.RTO
        self.advance(shipment, first)
        self.continue_with(shipment, others)

    def continue_with(self, shipment: DelhiveryShipment, way: Sequence[str]) -> None:
        """Take another way from here, unless the sandbox is on hold."""
        if not self._options.hold:
            self.run(shipment, way)

    def advance(self, shipment: DelhiveryShipment, status: str) -> None:
        """Put a shipment into a status at once. Raises Refused for what is no status."""
        statuses.Status.parse(status)
        super().advance(shipment, status)

    def reach(self, shipment: DelhiveryShipment, status: str) -> None:
        """Add the status to the shipment and to its other boxes, and send their callbacks."""
        words = WORDS.get(statuses.Status.parse(status).code, "Shipment processed")
        digest = hashlib.sha256(f"{shipment.order_number}:{status}".encode()).digest()
        place = CITIES[digest[0] % len(CITIES)]
        boxes = [box for box in shipment.boxes if not box.cancelled]
        for one in (shipment, *boxes):
            self._on_step(one, one.add_step(status, words, place))
