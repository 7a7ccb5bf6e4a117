"""Velocity's ledger: orders with and without a carrier, warehouses and the wallet. In memory."""

from __future__ import annotations

import itertools
import secrets
import time
from collections.abc import Mapping
from typing import Any

from sandbox.errors import Declined
from sandbox.ledger import Ledger
from sandbox.velocity.carriers import Carrier
from sandbox.velocity.shipments import VelocityShipment

LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789"  # pragma: allowlist secret


class VelocityLedger(Ledger[VelocityShipment]):
    """The ledger with the orders that have no AWB, which are not booked."""

    def __init__(self, wallet: float) -> None:
        super().__init__()
        self.orders: list[VelocityShipment] = []
        self.warehouses: dict[str, dict[str, Any]] = {}
        self.wallet = wallet
        # Clients remember the numbers of earlier runs, so those of each run must differ.
        self._run_mark = secrets.randbelow(10**6)
        self._serial_numbers = itertools.count(1)
        self._latest: dict[tuple[str, bool], VelocityShipment] = {}

    def make_order(
        self, body: Mapping[str, Any], origin: str, *, reverse: bool
    ) -> VelocityShipment:
        """Make an order without a carrier, whether or not its number is known."""
        order = VelocityShipment(
            tracking_id="",
            order_number=body["order_id"],
            reverse=reverse,
            body=dict(body),
            origin=origin,
            order_id=_number("ORD"),
            shipment_id=_number("SHI"),
            return_id=_number("RET") if reverse else "",
        )
        order.add_step("return_requested" if reverse else "pending")
        order.index_words()
        self.orders.append(order)
        self._latest[(order.order_number, reverse)] = order
        return order

    def assign(
        self, order: VelocityShipment, carrier: Carrier, prices: Mapping[str, float]
    ) -> None:
        """Book an order with a carrier, and charge the wallet."""
        self.wallet -= prices["total"]
        serial = next(self._serial_numbers)
        order.tracking_id = f"34{self._run_mark:06d}{serial:07d}"
        order.carrier, order.prices = carrier, prices
        order.index_words()
        self.add(order)

    def refund(self, order: VelocityShipment) -> None:
        """Give back what was charged for a cancelled parcel."""
        self.wallet += order.prices["total"]

    def order_of(self, number: str, *, reverse: bool) -> VelocityShipment | None:
        """The latest order with the client's number."""
        return self._latest.get((number, reverse))

    def order_by(self, name: str, number: str) -> VelocityShipment:
        """The order with one of Velocity's numbers. Raises Declined if there is none."""
        for order in reversed(self.orders):
            if number and getattr(order, name) == number:
                return order
        raise Declined(f"{name} {number} is not found")

    def search(self, text: str, *, reverse: bool, lag: float) -> list[VelocityShipment]:
        """Every order, newest first, that has the text anywhere and is older than `lag` seconds."""
        before_ms = (time.time() - lag) * 1000
        wanted = text.casefold()
        return [
            order
            for order in reversed(self.orders)
            if order.reverse is reverse and order.made_ms <= before_ms and wanted in order.found_by
        ]

    def add_warehouse(self, body: dict[str, Any]) -> str:
        """A new warehouse, also where there is one like it: each call makes another."""
        warehouse_id = _number("WH", 4)
        self.warehouses[warehouse_id] = body
        return warehouse_id

    def warehouse(self, warehouse_id: str) -> dict[str, Any]:
        """The warehouse with this id. Raises Declined if there is none."""
        if warehouse_id not in self.warehouses:
            raise Declined(f"warehouse_id {warehouse_id} is not found")
        return self.warehouses[warehouse_id]

    def state(self) -> dict[str, Any]:
        return super().state() | {
            "without_awb": sum(not order.tracking_id for order in self.orders),
            "warehouses": len(self.warehouses),
            "wallet": round(self.wallet, 2),
        }


def _number(prefix: str, length: int = 10) -> str:
    return prefix + "".join(secrets.choice(LETTERS) for _ in range(length))
