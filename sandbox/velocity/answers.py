"""The shapes of Velocity's answers: three envelopes of success, and its errors."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from sandbox.errors import Declined, NotFound, Refused, Unauthorized, UnknownPath
from sandbox.india import INDIA
from sandbox.velocity.switches import VelocitySwitches

INJECTED = "An injected fault"
BUSINESS_REFUSAL = 422


def of_order(payload: Mapping[str, Any], message: str = "") -> web.Response:
    """The answer of the calls that make orders; a message is there where no carrier took it."""
    return web.json_response(
        {"status": 1, "payload": payload} | ({"message": message} if message else {})
    )


def with_payload(payload: Mapping[str, Any]) -> web.Response:
    return web.json_response({"status": "SUCCESS", "payload": payload})


def with_result(result: Mapping[str, Any]) -> web.Response:
    return web.json_response({"status": "SUCCESS", "result": result})


def with_data(data: Mapping[str, Any], message: str) -> web.Response:
    """The answer of the NDR calls."""
    return web.json_response({"success": True, "message": message, "data": data})


def error_answer(error: Refused, switches: VelocitySwitches) -> web.Response:
    """The answer to a call that is refused."""
    if isinstance(error, Unauthorized):
        return web.json_response({"error": error.description, "status": 401}, status=401)
    if isinstance(error, UnknownPath):
        return web.json_response({"status": 404, "error": "Not Found"}, status=404)
    texts: dict[str, Any] = {
        "message": {"message": error.description},
        "error": {"error": error.description},
        "errors": {"errors": [error.description]},
    }
    text = texts[switches.error_text]
    if switches.refuses_with_200:
        return web.json_response({"status": 0} | text)
    if isinstance(error, (Declined, NotFound)):
        return web.json_response({"status": BUSINESS_REFUSAL} | text, status=BUSINESS_REFUSAL)
    return web.json_response({"status": "ERROR"} | text, status=400)


def internal_error() -> web.Response:
    return web.json_response({"status": 500, "error": "Internal Server Error"}, status=500)


def rate_limited() -> web.Response:
    return web.json_response({"status": 429, "error": "Too Many Requests"}, status=429)


def unauthorized() -> web.Response:
    """The answer of the fault `unauthorized`."""
    return web.json_response({"error": INJECTED, "status": 401}, status=401)


def gateway_timeout() -> web.Response:
    """The answer of the faults `gateway_timeout_…`."""
    return web.Response(
        status=504,
        content_type="text/html",
        text="<html><head><title>504 Gateway Time-out</title></head></html>",
    )


def moment(milliseconds: int) -> str:
    """A time of tracking: India's, in seconds, without a zone."""
    return _in_india(milliseconds).strftime("%Y-%m-%d %H:%M:%S")


def zoned(milliseconds: int) -> str:
    """A time in ISO 8601 with +05:30."""
    return _in_india(milliseconds).isoformat(timespec="milliseconds")


def _in_india(milliseconds: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(milliseconds / 1000, INDIA)
