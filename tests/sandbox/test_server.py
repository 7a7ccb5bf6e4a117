"""What a courier gets from the shared part, tried on a courier that the product does not know."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from sandbox.errors import Declined, Refused, Unauthorized
from sandbox.faults import Fault, OperationFault
from sandbox.ledger import Ledger, Shipment
from sandbox.lifecycle import LifeCycles
from sandbox.operations import Operation, current_call, read_json
from sandbox.options import Options
from sandbox.server import Sandbox

Scenario = Callable[[TestClient[Any, Any]], Awaitable[None]]
KEY = {"Authorization": "key"}


class PlainLifeCycles(LifeCycles[Shipment]):
    def reach(self, shipment: Shipment, status: str) -> None:
        shipment.add_step(status)


async def echo(request: web.Request) -> web.Response:
    return web.Response(text=f"maybe {await request.text()}")


class PlainSandbox(Sandbox):
    """A courier with one operation, a fixed key and texts for errors."""

    title = "Plain"
    fault_answers = {
        "busy": lambda: web.Response(status=403, text="busy"),
        "vague_after": lambda: web.Response(text="it might be saved"),
    }
    operation_faults = {"echo_after": OperationFault("book", echo)}
    sample_body = b"booked"

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self.ledger: Ledger[Shipment] = Ledger()
        self.life_cycles = PlainLifeCycles(options.pace, brief=options.brief)

    def operations(self) -> list[Operation]:
        return [
            Operation("book", "POST", "/book", self.book),
            Operation("count", "GET", "/count", self.count),
        ]

    def authorize(self, request: web.Request) -> None:
        if request.headers.get("Authorization") != "key":
            raise Unauthorized("wrong key")

    def error_answer(self, error: Refused) -> web.Response:
        return web.Response(status=error.status, text=error.description)

    async def count(self, request: web.Request) -> web.StreamResponse:
        current_call().problems.extend(f"{name} is unknown" for name in request.query)
        return web.Response(text=str(len(self.ledger.shipments)))

    async def book(self, request: web.Request) -> web.StreamResponse:
        body = await read_json(request)
        if body["order"] == "FULL":
            raise Declined("no parcel is taken today")
        shipment = Shipment(
            tracking_id=f"T{len(self.ledger.shipments)}",
            order_number=body["order"],
            reverse=False,
            body=body,
        )
        shipment.add_step("booked")
        self.ledger.add(shipment)
        self.life_cycles.run(shipment, ("picked up", "delivered"))
        return web.Response(text=shipment.tracking_id)


def run(scenario: Scenario, **options: Any) -> None:
    async def serve() -> None:
        application = PlainSandbox(Options(**options)).application()
        async with TestClient(TestServer(application)) as client:
            await scenario(client)

    asyncio.run(serve())


async def book(client: TestClient[Any, Any], **changes: Any) -> tuple[int, str]:
    answer = await client.post("/book", **({"json": {"order": "A-1"}, "headers": KEY} | changes))
    return answer.status, await answer.text()


async def page(client: TestClient[Any, Any], name: str) -> Any:
    return await (await client.get(f"/_sandbox/{name}")).json()


def test_errors_are_answered_in_the_couriers_way() -> None:
    async def scenario(client: TestClient[Any, Any]) -> None:
        assert await book(client, headers={}) == (401, "wrong key")
        assert await book(client, json=[]) == (400, "a JSON object is required")
        assert await book(client, json=None, data="{") == (400, "The body is not JSON")
        unknown = await client.get("/book")
        assert (unknown.status, await unknown.text()) == (404, "This path is not implemented")
        assert (await page(client, "state"))["booked"] == 0

    run(scenario)


def test_what_is_sent_again_is_booked_again_and_counted() -> None:
    async def scenario(client: TestClient[Any, Any]) -> None:
        assert [await book(client), await book(client)] == [(200, "T0"), (200, "T1")]
        state = await page(client, "state")
        assert (state["booked"], state["orders"], state["duplicates"]) == (2, 1, 1)
        assert state["calls"] == {"book": 2}

    run(scenario)


def test_life_cycles_end_and_shipments_can_be_advanced() -> None:
    async def scenario(client: TestClient[Any, Any]) -> None:
        await book(client)
        await asyncio.sleep(0.1)
        (summary,) = await page(client, "shipments")
        assert (summary["status"], summary["finished"]) == ("delivered", True)
        body = {"tracking_id": "T0", "status": "lost"}
        advanced = await client.post("/_sandbox/advance", json=body)
        assert (await advanced.json())["status"] == "lost"

    run(scenario, pace=0)


def test_requests_are_recorded_and_listed_in_slices() -> None:
    async def scenario(client: TestClient[Any, Any]) -> None:
        for number in range(3):
            await book(client, json={"order": f"A-{number}"})
        recorded = await page(client, "requests?after=1&limit=1")
        assert [request["body"] for request in recorded] == [{"order": "A-1"}]

    run(scenario, record=True)


def test_a_couriers_own_fault_does_the_work_first_if_its_name_says_so() -> None:
    async def scenario(client: TestClient[Any, Any]) -> None:
        assert await book(client) == (200, "it might be saved")
        state = await page(client, "state")
        assert (state["booked"], state["injected_unknown"]) == (1, 1)

        fault = {"operation": "*", "kind": "busy", "rate": 1}
        assert (await client.put("/_sandbox/faults", json=[fault])).status == 200
        assert await book(client) == (403, "busy")
        state = await page(client, "state")
        assert (state["booked"], state["injected_unknown"]) == (1, 1)

    run(scenario, faults=[Fault("book", "vague_after", 1)])


def test_a_fault_of_every_kind_has_the_couriers_own_among_them() -> None:
    async def scenario(client: TestClient[Any, Any]) -> None:
        refused = await client.put(
            "/_sandbox/faults", json=[{"operation": "*", "kind": "rate_limited", "rate": 1}]
        )
        assert refused.status == 400
        assert "busy, vague_after, echo_after, slow" in await refused.text()

    run(scenario)


def test_requests_that_break_a_rule_are_listed_with_the_reason() -> None:
    async def scenario(client: TestClient[Any, Any]) -> None:
        await book(client)
        await book(client, headers={})
        assert await book(client, json={"order": "FULL"}) == (400, "no parcel is taken today")
        await book(client, json=[])
        (listed,) = await page(client, "invalid-requests")
        assert (listed["operation"], listed["body"]) == ("book", [])
        assert listed["error"] == "a JSON object is required"
        assert (await page(client, "state"))["invalid_requests"] == 1

    run(scenario)


def test_a_fault_of_one_operation_is_made_from_its_request() -> None:
    async def scenario(client: TestClient[Any, Any]) -> None:
        fault = {"operation": "*", "kind": "echo_after", "rate": 1}
        assert (await client.put("/_sandbox/faults", json=[fault])).status == 200
        assert await book(client) == (200, 'maybe {"order": "A-1"}')
        assert (await client.get("/count", headers=KEY)).status == 200
        assert (await page(client, "state"))["booked"] == 1

    run(scenario)


def test_a_request_that_is_answered_can_still_be_listed_as_invalid() -> None:
    async def scenario(client: TestClient[Any, Any]) -> None:
        assert (await client.get("/count?colour=red", headers=KEY)).status == 200
        (listed,) = await page(client, "invalid-requests")
        assert (listed["operation"], listed["error"]) == ("count", "colour is unknown")

    run(scenario)
