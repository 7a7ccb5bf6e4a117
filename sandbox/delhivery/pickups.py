"""The call that asks for a pickup: one for a warehouse and day, for every parcel there."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from aiohttp import web

from sandbox.checks import is_whole_number
from sandbox.delhivery.accounts import Accounts
from sandbox.delhivery.ledger import DelhiveryLedger, Pickup
from sandbox.delhivery.switches import DelhiverySwitches
from sandbox.india import today
from sandbox.operations import Operation, current_call, read_json

FIELDS = ("pickup_location", "pickup_date", "pickup_time", "expected_package_count")
DAYS_AHEAD = 7


class Pickups:
    """Requests for pickups, each open for its day."""

    def __init__(
        self, accounts: Accounts, ledger: DelhiveryLedger, switches: DelhiverySwitches
    ) -> None:
        self._accounts = accounts
        self._ledger = ledger
        self._switches = switches

    def operations(self) -> list[Operation]:
        return [Operation("pickup", "POST", "/fm/request/new/", self.request)]

    async def request(self, request: web.Request) -> web.StreamResponse:
        client, body = self._accounts.client_of(request), await read_json(request)
        if problem := _problem_of_fields(body) or self._problem(client, body):
            return web.json_response(problem, status=400)
        pickup = Pickup(
            self._ledger.next_id(), client, *(body[name] for name in FIELDS)
        )  # fmt: skip
        self._ledger.pickups.append(pickup)
        answer = pickup.as_json() | {"incoming_center_name": "Bengaluru_Bommasandra_HB (Karnataka)"}
        return web.json_response(answer, status=int(self._switches.pickup_done))

    def _problem(self, client: str, body: dict[str, Any]) -> dict[str, Any]:
        """Why a correct request is not taken: the body of the answer."""
        location, day = body["pickup_location"], dt.date.fromisoformat(body["pickup_date"])
        if (client, location) not in self._ledger.warehouses:
            return {"pickup_location": f"Invalid Pickup Location {location}"}
        if day < today():
            return {"pickup_date": "Pickup date cannot be in past"}
        if self._switches.auto_pickup:
            return {"pickup_location": f"Client is on auto pickup, {client}"}
        if self._switches.empty_wallet:
            return {"prepaid": "Wallet balance is low"}
        wanted = (client, location, body["pickup_date"])
        for open_one in self._ledger.pickups:
            if (open_one.client, open_one.warehouse, open_one.day) == wanted:
                words = f"A Pickup Request {open_one.id} Already Exist"
                return {"pr_exist": True, "pickup_id": open_one.id, "data": {"message": words}}
        return {}


def _problem_of_fields(body: dict[str, Any]) -> dict[str, str]:
    """Each wrong field with the words for it, noted as a break of the document."""
    problems = {name: "This field is required." for name in FIELDS if not body.get(name)}
    problems |= {name: "Not a field of a pickup." for name in body if name not in FIELDS}
    if not isinstance(body.get("pickup_location", ""), str):
        problems["pickup_location"] = "Not a valid string."
    if "expected_package_count" not in problems:
        count = body["expected_package_count"]
        if not is_whole_number(count) or count < 1:
            problems["expected_package_count"] = "A valid integer is required."
    if "pickup_time" not in problems and not _is_time(body["pickup_time"]):
        problems["pickup_time"] = "Time has wrong format. Use HH:MM:SS."
    if "pickup_date" not in problems:
        day = _day(body["pickup_date"])
        if day is None:
            problems["pickup_date"] = "Date has wrong format. Use YYYY-MM-DD."
        elif (day - today()).days > DAYS_AHEAD:
            problems["pickup_date"] = f"Pickup date cannot be beyond {DAYS_AHEAD} days"
    current_call().problems.extend(f"{name}: {words}" for name, words in problems.items())
    return problems


def _is_time(value: Any) -> bool:
    pattern = r"([01]\d|2[0-3]):[0-5]\d:[0-5]\d"
    return isinstance(value, str) and bool(re.fullmatch(pattern, value))


def _day(value: Any) -> dt.date | None:
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        return None
    try:
        return dt.date.fromisoformat(value)
    except ValueError:
        return None
