"""An order at Velocity, with the shipment that it becomes when a carrier takes it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.ledger import Shipment
from sandbox.velocity.carriers import Carrier, Parcel

MOST_CHECKED = 2  # SKUs of a return whose quality is checked


@dataclass(eq=False, kw_only=True)
class VelocityShipment(Shipment):
    """An order; its `tracking_id` is the AWB, empty while no carrier has taken it.

    `order_id` and `shipment_id` are Velocity's own numbers, `order_number` is the client's;
    `origin` is the pincode where it is fetched. `found_by` is what the full-text search looks at,
    `utr_no` the number of the bank transfer that paid its COD. `refusal_verified` tells that the
    consignee refused the parcel with a one-time password.
    """

    order_id: str
    shipment_id: str
    origin: str
    return_id: str = ""
    carrier: Carrier | None = None
    prices: Mapping[str, float] = field(default_factory=dict)
    made_ms: int = field(default_factory=lambda: int(time.time() * 1000))
    label_url: str = ""
    found_by: str = ""
    utr_no: str = ""
    refusal_verified: bool = False
    cancel_asked: bool = False
    ndr_actions: list[str] = field(default_factory=list)
    changes: dict[str, Any] = field(default_factory=dict)

    @property
    def destination(self) -> str:
        """The pincode where it is brought."""
        return str(self.body["shipping_pincode" if self.reverse else "billing_pincode"])

    @property
    def customer(self) -> str:
        return "pickup" if self.reverse else "billing"

    @property
    def parcel(self) -> Parcel:
        body = self.body
        return Parcel(
            grams=body["weight"] * 1000,
            sizes=(body["length"], body["breadth"], body["height"]),
            cod=0.0 if self.reverse else float(body["cod_collectible"]),
        )

    @property
    def wants_quality_check(self) -> bool:
        """Whether a return is checked when it is fetched: one of more than two SKUs is not."""
        items = self.body["order_items"]
        return len(items) <= MOST_CHECKED and any(item.get("qc_enable") for item in items)

    @property
    def failed_attempts(self) -> int:
        """How often its delivery has failed."""
        return sum(step.status == "ndr_raised" for step in self.steps)

    def time_of(self, *statuses: str) -> int | None:
        """When it first reached one of these statuses, in milliseconds since the epoch."""
        return next((step.time_ms for step in self.steps if step.status in statuses), None)

    def index_words(self) -> None:
        """Let the full-text search look at what is known of it now."""
        body, who = self.body, self.customer
        named = (f"{who}_{part}" for part in (
            "customer_name", "last_name", "address", "city", "pincode", "phone", "email"
        ))  # fmt: skip
        items = [str(item[part]) for item in body["order_items"] for part in ("name", "sku")]
        numbers = [self.order_number, self.order_id, self.shipment_id, self.tracking_id]
        words = [*numbers, *(str(body.get(name, "")) for name in named), *items]
        self.found_by = "\n".join(words).casefold()

    def summary(self) -> dict[str, Any]:
        return {
            **super().summary(),
            "order_id": self.order_id,
            "shipment_id": self.shipment_id,
            "carrier": self.carrier.name if self.carrier else "",
            "statuses": [step.status for step in self.steps],
            "ndr_actions": self.ndr_actions,
            "address_changed": "updated_address" in self.changes,
            "phone_changed": "updated_phone_number" in self.changes,
        }
