"""The calls that create shipments and change what becomes of them."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web

from sandbox.chosen_ends import ChosenEnd, chosen_end
from sandbox.ekart.answers import acknowledgement
from sandbox.ekart.callbacks import EkartCallbacks
from sandbox.ekart.ledger import EkartLedger
from sandbox.ekart.lifecycle import BEFORE_PICKUP, EkartLifeCycles
from sandbox.ekart.shipment_validation import check_shipment
from sandbox.ekart.shipments import EkartShipment
from sandbox.ekart.validation import check_future_date, check_ids, check_ndr
from sandbox.errors import Declined
from sandbox.faults import reset_connection
from sandbox.operations import Operation, read_json

# What a Re-Attempt may change; an RTO changes neither.
REATTEMPT_CHANGES = ("address", "phone")


class Bookings:
    """Create, cancel, dispatch dates and NDR actions.

    With `as_errors` a refused cancellation is an error answer.
    """

    def __init__(
        self,
        ledger: EkartLedger,
        life_cycles: EkartLifeCycles,
        callbacks: EkartCallbacks,
        *,
        as_errors: bool,
        slow_seconds: float,
    ) -> None:
        self._ledger = ledger
        self._life_cycles = life_cycles
        self._callbacks = callbacks
        self._as_errors = as_errors
        self._slow_seconds = slow_seconds

    def operations(self) -> list[Operation]:
        return [
            Operation("create_shipment", "PUT", "/api/v1/package/create", self.create),
            Operation("cancel_shipment", "DELETE", "/api/v1/package/cancel", self.cancel),
            Operation(
                "set_dispatch_date", "POST", "/data/shipment/dispatch-date", self.set_dispatch_date
            ),
            Operation("ndr", "POST", "/api/v2/package/ndr", self.ndr),
        ]

    async def create(self, request: web.Request) -> web.StreamResponse:
        """Book a shipment and start its life cycle; a delayed one waits for its dispatch date.

        An order number may choose a refusal, a late answer or a lost one.
        """
        body = await read_json(request)
        check_shipment(body, set(self._ledger.addresses))
        chosen = chosen_end(str(body["order_number"]))
        if chosen is ChosenEnd.REFUSED:
            raise Declined(f"order_number: {body['order_number']} is refused, as it asks for")
        if chosen is ChosenEnd.SLOW:
            await asyncio.sleep(self._slow_seconds)
        shipment = self._ledger.book(body)
        self._callbacks.shipment_created(shipment)
        if not shipment.is_delayed:
            self._life_cycles.start(shipment)
        if chosen is ChosenEnd.DOUBT:
            return reset_connection(request)
        return web.json_response(
            {
                **acknowledgement(shipment.tracking_id, "Successfully created shipment", done=True),
                "vendor": "EKART",
                "barcodes": {"wbn": shipment.wbn, "order": shipment.order_number},
            }
        )

    async def cancel(self, request: web.Request) -> web.StreamResponse:
        tracking_id = request.query.get("tracking_id", "")
        shipment = self._ledger.get(tracking_id)
        done = self._life_cycles.cancel(shipment)
        if done:
            remark = "Successfully cancelled"
        elif shipment.cancelled:
            remark = "Shipment is already cancelled"
        else:
            remark = f"Shipment is {shipment.status} and cannot be cancelled"
        if self._as_errors and not done:
            raise Declined(remark)
        return web.json_response({"data": [acknowledgement(tracking_id, remark, done=done)]})

    async def set_dispatch_date(self, request: web.Request) -> web.StreamResponse:
        """Set one date for many shipments; each is answered by itself."""
        body = await read_json(request)
        ids = check_ids(body)
        check_future_date("dispatchDate", body.get("dispatchDate"))
        date = body["dispatchDate"]
        return web.json_response({"data": [self._dispatch(number, date) for number in ids]})

    def _dispatch(self, number: str, date: str) -> dict[str, Any]:
        """Set the date of one shipment; its first date starts its life cycle."""
        shipment = self._ledger.find_by_either(number)
        problem = _dispatch_problem(shipment)
        if shipment is None or problem:
            return acknowledgement(number, problem, done=False)
        is_first_date = not shipment.dispatch_date
        shipment.dispatch_date = date
        if is_first_date:
            self._life_cycles.start(shipment)
        return acknowledgement(number, f"Dispatch date is {date}", done=True)

    async def ndr(self, request: web.Request) -> web.StreamResponse:
        """Try an undelivered shipment again, or return it. `wbn` must be its tracking id."""
        body = await read_json(request)
        check_ndr(body)
        shipment = self._ledger.get(body["wbn"])
        if shipment.status != "Undelivered":
            remark = f"Shipment is {shipment.status}: {body['action']} is not possible"
            return web.json_response(acknowledgement(body["wbn"], remark, done=False))
        if body["action"] == "Re-Attempt":
            shipment.ndr_actions.append(body)
            self._life_cycles.reattempt(shipment)
        else:
            kept = {name: body[name] for name in body if name not in REATTEMPT_CHANGES}
            shipment.ndr_actions.append(kept)
            self._life_cycles.return_to_seller(shipment)
        remark = f"{body['action']} is requested"
        return web.json_response(acknowledgement(body["wbn"], remark, done=True))


def _dispatch_problem(shipment: EkartShipment | None) -> str:
    """Why a shipment gets no dispatch date, or an empty text."""
    if shipment is None:
        return "Shipment does not exist"
    if not shipment.is_delayed:
        return "Shipment was not created with delayed_dispatch"
    if shipment.status not in BEFORE_PICKUP:
        return f"Shipment is {shipment.status}"
    return ""
