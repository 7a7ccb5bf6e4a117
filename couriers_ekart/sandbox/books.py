"""The sandbox's books: what was really registered, booked and cancelled. Pure, in memory.

Like Ekart it books again whatever is sent again: the count of bookings an order is what tests of
"one order, one shipment" compare with.
"""

from __future__ import annotations

import secrets
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

TOKEN_LIFE = 24 * 3600


@dataclass(slots=True)
class Step:
    """One status of a shipment; `ctime` in milliseconds since the epoch."""

    status: str
    ctime: int
    desc: str
    location: str = ""
    ndr_status: str = ""


@dataclass(slots=True)
class Booked:
    """A shipment in the books. `destiny` is the status that its life cycle ends in."""

    tracking_id: str
    wbn: str
    order_number: str
    reverse: bool
    body: dict[str, Any]
    destiny: str = ""
    steps: list[Step] = field(default_factory=list)
    finished: bool = False
    attempts: int = 0

    @property
    def status(self) -> str:
        return self.steps[-1].status

    def add(self, status: str, desc: str = "", location: str = "", ndr_status: str = "") -> Step:
        """Add a status, later than all before it and not in the future by more than the steps."""
        now = int(time.time() * 1000)
        ctime = max(now, self.steps[-1].ctime + 1) if self.steps else now
        if status == "Out for Delivery":
            self.attempts += 1
        step = Step(status, ctime, desc or status, location, ndr_status)
        self.steps.append(step)
        return step

    def summary(self) -> dict[str, Any]:
        return {
            "tracking_id": self.tracking_id,
            "wbn": self.wbn,
            "order_number": self.order_number,
            "reverse": self.reverse,
            "status": self.status,
            "destiny": self.destiny,
            "finished": self.finished,
        }


@dataclass(slots=True)
class Webhook:
    """A registered callback."""

    id: str
    url: str
    secret: str
    topics: list[str]
    active: bool = True

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "url": self.url,
            "secret": self.secret,
            "topics": self.topics,
            "active": self.active,
        }


class Books:
    """Everything that the sandbox knows."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        # Ids are never the same in two runs: the platform remembers those of the last one.
        self.mark = "".join(secrets.choice("BCDFGHJKLMNPQRSTVWXZ") for _ in range(4))
        self.token = ""
        self.token_until = 0.0
        self.shipments: dict[str, Booked] = {}
        self.orders: Counter[tuple[str, bool]] = Counter()
        self.addresses: dict[str, dict[str, Any]] = {}
        self.webhooks: dict[str, Webhook] = {}
        self.calls: Counter[str] = Counter()
        self.recorded: list[dict[str, Any]] = []

    def hand_out_token(self) -> tuple[str, int]:
        """The token and the seconds it still holds: the same one for 24 hours."""
        now = time.time()
        if now >= self.token_until:
            self.token, self.token_until = secrets.token_urlsafe(32), now + TOKEN_LIFE
        return self.token, int(self.token_until - now)

    def revoke_token(self) -> None:
        """Refuse the current token from now on; the next auth call makes a new one."""
        self.token, self.token_until = "", 0.0

    def book(self, body: dict[str, Any]) -> Booked:
        """Book, whether or not the order was booked before."""
        number = len(self.shipments) + 1
        reverse = body["payment_mode"] == "Pickup"
        booked = Booked(
            tracking_id=f"500{number % 1000:03d}{self.mark}{number:07d}",
            wbn=f"SB{self.mark}{number:010d}",
            order_number=body["order_number"],
            reverse=reverse,
            body=body,
        )
        booked.add("Order Placed", "Shipment booked")
        self.shipments[booked.tracking_id] = booked
        self.orders[(booked.order_number, reverse)] += 1
        return booked

    def state(self) -> dict[str, Any]:
        """The counts that tests compare with."""
        return {
            "booked": len(self.shipments),
            "orders": len(self.orders),
            "duplicates": sum(count - 1 for count in self.orders.values()),
            "finished": sum(s.finished for s in self.shipments.values()),
            "statuses": dict(Counter(s.status for s in self.shipments.values())),
            "calls": dict(self.calls),
        }
