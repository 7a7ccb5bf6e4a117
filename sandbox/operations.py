"""An operation of a courier's API: its name, its path and the handler that answers it."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
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


@dataclass(slots=True)
class Call:
    """A request that is being answered.

    `problems` are the courier's rules that it broke, each of which lists it as an invalid request:
    for a request that is answered all the same. Raise Refused for any other.
    """

    operation: str
    problems: list[str] = field(default_factory=list)


_call: ContextVar[Call] = ContextVar("call")


def begin_call(operation: Operation) -> Call:
    """Make a call of the operation the one that is being answered."""
    call = Call(operation.name)
    _call.set(call)
    return call


def current_call() -> Call:
    """The call that is being answered; without an operation on a path that is none of them."""
    return _call.get(None) or Call("")


async def read_json(request: web.Request) -> dict[str, Any]:
    """The body of a request, a JSON object. Raises MalformedBody, or Refused for other JSON."""
    try:
        body = json.loads(await request.read())
    except (ValueError, RecursionError):
        raise MalformedBody("The body is not JSON") from None
    require(isinstance(body, dict), "a JSON object is required")
    return dict(body)
