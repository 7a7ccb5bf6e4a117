"""The create call, which books one package or several."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from aiohttp import web

from sandbox.chosen_ends import ChosenEnd, chosen_end
from sandbox.delhivery import create_answers
from sandbox.delhivery.accounts import Accounts
from sandbox.delhivery.create_body import CreateBody, Unreadable, form_problems, read_create
from sandbox.delhivery.ledger import DelhiveryLedger
from sandbox.delhivery.lifecycle import DelhiveryLifeCycles
from sandbox.delhivery.package_checks import REVERSE, Refusal, problems_of, refusal_of
from sandbox.delhivery.pincodes import Pincode
from sandbox.delhivery.shipments import DelhiveryShipment
from sandbox.delhivery.switches import DelhiverySwitches
from sandbox.faults import reset_connection
from sandbox.operations import Operation, current_call


class Bookings:
    """Creates shipments. `slow_seconds` is how late the answer for a chosen order number comes."""

    def __init__(
        self,
        accounts: Accounts,
        ledger: DelhiveryLedger,
        life_cycles: DelhiveryLifeCycles,
        switches: DelhiverySwitches,
        slow_seconds: float,
    ) -> None:
        self._accounts = accounts
        self._ledger = ledger
        self._life_cycles = life_cycles
        self._switches = switches
        self._slow_seconds = slow_seconds

    def operations(self) -> list[Operation]:
        return [Operation("create_shipment", "POST", "/api/cmu/create.json", self.create)]

    async def create(self, request: web.Request) -> web.StreamResponse:
        """Save each package by itself; the answer is HTTP 200 whatever becomes of it.

        An order number may choose a refusal, a late answer or a lost one.
        """
        raw, client = await request.read(), self._accounts.client_of(request)
        problems = current_call().problems
        problems += form_problems(request.content_type, raw)
        try:
            body = read_create(request.content_type, raw)
            self._check_request(request, client, body)
        except Unreadable as error:
            return create_answers.answer((), None, str(error))
        for package in body.packages:
            problems += problems_of(package)
        ends = {chosen_end(str(package.get("order", ""))) for package in body.packages}
        if ChosenEnd.SLOW in ends:
            await asyncio.sleep(self._slow_seconds)
        saved = [self._save(client, str(body.warehouse), one) for one in body.packages]
        if ChosenEnd.DOUBT in ends:
            return reset_connection(request)
        return create_answers.answer(saved, f"UPL{self._ledger.next_id()}")

    def _check_request(self, request: web.Request, client: str, body: CreateBody) -> None:
        """Raise Unreadable where nothing of a request is saved."""
        if self._accounts.is_of_other_environment(request):
            raise Unreadable(create_answers.OTHER_ENVIRONMENT)
        if self._switches.client_inactive:
            raise Unreadable("client is not active")
        if any(one.get("client", client) != client for one in body.packages):
            current_call().problems.append("client must be left out")
            raise Unreadable("shipment list contains no data")
        if not isinstance(body.warehouse, str):
            current_call().problems.append("pickup_location must stand beside shipments")
        if (client, str(body.warehouse)) not in self._ledger.warehouses:
            raise Unreadable("ClientWarehouse matching query does not exist.")
        if self._switches.warehouse_inactive:
            raise Unreadable("Client-Warehouse is not active.")

    def _save(self, client: str, warehouse: str, package: dict[str, Any]) -> dict[str, Any]:
        """Book a package, or say why not."""
        refusal = refusal_of(package, client) or self._refusal_of_account(client, package)
        if refusal:
            as_text = self._switches.remarks == "text"
            return create_answers.failed(
                package, client, refusal.reason, code=refusal.code, as_text=as_text
            )
        shipment = self._book(client, warehouse, package)
        sort_code = Pincode(str(package["pin"])).sort_code
        return create_answers.saved(shipment, None if self._switches.null_sort_code else sort_code)

    def _refusal_of_account(self, client: str, package: dict[str, Any]) -> Refusal | None:
        """What the account's wallet, its numbers and its earlier orders refuse."""
        order = str(package["order"])
        if chosen_end(order) is ChosenEnd.REFUSED:
            return Refusal(f"{order} is refused, as it asks for")
        if self._switches.empty_wallet:
            return Refusal("insufficient balance in the prepaid wallet, least balance is 500")
        if self._switches.pickups_fail:
            return Refusal(f"pickup failure rate of {client} is very high")
        if self._switches.capacity_exceeded:
            return Refusal(f"capacity of {package['pin']} exceeded, please try after midnight")
        waybill = str(package.get("waybill") or "")
        if waybill and (problem := self._ledger.waybills.problem_of(client, waybill)):
            return Refusal(problem)
        new = self._new(client, "", "", package)
        is_known = new.identity in self._ledger.identities and self._master_of(package) is None
        if is_known and self._switches.duplicates_refused:
            return Refusal(f"Duplicate Order Id : {order}")
        return None

    def _book(self, client: str, warehouse: str, package: dict[str, Any]) -> DelhiveryShipment:
        waybill = self._ledger.waybills.take(client, str(package.get("waybill") or ""))
        shipment = self._new(client, warehouse, waybill, package)
        master = self._master_of(package)
        self._ledger.book(shipment, master)
        if master is None:
            self._life_cycles.start(shipment)
        else:
            self._life_cycles.join(shipment, master)
        return shipment

    def _new(
        self, client: str, warehouse: str, waybill: str, package: dict[str, Any]
    ) -> DelhiveryShipment:
        return DelhiveryShipment(
            tracking_id=waybill,
            order_number=str(package["order"]),
            reverse=package["payment_mode"] == REVERSE,
            body=package,
            client=client,
            warehouse=warehouse,
            booked_at=time.monotonic(),
        )

    def _master_of(self, package: dict[str, Any]) -> DelhiveryShipment | None:
        """The first box of the shipment that a box belongs to; None for that one itself."""
        master_id = package.get("master_id")
        if not master_id or master_id == package.get("waybill"):
            return None
        return self._ledger.find(str(master_id))
