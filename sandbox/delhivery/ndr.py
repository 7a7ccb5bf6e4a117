"""Actions for undelivered shipments: queued by one call, told about by another."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from aiohttp import web

from sandbox.checks import require
from sandbox.delhivery.accounts import Accounts
from sandbox.delhivery.ledger import DelhiveryLedger, UpdateRequest
from sandbox.delhivery.lifecycle import DelhiveryLifeCycles
from sandbox.delhivery.shipments import DelhiveryShipment
from sandbox.delhivery.statuses import REATTEMPT, RESCHEDULED
from sandbox.delhivery.switches import DelhiverySwitches
from sandbox.operations import Operation, read_json

MOST = 1000
MAX_ATTEMPTS = 2
# The reasons after which a shipment is tried again, and those after which a pickup is.
REASONS = ("EOD-74", "EOD-15", "EOD-104", "EOD-43", "EOD-86", "EOD-11", "EOD-69", "EOD-6")
PICKUP_REASONS = ("EOD-777", "EOD-21")
WAYS: dict[str, tuple[str, ...]] = {"RE-ATTEMPT": REATTEMPT, "PICKUP_RESCHEDULE": RESCHEDULED}
BEING_DONE = "Package action is being performed"
WRONG_STATUS = "Package in incorrect status"
TOO_MANY = "Shipment has reached max attempt count"
IN_DISPATCH = "Package is part of dispatch"
UNKNOWN = "Incorrect waybill"


class UndeliveredActions:
    """Queues actions, and does each after the switch `action_lag`."""

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
        self._tasks: set[asyncio.Task[None]] = set()

    def operations(self) -> list[Operation]:
        return [
            Operation("ndr", "POST", "/api/p/update", self.update),
            Operation("ndr_status", "GET", "/api/cmu/get_bulk_upl/{id}", self.status),
        ]

    async def update(self, request: web.Request) -> web.StreamResponse:
        client, body = self._accounts.client_of(request), await read_json(request)
        actions = _check_actions(body)
        request_id = f"UPL{self._ledger.next_id()}"
        update = UpdateRequest(client, [(waybill, act, None) for waybill, act in actions])
        self._ledger.updates[request_id] = update
        task = asyncio.create_task(self._carry_out(update))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return web.json_response(
            {"message": "Your request has been accepted", "request_id": request_id}
        )

    async def _carry_out(self, update: UpdateRequest) -> None:
        await asyncio.sleep(self._switches.action_lag)
        for position, (waybill, act, _) in enumerate(update.results):
            shipment = self._ledger.of_client(update.client, waybill)
            problem = _problem(shipment, act)
            if shipment is not None and not problem:
                self._life_cycles.continue_with(shipment, WAYS[act])
            update.results[position] = (waybill, act, problem)

    async def status(self, request: web.Request) -> web.StreamResponse:
        client = self._accounts.client_of(request)
        request_id = request.match_info["id"]
        update = self._ledger.updates.get(request_id)
        if update is None or update.client != client:
            return web.json_response({"error": "Invalid request id"}, status=404)
        failed = [one for one in update.results if one[2] != ""]
        return web.json_response(
            {
                "status": "Failure" if failed else "Success",
                "remark": "",
                "failed_wbns": [
                    {"waybill": w, "action": a, "message": BEING_DONE if m is None else m}
                    for w, a, m in failed
                ],
                "success_wbns": [
                    {"waybill": w, "action": a} for w, a, m in update.results if m == ""
                ],
                "request_id": request_id,
            }
        )


def _check_actions(body: dict[str, Any]) -> Sequence[tuple[str, str]]:
    """The waybills with their actions. Raises Refused."""
    actions = body.get("data")
    require(set(body) == {"data"}, "data alone is required")
    require(isinstance(actions, list) and 1 <= len(actions) <= MOST, f"data must be 1 to {MOST}")
    assert isinstance(actions, list)
    for action in actions:
        require(
            isinstance(action, dict) and set(action) == {"waybill", "act"},
            "each of data must have waybill and act, and nothing else",
        )
        require(action["act"] in tuple(WAYS), f"act must be one of {', '.join(WAYS)}")
        require(isinstance(action["waybill"], str), "waybill must be text")
    return [(action["waybill"], action["act"]) for action in actions]


def _problem(shipment: DelhiveryShipment | None, act: str) -> str:
    """Why an action is not done, in Delhivery's words, or an empty text."""
    if shipment is None:
        return UNKNOWN
    now = shipment.now
    if act == "PICKUP_RESCHEDULE":
        is_possible = now.type == "CN" and now.code in PICKUP_REASONS
        return "" if is_possible and not shipment.cancelled else WRONG_STATUS
    if now.word == "Dispatched":
        return IN_DISPATCH
    if (now.type, now.word) != ("UD", "Pending") or now.code not in REASONS:
        return WRONG_STATUS
    return TOO_MANY if shipment.attempts > MAX_ATTEMPTS else ""
