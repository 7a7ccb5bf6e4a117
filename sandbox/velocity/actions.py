"""The calls that change what becomes of a parcel: cancellation, re-attempt, return to origin."""

from __future__ import annotations

from aiohttp import web

from sandbox.errors import Declined
from sandbox.operations import Operation, read_json
from sandbox.velocity import answers
from sandbox.velocity.ledger import VelocityLedger
from sandbox.velocity.lifecycle import VelocityLifeCycles
from sandbox.velocity.shipments import VelocityShipment
from sandbox.velocity.switches import VelocitySwitches
from sandbox.velocity.validation import MOST_CANCELLED, check_awbs, check_reattempt, check_rto
from sandbox.velocity.words import BEFORE_PICKUP, CANCELLED

PATH = "/custom/api/v1"
IN_PROGRESS = "Bulk Shipment cancellation is in progress. Please wait for some time."
MOST_ATTEMPTS = 2  # failed ones, after which no other is asked for


class Actions:
    """Cancellations and the calls about an undelivered parcel (NDR)."""

    def __init__(
        self, ledger: VelocityLedger, life_cycles: VelocityLifeCycles, switches: VelocitySwitches
    ) -> None:
        self._ledger = ledger
        self._life_cycles = life_cycles
        self._switches = switches

    def operations(self) -> list[Operation]:
        return [
            Operation("cancel_shipment", "POST", f"{PATH}/cancel-order", self.cancel),
            Operation("reattempt", "POST", f"{PATH}/reattempt", self.reattempt),
            Operation("initiate_rto", "POST", f"{PATH}/initiate-rto", self.initiate_rto),
        ]

    async def cancel(self, request: web.Request) -> web.StreamResponse:
        """Accept the cancellation of parcels that are not picked up: all of them or none."""
        awbs = check_awbs(await read_json(request), MOST_CANCELLED)
        shipments = [self._ledger.get(awb) for awb in awbs]
        for shipment in shipments:
            self._check_cancellable(shipment)
        for shipment in shipments:
            if not shipment.cancel_asked:
                self._life_cycles.cancel_later(shipment)
        return web.json_response({"message": IN_PROGRESS})

    def _check_cancellable(self, shipment: VelocityShipment) -> None:
        if shipment.status in CANCELLED or shipment.cancel_asked:
            if self._switches.cancel_again == "refused":
                raise Declined(f"Shipment {shipment.tracking_id} is already cancelled")
            if shipment.status in CANCELLED:
                return
        if shipment.reverse and not self._switches.cancels_returns:
            raise Declined("Return shipments cannot be cancelled")
        if shipment.status not in BEFORE_PICKUP:
            raise Declined(
                f"Shipment cancellation failed: {shipment.tracking_id} is {shipment.status}"
            )

    async def reattempt(self, request: web.Request) -> web.StreamResponse:
        """Try an undelivered parcel again, perhaps at another address in the same city."""
        body = await read_json(request)
        check_reattempt(body)
        shipment = self._undelivered(body["awb"])
        if shipment.failed_attempts >= MOST_ATTEMPTS:
            raise Declined("Reattempt is not allowed after two failed attempts")
        if shipment.refusal_verified:
            raise Declined("Reattempt is not allowed after an OTP verified refusal")
        shipment.ndr_actions.append("reattempt")
        shipment.changes |= {name: value for name, value in body.items() if name != "awb"}
        self._life_cycles.reattempt(shipment)
        return answers.with_data({"awb": shipment.tracking_id}, "Reattempt initiated successfully")

    async def initiate_rto(self, request: web.Request) -> web.StreamResponse:
        """Send an undelivered parcel back to its seller."""
        body = await read_json(request)
        check_rto(body)
        shipment = self._undelivered(body["awb"])
        shipment.ndr_actions.append("rto")
        self._life_cycles.return_to_seller(shipment)
        return answers.with_data({"awb": shipment.tracking_id}, "RTO initiated successfully")

    def _undelivered(self, awb: str) -> VelocityShipment:
        shipment = self._ledger.get(awb)
        if shipment.status != "ndr_raised":
            raise Declined(f"NDR is not raised for {awb}: it is {shipment.status}")
        return shipment
