"""An operation of a courier's API: its name, its path and the handler that answers it."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from sandbox.checks import require
from sandbox.errors import MalformedBody

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Operation:
    """One call of the courier's API.

    Counts, recorded requests and faults know it by its `name`. An operation that is `public` may be
    called without a token or key; the body of one with a `secret_body` is never recorded.
    """

    name: str
    method: str
    path: str
    handler: Handler
    public: bool = False
    secret_body: bool = False


_OPERATION, _PROBLEMS = "operation", "problems"


def begin(request: web.Request, operation: Operation) -> None:
    """Note which operation a request asks for."""
    request[_OPERATION] = operation.name
    request[_PROBLEMS] = []


def operation_of(request: web.Request) -> str:
    """The name of the operation that a request asks for."""
    return str(request[_OPERATION])


def problems_of(request: web.Request) -> list[str]:
    """The courier's rules that a request broke. What is appended lists it as an invalid request.

    It is for a request that is answered all the same: raise Refused for any other.
    """
    problems: list[str] = request[_PROBLEMS]
    return problems


async def read_json(request: web.Request) -> dict[str, Any]:
    """The body of a request, a JSON object. Raises MalformedBody, or Refused for other JSON."""
    try:
        body = json.loads(await request.read())
    except ValueError:
        raise MalformedBody("The body is not JSON") from None
    require(isinstance(body, dict), "a JSON object is required")
    return dict(body)
