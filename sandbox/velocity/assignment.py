"""The choice of a carrier for an order: one after the other, until one takes it."""

from __future__ import annotations

import asyncio

from sandbox.draws import draw
from sandbox.errors import Declined
from sandbox.velocity import carriers
from sandbox.velocity.carriers import Carrier
from sandbox.velocity.ledger import VelocityLedger
from sandbox.velocity.lifecycle import VelocityLifeCycles
from sandbox.velocity.shipments import VelocityShipment
from sandbox.velocity.switches import VelocitySwitches

MOST_TRIED = 3
NOT_SERVED = "No courier is serviceable for this order"


class Assignment:
    """Gives orders their AWB."""

    def __init__(
        self,
        ledger: VelocityLedger,
        life_cycles: VelocityLifeCycles,
        switches: VelocitySwitches,
        seed: int,
    ) -> None:
        self._ledger = ledger
        self._life_cycles = life_cycles
        self._switches = switches
        self._seed = seed

    async def assign(self, order: VelocityShipment, carrier_id: str) -> str:
        """Book an order and start its life cycle, or return why no carrier takes it.

        A carrier that is asked for is tried alone, otherwise up to three of them. Raises Declined
        where the switch `failed_awb` says that such a refusal is an error answer.
        """
        reason = await self._try_all(order, self._candidates(order, carrier_id))
        if reason and self._switches.failed_awb == "error":
            raise Declined(reason)
        return reason

    def _candidates(self, order: VelocityShipment, carrier_id: str) -> list[Carrier]:
        if carrier_id:
            known = carriers.BY_ID.get(carrier_id)
            return [known] if known else []
        cod = order.parcel.cod > 0
        served = carriers.of_lane(order.origin, order.destination, cod=cod)
        if order.wants_quality_check:
            # One that cannot check is taken where no other is left, without the check.
            served.sort(key=lambda carrier: not carrier.checks_quality)
        return served[:MOST_TRIED]

    async def _try_all(self, order: VelocityShipment, candidates: list[Carrier]) -> str:
        if draw(self._seed, "no awb", order.order_number) < self._switches.no_awb_rate:
            return NOT_SERVED
        reason = NOT_SERVED
        for number, carrier in enumerate(candidates, start=1):
            await asyncio.sleep(self._switches.carrier_seconds)
            refused = carriers.refusal(carrier, order.origin, order.destination, order.parcel)
            chance = draw(self._seed, "refused", carrier.id, order.order_number)
            passes_on = number < len(candidates) and chance < self._switches.fall_through_rate
            if not refused and passes_on:
                refused = f"{carrier.name}: no capacity"
            if not refused:
                return self._book(order, carrier)
            reason = refused
        return reason

    def _book(self, order: VelocityShipment, carrier: Carrier) -> str:
        lane_zone = carriers.zone(order.origin, order.destination)
        if order.reverse:
            price = carriers.return_price(carrier, lane_zone, order.parcel)
            is_checked = order.wants_quality_check and carrier.checks_quality
            check = carriers.QUALITY_CHECK if is_checked else 0.0
            prices = {"reverse": price, "qc": check, "total": price + check}
        else:
            prices = dict(carriers.forward_prices(carrier, lane_zone, order.parcel))
        if prices["total"] > self._ledger.wallet:
            return "Insufficient wallet balance. Please recharge your wallet"
        if order.tracking_id:
            return "AWB is already generated"
        self._ledger.assign(order, carrier, prices)
        self._life_cycles.start(order)
        return ""
