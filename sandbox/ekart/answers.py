"""The shapes of Ekart's answers that several operations share."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from sandbox.errors import Declined, MalformedBody, NotFound, Refused, Unauthorized, UnknownPath

CODES: dict[type[Refused], str] = {
    Refused: "SWIFT_VALIDATION_EXCEPTION",
    Declined: "SWIFT_VALIDATION_EXCEPTION",
    MalformedBody: "SWIFT_MALFORMED_INPUT_EXCEPTION",
    Unauthorized: "SWIFT_UNAUTHORIZED",
    NotFound: "SWIFT_RESOURCE_NOT_FOUND_EXCEPTION",
    UnknownPath: "PATH_NOT_IMPLEMENTED",
}
INJECTED = "An injected fault"


def acknowledgement(tracking_id: str, remark: str, *, done: bool) -> dict[str, Any]:
    """What is answered about one shipment, whether or not it was done."""
    return {"status": done, "remark": remark, "tracking_id": tracking_id}


def error_answer(error: Refused) -> web.Response:
    """Ekart's error answer to a call that is refused."""
    return _error(error.status, CODES[type(error)], error.description)


def rate_limited() -> web.Response:
    """The answer of the fault `rate_limited`."""
    answer = _error(429, "TOO_MANY_REQUESTS", INJECTED)
    answer.headers["Retry-After"] = "1"
    return answer


def unauthorized() -> web.Response:
    """The answer of the fault `unauthorized`."""
    return error_answer(Unauthorized(INJECTED))


def _error(status: int, code: str, description: str) -> web.Response:
    """An error: `message` repeats the code, and only `description` has words."""
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
