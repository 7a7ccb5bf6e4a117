"""Delhivery's ledger: shipments by waybill and order, warehouses, pickups, NDR requests."""

from __future__ import annotations

import itertools
import secrets
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from sandbox.delhivery.shipments import DelhiveryShipment
from sandbox.delhivery.switches import DelhiverySwitches
from sandbox.delhivery.waybills import Waybills
from sandbox.ledger import Ledger


@dataclass(slots=True)
class Pickup:
    """A request for a pickup at a warehouse; `day` is YYYY-MM-DD."""

    id: int
    client: str
    warehouse: str
    day: str
    time: str
    packages: int

    def as_json(self) -> dict[str, Any]:
        return {
            "pickup_id": self.id,
            "client_name": self.client,
            "pickup_location_name": self.warehouse,
            "pickup_date": self.day,
            "pickup_time": self.time,
            "expected_package_count": self.packages,
        }


@dataclass(slots=True)
class UpdateRequest:
    """Actions for undelivered shipments, and what became of each: None while it is not over.

    `results` has (waybill, action, message); an empty message means that it was done.
    """

    client: str
    results: list[tuple[str, str, str | None]] = field(default_factory=list)


class DelhiveryLedger(Ledger[DelhiveryShipment]):
    """The ledger with what only Delhivery keeps. Accounts see nothing of each other's."""

    def __init__(self, switches: DelhiverySwitches) -> None:
        super().__init__()
        self.waybills = Waybills(switches)
        self.warehouses: dict[tuple[str, str], dict[str, Any]] = {}
        self.pickups: list[Pickup] = []
        self.updates: dict[str, UpdateRequest] = {}
        self.identities: set[tuple[Any, ...]] = set()
        self._switches = switches
        self._serials = itertools.count(secrets.randbelow(10**6) + 10**6)
        self._by_order: defaultdict[tuple[str, str], list[DelhiveryShipment]] = defaultdict(list)

    def book(self, shipment: DelhiveryShipment, master: DelhiveryShipment | None) -> None:
        """Book a shipment. With a master it is another box of that one, and no booking."""
        if master is None:
            self.add(shipment)
        else:
            master.boxes.append(shipment)
            self.index(shipment)
        self.identities.add(shipment.identity)
        self._by_order[(shipment.client, shipment.order_number)].append(shipment)

    def of_client(self, client: str, waybill: str) -> DelhiveryShipment | None:
        """The account's shipment with this waybill."""
        found = self.find(waybill)
        return found if found is not None and found.client == client else None

    def by_order(self, client: str, order_number: str) -> list[DelhiveryShipment]:
        """The account's shipments of an order that the search has indexed by now."""
        indexed = time.monotonic() - self._switches.search_lag
        return [s for s in self._by_order[(client, order_number)] if s.booked_at <= indexed]

    def next_id(self) -> int:
        """A number for a pickup, a batch or a request."""
        return next(self._serials)

    def state(self) -> dict[str, Any]:
        return super().state() | {
            "pickups": len(self.pickups),
            "warehouses": len(self.warehouses),
            "boxes": sum(len(shipment.boxes) for shipment in self.shipments),
        }
