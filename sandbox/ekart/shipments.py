"""A shipment of Ekart's as its operations see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.ledger import Shipment

TRAVEL_MS = 3 * 86_400_000  # from pick-up to delivery
LARGE_ABOVE_G = 20_000


def is_large(body: Mapping[str, Any]) -> bool:
    """Whether the network for large goods carries what a create call describes."""
    return bool(body.get("mps")) or body["weight"] > LARGE_ABOVE_G


@dataclass(eq=False, kw_only=True)
class EkartShipment(Shipment):
    """A booked shipment; `wbn` is its waybill, `dispatch_date` an ISO date, empty while unset."""

    wbn: str
    dispatch_date: str = ""
    ndr_actions: list[dict[str, Any]] = field(default_factory=list)

    @property
    def cancelled(self) -> bool:
        return any(step.status == "Cancelled" for step in self.steps)

    @property
    def attempts(self) -> int:
        """How often its delivery was tried."""
        return sum(step.status == "Out for Delivery" for step in self.steps)

    @property
    def picked_up_ms(self) -> int | None:
        """When it was picked up, in milliseconds since the epoch."""
        return next((step.time_ms for step in self.steps if step.status == "Picked Up"), None)

    @property
    def expected_ms(self) -> int | None:
        """When it should be delivered, in milliseconds since the epoch; None before pick-up."""
        return self.picked_up_ms + TRAVEL_MS if self.picked_up_ms else None

    @property
    def is_delayed(self) -> bool:
        """Whether it was booked to wait for a dispatch date."""
        return bool(self.body.get("delayed_dispatch"))

    @property
    def is_large(self) -> bool:
        return is_large(self.body)

    @property
    def has_several_packages(self) -> bool:
        return bool(self.body.get("mps"))

    @property
    def package_weights(self) -> list[float]:
        """The weight of each package in grams."""
        if not self.has_several_packages:
            return [float(self.body["weight"])]
        counted = ((float(p["weight"]), int(p.get("count", 1))) for p in self.body["packages"])
        return [weight for weight, count in counted for _ in range(count)]

    @property
    def address(self) -> str:
        """The consignee's address, as last changed by an NDR action."""
        return str(self._last_given("address"))

    @property
    def phone(self) -> str:
        """The consignee's phone, as last changed by an NDR action."""
        return str(self._last_given("phone"))

    def _last_given(self, name: str) -> Any:
        changes = [action[name] for action in self.ndr_actions if name in action]
        return changes[-1] if changes else self.body["drop_location"][name]

    def summary(self) -> dict[str, Any]:
        return {
            **super().summary(),
            "wbn": self.wbn,
            "delayed": self.is_delayed,
            "dispatch_date": self.dispatch_date,
            "ndr_actions": [action["action"] for action in self.ndr_actions],
            "address_changed": any("address" in action for action in self.ndr_actions),
            "phone_changed": any("phone" in action for action in self.ndr_actions),
        }
