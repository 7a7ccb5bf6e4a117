"""The call that edits and cancels shipments. It answers HTTP 200 whether or not it was done."""

from __future__ import annotations

import time
from typing import Any

from aiohttp import web

from sandbox.delhivery.accounts import Accounts
from sandbox.delhivery.answers import edit_answer
from sandbox.delhivery.ledger import DelhiveryLedger
from sandbox.delhivery.lifecycle import DelhiveryLifeCycles
from sandbox.delhivery.shipments import DelhiveryShipment
from sandbox.delhivery.statuses import may_be_cancelled
from sandbox.delhivery.switches import DelhiverySwitches
from sandbox.operations import Operation, current_call, read_json

UNKNOWN = "Incorrect Waybill/OrderID, please try again"
MISSING = "Enter Waybill/OrderID"
IMPOSSIBLE = "Shipment could not be updated"
RETURNING = "Shipment is either picked up or already in return flow"
CANCELLED = "Shipment has been cancelled."
UPDATED = "Shipment has been updated."
TEXTS = ("name", "phone", "add", "products_desc")
NUMBERS = ("cod", "gm", "weight", "shipment_length", "shipment_width", "shipment_height")
EDITS = (*TEXTS, *NUMBERS, "pt")


class Edits:
    """Changes shipments where their status allows it."""

    def __init__(
        self,
        accounts: Accounts,
        ledger: DelhiveryLedger,
        life_cycles: DelhiveryLifeCycles,
        switches: DelhiverySwitches,
    ) -> None:
        self._accounts = accounts
        self._ledger = ledger
        self._life_cycles = life_cycles
        self._switches = switches

    def operations(self) -> list[Operation]:
        return [Operation("edit", "POST", "/api/p/edit", self.edit)]

    async def edit(self, request: web.Request) -> web.StreamResponse:
        client, body = self._accounts.client_of(request), await read_json(request)
        waybill = str(body.get("waybill") or "")
        shipment = self._ledger.of_client(client, waybill)
        error = self._problem(body, waybill, shipment)
        if shipment is None or error:
            status: Any = "Failure" if self._switches.edit_failure == "Failure" else False
            return edit_answer(request, {"status": status, "error": error})
        if "cancellation" not in body:
            shipment.changes |= {name: body[name] for name in EDITS if name in body}
        elif not shipment.cancelled:
            self._life_cycles.cancel(shipment)
        return edit_answer(
            request,
            {
                "status": True,
                "waybill": waybill,
                "remark": CANCELLED if "cancellation" in body else UPDATED,
                "order_id": shipment.order_number,
            },
        )

    def _problem(
        self, body: dict[str, Any], waybill: str, shipment: DelhiveryShipment | None
    ) -> str:
        """Why nothing is done, in Delhivery's words, or an empty text."""
        problems = _problems_of(body)
        current_call().problems.extend(problems)
        if not waybill:
            return MISSING
        age = time.monotonic() - shipment.booked_at if shipment else 0.0
        if shipment is None or age < self._switches.edit_lag:
            return UNKNOWN
        if problems:
            return IMPOSSIBLE
        if "cancellation" in body and shipment.cancelled:
            return ""
        if shipment.now.type in ("RT", "PU"):
            return RETURNING
        if shipment.cancelled or not may_be_cancelled(shipment.status):
            return IMPOSSIBLE
        return _payment_problem(body, shipment)


def _problems_of(body: dict[str, Any]) -> list[str]:
    """Every break of the document in a request."""
    if "cancellation" in body:
        problems = [] if body["cancellation"] == "true" else ["cancellation must be the text true"]
        others = sorted(set(body) - {"waybill", "cancellation"})
        return problems + [f"{name} is no field of a cancellation" for name in others]
    problems = [f"{name} cannot be edited" for name in sorted(set(body) - {"waybill", *EDITS})]
    if not set(body) & set(EDITS):
        problems.append("nothing is edited")
    problems += [
        f"{name} must be text" for name in TEXTS if not isinstance(body.get(name, ""), str)
    ]
    if body.get("pt", "COD") not in ("COD", "Pre-paid"):
        problems.append("pt must be COD or Pre-paid")
    if body.get("pt") == "COD" and not body.get("cod"):
        problems.append("cod is required with pt COD")
    return problems


def _payment_problem(body: dict[str, Any], shipment: DelhiveryShipment) -> str:
    """Only COD becomes prepaid and back; the same mode again is refused."""
    if "pt" not in body:
        return ""
    is_possible = shipment.mode in ("COD", "Pre-paid") and body["pt"] != shipment.mode
    return "" if is_possible else IMPOSSIBLE
