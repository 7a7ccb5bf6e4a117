"""The calls that make shipments and change what becomes of them."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from sandbox.callbacks import Callbacks
from sandbox.ekart.operations import (
    Operation,
    acknowledgement,
    found,
    read_json,
    refusal,
)
from sandbox.ekart.shipment_validation import check_shipment
from sandbox.ekart.validation import check_day_to_come, check_ids, check_ndr
from sandbox.ledger import Booked, Books
from sandbox.lifecycle import BEFORE_PICKUP, LifeCycles

# What an NDR action may change on its way; both ride on Re-Attempt alone.
CHANGES = ("address", "phone")


class Bookings:
    """Create, cancel, dispatch dates and NDR actions. With `hold` nothing moves by itself.

    With `as_errors` a refused cancellation is an error answer.
    """

    def __init__(
        self, books: Books, lives: LifeCycles, callbacks: Callbacks, *, hold: bool, as_errors: bool
    ) -> None:
        self._books = books
        self._lives = lives
        self._callbacks = callbacks
        self._hold = hold
        self._as_errors = as_errors

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
        body = await read_json(request)
        check_shipment(body, set(self._books.addresses))
        shipment = self._books.book(body)
        self._callbacks.created(shipment)
        if not self._hold and not shipment.delayed:
            self._lives.start(shipment)
        return web.json_response(
            {
                **acknowledgement(shipment.tracking_id, "Successfully created shipment", done=True),
                "vendor": "EKART",
                "barcodes": {"wbn": shipment.wbn, "order": shipment.order_number},
            }
        )

    async def cancel(self, request: web.Request) -> web.StreamResponse:
        tracking_id = request.query.get("tracking_id", "")
        shipment = found(self._books.find(tracking_id))
        done = self._lives.cancel(shipment)
        remark = "Successfully cancelled" if done else "Shipment is already cancelled"
        if not done and not shipment.cancelled:
            remark = f"Shipment is {shipment.status} and cannot be cancelled"
        answer = {"data": [acknowledgement(tracking_id, remark, done=done)]}
        return refusal(answer, remark, as_error=self._as_errors and not done)

    async def set_dispatch_date(self, request: web.Request) -> web.StreamResponse:
        body = await read_json(request)
        ids = check_ids(body)
        check_day_to_come("dispatchDate", body.get("dispatchDate"))
        return web.json_response({"data": [self._dispatch(i, body["dispatchDate"]) for i in ids]})

    def _dispatch(self, name: str, date: str) -> dict[str, Any]:
        """Set the date of one shipment; the first one starts its life."""
        shipment = self._books.find_by_any(name)
        refusal = _why_no_dispatch(shipment)
        if shipment is None or refusal:
            return acknowledgement(name, refusal, done=False)
        waiting = not shipment.dispatch_date
        shipment.dispatch_date = date
        if waiting and not self._hold:
            self._lives.start(shipment)
        return acknowledgement(name, f"Dispatch date is {date}", done=True)

    async def ndr(self, request: web.Request) -> web.StreamResponse:
        body = await read_json(request)
        check_ndr(body)
        shipment = found(self._books.find(body["wbn"]))
        if shipment.status != "Undelivered":
            remark = f"Shipment is {shipment.status}: {body['action']} is not possible"
            return web.json_response(acknowledgement(body["wbn"], remark, done=False))
        again = body["action"] == "Re-Attempt"
        kept = {name: body[name] for name in body if again or name not in CHANGES}
        shipment.ndr_actions.append(kept)
        if not self._hold:
            (self._lives.attempt_again if again else self._lives.send_back)(shipment)
        remark = f"{body['action']} is requested"
        return web.json_response(acknowledgement(body["wbn"], remark, done=True))


def _why_no_dispatch(shipment: Booked | None) -> str:
    if shipment is None:
        return "Shipment does not exist"
    if not shipment.delayed:
        return "Shipment was not created with delayed_dispatch"
    if shipment.status not in BEFORE_PICKUP:
        return f"Shipment is {shipment.status}"
    return ""
