"""The calls that register and change warehouses. Nobody can list them, or change a name."""

from __future__ import annotations

import re
from typing import Any

from aiohttp import web

from sandbox.delhivery.accounts import Accounts
from sandbox.delhivery.ledger import DelhiveryLedger
from sandbox.delhivery.pincodes import Pincode
from sandbox.operations import Operation, current_call, read_json

EXISTS, FIELDS, NO_FACILITY = 2000, 1000, 1005
REQUIRED = ("name", "phone", "pin", "return_address", "address", "return_pin")
OPTIONAL = (
    "city", "state", "country", "email", "registered_name", "return_city", "return_state",
    "return_country",
)  # fmt: skip
CHANGEABLE = ("name", "address", "pin", "phone")


class Warehouses:
    """Warehouses by their name, which counts by case and by spaces."""

    def __init__(self, accounts: Accounts, ledger: DelhiveryLedger) -> None:
        self._accounts = accounts
        self._ledger = ledger

    def operations(self) -> list[Operation]:
        path = "/api/backend/clientwarehouse"
        return [
            Operation("create_warehouse", "POST", f"{path}/create/", self.create),
            Operation("edit_warehouse", "POST", f"{path}/edit/", self.edit),
        ]

    async def create(self, request: web.Request) -> web.StreamResponse:
        client, body = self._accounts.client_of(request), await read_json(request)
        wrong = [name for name in REQUIRED if not body.get(name)]
        if problem := _problem(body, wrong, (*REQUIRED, *OPTIONAL)):
            return _refuse(problem, FIELDS)
        if (client, body["name"]) in self._ledger.warehouses:
            words = f"client-warehouse with name {body['name']} already exists for {client}"
            return _refuse(words, EXISTS)
        if not Pincode(body["pin"]).has_pickup:
            return _refuse(f"No active facility for pin {body['pin']}", NO_FACILITY)
        self._ledger.warehouses[(client, body["name"])] = body
        return web.json_response(
            _done(client, body, "A new client warehouse is created"), status=201
        )

    async def edit(self, request: web.Request) -> web.StreamResponse:
        client, body = self._accounts.client_of(request), await read_json(request)
        if problem := _problem(body, [] if body.get("name") else ["name"], CHANGEABLE):
            return _refuse(problem, FIELDS)
        known = self._ledger.warehouses.get((client, body["name"]))
        if known is None:
            return _refuse(f"Client warehouse {body['name']} does not exist", FIELDS)
        if "pin" in body and not Pincode(body["pin"]).has_pickup:
            return _refuse(f"No active facility for pin {body['pin']}", NO_FACILITY)
        known |= body
        return web.json_response(_done(client, known, "Client warehouse is updated"))


def _problem(body: dict[str, Any], missing: list[str], known: tuple[str, ...]) -> str:
    """What is wrong about the fields, or an empty text; noted as a break of the document."""
    problems = [f"{name}: This field is required" for name in missing]
    problems += [f"{name}: Not a valid string" for name in body if not isinstance(body[name], str)]
    problems += [f"{name}: Not a field of a warehouse" for name in body if name not in known]
    for name in ("pin", "return_pin"):
        if isinstance(body.get(name), str) and not re.fullmatch("[1-9][0-9]{5}", body[name]):
            problems.append(f"{name}: Not a pincode")
    current_call().problems.extend(problems)
    return "; ".join(problems)


def _done(client: str, warehouse: dict[str, Any], words: str) -> dict[str, Any]:
    data = {**warehouse, "client": client, "active": True, "message": words}
    return {"success": True, "data": data, "error": ""}


def _refuse(words: str, code: int) -> web.Response:
    body = {"success": False, "data": {}, "error": [words], "error_code": [code]}
    return web.json_response(body, status=400)
