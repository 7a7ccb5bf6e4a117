"""The platform's WSGI application, which tells in headers what it sees of a request."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any

from shipcrowd.wsgi import application as platform
from tests.support.seen_headers import ADDRESS, WORKER

__all__ = ["application"]


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer as the platform does, with these headers."""
    names = ("REMOTE_ADDR", "HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO")
    address = "; ".join(environ.get(name, "") for name in names)

    def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
        seen = [(WORKER, str(os.getpid())), (ADDRESS, address)]
        return start_response(status, [*headers, *seen], *rest)

    return platform(environ, start)
