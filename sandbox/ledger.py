"""The sandbox's books: what was really registered, booked and cancelled. Pure, in memory.

Like Ekart it books again whatever is sent again: the count of bookings an order is what tests of
"one order, one shipment" compare with.
"""

from __future__ import annotations

import hmac
import itertools
import secrets
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from sandbox.ekart.shipment_validation import is_large

TRAVEL = 3 * 86_400_000  # milliseconds from pick-up to delivery


@dataclass(slots=True)
class Step:
    """One status of a shipment; `ctime` in milliseconds since the epoch."""

    status: str
    ctime: int
    desc: str
    location: str = ""
    ndr_status: str = ""


@dataclass(slots=True, eq=False)
class Booked:
    """A shipment in the books. `destiny` is the status that its life cycle ends in.

    `former_ids` are the tracking ids that it had before it was made anew. `address` and `phone` are
    the customer's, as the create call or a later NDR action has them.
    """

    tracking_id: str
    wbn: str
    order_number: str
    reverse: bool
    body: dict[str, Any]
    destiny: str = ""
    steps: list[Step] = field(default_factory=list)
    finished: bool = False
    attempts: int = 0
    dispatch_date: str = ""
    former_ids: list[str] = field(default_factory=list)
    ndr_actions: list[dict[str, Any]] = field(default_factory=list)

    @property
    def status(self) -> str:
        return self.steps[-1].status

    @property
    def cancelled(self) -> bool:
        return any(step.status == "Cancelled" for step in self.steps)

    @property
    def picked_up(self) -> int | None:
        """When it was picked up, in milliseconds since the epoch."""
        return next((step.ctime for step in self.steps if step.status == "Picked Up"), None)

    @property
    def expected(self) -> int | None:
        """When it should be delivered, in milliseconds; known only after pick-up."""
        return self.picked_up + TRAVEL if self.picked_up else None

    @property
    def delayed(self) -> bool:
        """Whether it was made to wait for a dispatch date."""
        return bool(self.body.get("delayed_dispatch"))

    @property
    def mps(self) -> bool:
        return bool(self.body.get("mps"))

    @property
    def packages(self) -> list[float]:
        """The weight of each parcel in grams."""
        if not self.mps:
            return [float(self.body["weight"])]
        counted = ((float(p["weight"]), int(p.get("count", 1))) for p in self.body["packages"])
        return [weight for weight, count in counted for _ in range(count)]

    @property
    def large(self) -> bool:
        return is_large(self.body)

    @property
    def address(self) -> str:
        return str(self._changed("address"))

    @property
    def phone(self) -> str:
        return str(self._changed("phone"))

    def _changed(self, name: str) -> Any:
        changes = [action[name] for action in self.ndr_actions if name in action]
        return changes[-1] if changes else self.body["drop_location"][name]

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
            "delayed": self.delayed,
            "dispatch_date": self.dispatch_date,
            "former_ids": self.former_ids,
            "ndr_actions": [action["action"] for action in self.ndr_actions],
            "address_changed": any("address" in action for action in self.ndr_actions),
            "phone_changed": any("phone" in action for action in self.ndr_actions),
        }


@dataclass(frozen=True, slots=True)
class Manifest:
    """A hand-over list; `ctime` in milliseconds since the epoch."""

    number: int
    ctime: int
    ids: tuple[str, ...]
    lines: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        return {"manifestNumber": self.number, "ctime": self.ctime, "ids": list(self.ids)}


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
    """Everything that the sandbox knows. `token_life` is in seconds."""

    def __init__(self, token_life: float = 24 * 3600) -> None:
        # Ids are never the same in two runs: the platform remembers those of the last one.
        self.mark = "".join(secrets.choice("BCDFGHJKLMNPQRSTVWXZ") for _ in range(4))
        self.token = ""
        self.token_until = 0.0
        self._token_life = token_life
        self.shipments: list[Booked] = []
        self.orders: Counter[tuple[str, bool]] = Counter()
        self.manifests: dict[int, Manifest] = {}
        self.addresses: dict[str, dict[str, Any]] = {}
        self.webhooks: dict[str, Webhook] = {}
        self.calls: Counter[str] = Counter()
        self.recorded: list[dict[str, Any]] = []
        self._numbers = itertools.count(1)
        self._by_tracking_id: dict[str, Booked] = {}
        self._by_waybill: dict[str, Booked] = {}

    def hand_out_token(self) -> tuple[str, int]:
        """The token and the seconds it still holds: the same one for its whole life."""
        now = time.time()
        if now >= self.token_until:
            self.token, self.token_until = secrets.token_urlsafe(32), now + self._token_life
        return self.token, int(self.token_until - now)

    def knows_token(self, token: str) -> bool:
        """Whether it is the one handed out last, and has not run out."""
        alive = time.time() < self.token_until
        return alive and hmac.compare_digest(token.encode(), self.token.encode())

    def revoke_token(self) -> None:
        """Refuse the current token from now on; the next auth call makes a new one."""
        self.token, self.token_until = "", 0.0

    def book(self, body: dict[str, Any]) -> Booked:
        """Book, whether or not the order was booked before."""
        tracking_id, wbn = self._next_ids()
        reverse = body["payment_mode"] == "Pickup"
        booked = Booked(tracking_id, wbn, body["order_number"], reverse, body)
        booked.add("Order Placed", "Shipment booked")
        self.shipments.append(booked)
        self._index(booked)
        self.orders[(booked.order_number, reverse)] += 1
        return booked

    def recreate(self, shipment: Booked) -> None:
        """Give a shipment a new tracking id and waybill. It is the same booking, counted once."""
        shipment.former_ids.append(shipment.tracking_id)
        shipment.tracking_id, shipment.wbn = self._next_ids()
        self._index(shipment)

    def find(self, tracking_id: str) -> Booked | None:
        """A shipment by its tracking id, or by one that it had before it was made anew."""
        return self._by_tracking_id.get(tracking_id)

    def find_by_any(self, name: str) -> Booked | None:
        """A shipment by its tracking id or its waybill: some calls take either."""
        return self.find(name) or self._by_waybill.get(name)

    def make_manifest(self, ids: list[str], lines: list[str]) -> Manifest:
        """A new manifest each time, like Ekart's: nothing is told from its ids being the same."""
        ctime = int(time.time() * 1000)
        number = max(ctime, next(reversed(self.manifests), 0) + 1)
        self.manifests[number] = Manifest(number, ctime, tuple(ids), tuple(lines))
        return self.manifests[number]

    def state(self) -> dict[str, Any]:
        """The counts that tests compare with."""
        return {
            "booked": len(self.shipments),
            "orders": len(self.orders),
            "duplicates": sum(count - 1 for count in self.orders.values()),
            "finished": sum(s.finished for s in self.shipments),
            "statuses": dict(Counter(s.status for s in self.shipments)),
            "manifests": len(self.manifests),
            "calls": dict(self.calls),
        }

    def _next_ids(self) -> tuple[str, str]:
        number = next(self._numbers)
        return f"500{number % 1000:03d}{self.mark}{number:07d}", f"SB{self.mark}{number:010d}"

    def _index(self, shipment: Booked) -> None:
        self._by_tracking_id[shipment.tracking_id] = shipment
        self._by_waybill[shipment.wbn] = shipment
