"""The statuses that Ekart's shipments go through, and what a cancellation or NDR action changes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from sandbox.ekart.options import EkartOptions
from sandbox.ekart.shipments import EkartShipment
from sandbox.ledger import Step
from sandbox.lifecycle import LifeCycles

PICK_UP_TO_DELIVERY = (
    "Pickup Scheduled", "Out for Pickup", "Picked Up", "In Transit", "Out for Delivery",
)  # fmt: skip
RTO = ("RTO Requested", "RTO In Transit", "RTO Out for Delivery", "RTO Delivered")

# What follows "Order Placed", by the outcome that is drawn for the shipment.
FORWARD: dict[str, tuple[str, ...]] = {
    "delivered": (*PICK_UP_TO_DELIVERY, "Delivered"),
    "undelivered": (*PICK_UP_TO_DELIVERY, "Undelivered"),
    "rto": (*PICK_UP_TO_DELIVERY, "Undelivered", *RTO),
    "recovered": (*PICK_UP_TO_DELIVERY, "Undelivered", "Out for Delivery", "Delivered"),
    "lost": (*PICK_UP_TO_DELIVERY[:-1], "Lost"),
    "not_picked": (*PICK_UP_TO_DELIVERY[:2], "Not Picked"),
}
REVERSE = ("Pickup Scheduled", "Out for Pickup", "Picked Up", "In Transit", "Delivered")
REATTEMPT = ("Out for Delivery", "Delivered")
SELLER_RTO = ("Seller RTO Requested", "RTO In Transit", "RTO Delivered")

BEFORE_PICKUP = {"Order Placed", "Pickup Pending", "Pickup Scheduled", "Out for Pickup"}
NDR_REASONS = ("Customer Unavailable", "Customer Unreachable", "Address Issue", "Payment Issue")
CITIES = ("BENGALURU", "HYDERABAD", "NAGPUR", "DELHI", "JAIPUR", "PUNE")


class EkartLifeCycles(LifeCycles[EkartShipment]):
    """Life cycles by Ekart's statuses; `on_step` is called with each step."""

    def __init__(
        self, options: EkartOptions, on_step: Callable[[EkartShipment, Step], None]
    ) -> None:
        super().__init__(options.pace, brief=options.brief)
        self._options = options
        self._on_step = on_step

    def start(self, shipment: EkartShipment) -> None:
        """Start the life cycle of a new shipment, unless the sandbox is on hold."""
        if self._options.hold:
            return
        if shipment.reverse:
            self.run(shipment, REVERSE)
        else:
            outcome = self._options.outcomes.draw(shipment.order_number, self._options.seed)
            self.run(shipment, FORWARD[outcome])

    def cancel(self, shipment: EkartShipment) -> bool:
        """Cancel a shipment: before pick-up it ends there, later it is returned to the seller.

        False where it was cancelled already, or has ended.
        """
        if shipment.finished or shipment.cancelled:
            return False
        if shipment.status in BEFORE_PICKUP:
            self.advance(shipment, "Cancelled")
        else:
            self._on_step(shipment, shipment.add_step("Cancelled"))
            self.run(shipment, RTO)
        return True

    def reattempt(self, shipment: EkartShipment) -> None:
        """Deliver an undelivered shipment at the next attempt, unless the sandbox is on hold."""
        if not self._options.hold:
            self.run(shipment, REATTEMPT)

    def return_to_seller(self, shipment: EkartShipment) -> None:
        """Return an undelivered shipment as its seller asked, unless the sandbox is on hold."""
        if not self._options.hold:
            self.run(shipment, SELLER_RTO)

    def reach(self, shipment: EkartShipment, status: str) -> None:
        digest = hashlib.sha256(f"{shipment.order_number}:{status}".encode()).digest()
        reason = NDR_REASONS[digest[0] % len(NDR_REASONS)] if status == "Undelivered" else ""
        city = "" if status == "Delivered" else CITIES[digest[1] % len(CITIES)]
        step = shipment.add_step(status, f"{status} successfully", city, reason)
        self._on_step(shipment, step)
