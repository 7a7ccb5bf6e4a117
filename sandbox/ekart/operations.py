"""What an operation of Ekart's API is to the sandbox: its name, its path, and who answers it."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from sandbox.ekart.validation import Refused, demand
from sandbox.ledger import Booked

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Operation:
    """`name` is what counts, recordings and faults call it. `open_to_all` asks for no token."""

    name: str
    method: str
    path: str
    handler: Handler
    open_to_all: bool = False


async def read_json(request: web.Request) -> dict[str, Any]:
    """The body of a request, which Ekart wants as a JSON object. Raises Refused."""
    try:
        body = json.loads(await request.read())
    except ValueError:
        raise Refused("The body is not JSON", code="SWIFT_MALFORMED_INPUT_EXCEPTION") from None
    demand(isinstance(body, dict), "a JSON object is required")
    return dict(body)


def found(shipment: Booked | None) -> Booked:
    """The shipment that a look-up found. Raises Refused where it found none."""
    if shipment is None:
        raise Refused(
            "Shipment does not exist.", status=404, code="SWIFT_RESOURCE_NOT_FOUND_EXCEPTION"
        )
    return shipment


def acknowledgement(tracking_id: str, remark: str, *, done: bool) -> dict[str, Any]:
    return {"status": done, "remark": remark, "tracking_id": tracking_id}


def refusal(body: dict[str, Any], remark: str, *, as_error: bool) -> web.Response:
    """An answer with `status` false, or an error answer: the document allows either."""
    if as_error:
        raise Refused(remark)
    return web.json_response(body)


def error(status: int, code: str, description: str) -> web.Response:
    """Ekart's error answer: a bare code for a message, and the words in the description."""
    return web.json_response(
        {
            "statusCode": status,
            "code": code,
            "message": code,
            "description": description,
            "severity": "ERROR",
        },
        status=status,
    )
