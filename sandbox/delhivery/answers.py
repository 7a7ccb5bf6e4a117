"""The shapes of Delhivery's answers that several operations share, and of its faults."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from aiohttp import web

from sandbox.errors import Refused, Unauthorized, UnknownPath

JSON = "application/json"
FIREWALL_PAGE = (
    "<HTML><HEAD><TITLE>Access Denied</TITLE></HEAD><BODY><H1>Access Denied</H1>"
    "You don't have permission to access this server.</BODY></HTML>"
)
# How a wrong key is refused where it is not by 401 and "detail": HTTP status and JSON body.
WRONG_KEY: dict[str, tuple[int, Any]] = {
    "expected_tat": (403, {"detail": "Invalid token"}),
    "ndr": (403, "Unauthorized client/user"),
    "fetch_waybill": (401, "Unauthorized"),
    "bulk_waybills": (401, "Unauthorized"),
}


class BehindFirewall(Refused):
    """The firewall turns the call away before anything is done."""

    status = 403


def firewall() -> web.Response:
    """What an address gets that calls too fast."""
    return web.Response(status=403, text=FIREWALL_PAGE, content_type="text/html")


def unauthorized() -> web.Response:
    """The answer of the fault `unauthorized`: the key is revoked."""
    return web.json_response({"detail": "Invalid token"}, status=401)


def wrong_key(operation: str, *, as_text: bool) -> web.Response:
    """How an operation refuses a key; `as_text` is the JSON string that most answer at times."""
    if operation == "pincodes":
        return web.Response(status=401, text="Login or API Key Required")
    usual: Any = "Invalid token" if as_text else {"detail": "Invalid token"}
    status, body = WRONG_KEY.get(operation, (401, usual))
    return web.json_response(body, status=status)


def error_answer(error: Refused, operation: str, *, as_text: bool) -> web.Response:
    """The answer to a call that is refused."""
    if isinstance(error, BehindFirewall):
        return firewall()
    if isinstance(error, Unauthorized):
        return wrong_key(operation, as_text=as_text)
    if isinstance(error, UnknownPath):
        return web.Response(status=404, text="<h1>Not Found</h1>", content_type="text/html")
    return web.json_response({"error": error.description}, status=error.status)


def accepts_json(request: web.Request) -> bool:
    return JSON in request.headers.get("Accept", "")


def edit_answer(request: web.Request, fields: Mapping[str, Any]) -> web.Response:
    """The answer of /api/p/edit: JSON where it is asked for, else XML; HTTP 200 in any case."""
    if accepts_json(request):
        return web.json_response(dict(fields))
    parts = "".join(
        f"<{name}>{escape(_xml(value), quote=False)}</{name}>" for name, value in fields.items()
    )
    text = f'<?xml version="1.0" encoding="utf-8"?>\n<root>{parts}</root>'
    return web.Response(text=text, content_type="application/xml")


def _xml(value: Any) -> str:
    return "Failure" if value is False else str(value)
