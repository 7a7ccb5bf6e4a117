"""The statuses that Velocity's parcels go through, and what cancellations and NDR calls change."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from sandbox.draws import draw
from sandbox.ledger import Step
from sandbox.lifecycle import LifeCycles
from sandbox.velocity import words
from sandbox.velocity.options import VelocityOptions
from sandbox.velocity.shipments import VelocityShipment
from sandbox.velocity.switches import VelocitySwitches

PICK_UP_TO_DELIVERY = ("ready_for_pickup", "picked_up", "in_transit", "out_for_delivery")
RTO = ("rto_initiated", "rto_in_transit", "rto_delivered")
REATTEMPT = ("reattempt_delivery", "delivered")
# What follows "pending", by the outcome that is drawn for the parcel.
FORWARD: dict[str, tuple[str, ...]] = {
    "delivered": (*PICK_UP_TO_DELIVERY, "delivered"),
    "undelivered": (*PICK_UP_TO_DELIVERY, "ndr_raised"),
    "rto": (*PICK_UP_TO_DELIVERY, "ndr_raised", *RTO),
    "recovered": (*PICK_UP_TO_DELIVERY, "ndr_raised", *REATTEMPT),
    "lost": (*PICK_UP_TO_DELIVERY[:3], "lost"),
    "not_picked": ("ready_for_pickup", "not_picked"),
}
# What follows "return_requested", by the switch `return_words`.
REVERSE = {
    "plain": ("pickup_scheduled", "in_transit", "return_received"),
    "prefixed": (
        "return_pickup_scheduled", "return_picked_up", "return_in_transit", "return_delivered"
    ),
}  # fmt: skip
CITIES = ("Bengaluru", "Hyderabad", "Nagpur", "Delhi", "Jaipur", "Pune")


class VelocityLifeCycles(LifeCycles[VelocityShipment]):
    """Life cycles by Velocity's words; `on_step` is called with each step."""

    def __init__(
        self,
        options: VelocityOptions,
        switches: VelocitySwitches,
        on_step: Callable[[VelocityShipment, Step], None],
        on_cancel: Callable[[VelocityShipment], None],
    ) -> None:
        super().__init__(options.pace, brief=options.brief)
        self._options = options
        self._switches = switches
        self._on_step = on_step
        self._on_cancel = on_cancel
        self._cancellations: set[asyncio.Task[None]] = set()

    def start(self, shipment: VelocityShipment) -> None:
        """Start the life cycle of a parcel that has its AWB, unless the sandbox is on hold."""
        outcome = self._options.outcomes.draw(shipment.order_number, self._options.seed)
        self._run_unless_held(
            shipment,
            REVERSE[self._switches.return_words] if shipment.reverse else FORWARD[outcome],
        )

    def reattempt(self, shipment: VelocityShipment) -> None:
        """Deliver an undelivered parcel at the next attempt, unless the sandbox is on hold."""
        self._run_unless_held(shipment, REATTEMPT)

    def return_to_seller(self, shipment: VelocityShipment) -> None:
        """Return an undelivered parcel to its seller, unless the sandbox is on hold."""
        self._run_unless_held(shipment, RTO)

    def cancel_later(self, shipment: VelocityShipment) -> None:
        """Cancel a parcel after a while, unless it is picked up by then."""
        shipment.cancel_asked = True
        task = asyncio.create_task(self._cancel(shipment))
        self._cancellations.add(task)
        task.add_done_callback(self._cancellations.discard)

    async def _cancel(self, shipment: VelocityShipment) -> None:
        await asyncio.sleep(self._switches.cancel_delay)
        if shipment.status in words.BEFORE_PICKUP:
            self._on_cancel(shipment)
            self.advance(shipment, "return_cancelled" if shipment.reverse else "cancelled")

    def _run_unless_held(self, shipment: VelocityShipment, statuses: Sequence[str]) -> None:
        if not self._options.hold:
            self.run(shipment, statuses)

    def reach(self, shipment: VelocityShipment, status: str) -> None:
        chance = draw(shipment.order_number, status)
        if status == "ndr_raised":
            activity = words.NDR_ACTIVITIES[int(chance * len(words.NDR_ACTIVITIES))]
        else:
            shown = status.replace("_", " ").upper()
            activity = words.ACTIVITIES.get(status, (shown, shown))
        text = activity[self._switches.activity_form == "code"]
        step = shipment.add_step(status, text, CITIES[int(chance * len(CITIES))])
        self._on_step(shipment, step)
