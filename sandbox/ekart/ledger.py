"""Ekart's ledger: shipments and their numbers, manifests, addresses and webhooks. In memory."""

from __future__ import annotations

import itertools
import secrets
import time
from dataclasses import asdict, dataclass
from typing import Any

from sandbox.ekart.shipments import EkartShipment
from sandbox.ledger import Ledger, existing

CONSONANTS = "BCDFGHJKLMNPQRSTVWXZ"


@dataclass(frozen=True, slots=True)
class Manifest:
    """A hand-over list; `ctime` is in milliseconds since the epoch."""

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
        return asdict(self)


class EkartLedger(Ledger[EkartShipment]):
    """The ledger with what only Ekart keeps: manifests, addresses by alias, webhooks by id."""

    def __init__(self) -> None:
        super().__init__()
        self.manifests: dict[int, Manifest] = {}
        self.addresses: dict[str, dict[str, Any]] = {}
        self.webhooks: dict[str, Webhook] = {}
        # Clients remember the numbers of earlier runs, so those of each run must differ.
        self._run_mark = "".join(secrets.choice(CONSONANTS) for _ in range(4))
        self._serial_numbers = itertools.count(1)
        self._by_waybill: dict[str, EkartShipment] = {}

    def book(self, body: dict[str, Any]) -> EkartShipment:
        """Book what a create call sent, whether or not the order was booked before."""
        tracking_id, wbn = self._next_numbers()
        shipment = EkartShipment(
            tracking_id=tracking_id,
            wbn=wbn,
            order_number=body["order_number"],
            reverse=body["payment_mode"] == "Pickup",
            body=body,
        )
        shipment.add_step("Order Placed", "Shipment booked")
        self.add(shipment)
        return shipment

    def recreate(self, shipment: EkartShipment) -> None:
        """Give a shipment a new tracking id and waybill. It is still one booking."""
        shipment.former_ids.append(shipment.tracking_id)
        shipment.tracking_id, shipment.wbn = self._next_numbers()
        self.index(shipment)

    def index(self, shipment: EkartShipment) -> None:
        super().index(shipment)
        self._by_waybill[shipment.wbn] = shipment

    def find_by_either(self, number: str) -> EkartShipment | None:
        """The shipment with this tracking id or waybill: some calls take both."""
        return self.find(number) or self._by_waybill.get(number)

    def get_by_either(self, number: str) -> EkartShipment:
        """The shipment with this tracking id or waybill. Raises NotFound if there is none."""
        return existing(self.find_by_either(number))

    def add_manifest(self, ids: list[str], lines: list[str]) -> Manifest:
        """A new manifest, also for ids that are on another one: Ekart makes one for each call."""
        ctime = int(time.time() * 1000)
        number = max(ctime, next(reversed(self.manifests), 0) + 1)
        self.manifests[number] = Manifest(number, ctime, tuple(ids), tuple(lines))
        return self.manifests[number]

    def add_webhook(self, url: str, secret: str, topics: list[str]) -> Webhook:
        webhook = Webhook(secrets.token_hex(12), url, secret, topics)
        self.webhooks[webhook.id] = webhook
        return webhook

    def state(self) -> dict[str, Any]:
        return super().state() | {"manifests": len(self.manifests)}

    def _next_numbers(self) -> tuple[str, str]:
        """A tracking id and a waybill."""
        serial = next(self._serial_numbers)
        return (
            f"500{serial % 1000:03d}{self._run_mark}{serial:07d}",
            f"SB{self._run_mark}{serial:010d}",
        )
