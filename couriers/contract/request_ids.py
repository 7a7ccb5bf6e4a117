"""The id of a request, by which its log lines are found, in whatever process they are written.

It is bound to the log context of a thread (structlog.contextvars) and nowhere else.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from structlog import contextvars

HEADER = "X-Request-ID"
MAX_LENGTH = 64
KEY = "request_id"
ATTRIBUTE = "shipcrowd_request_id"  # of the request that is being answered
_SANE = re.compile(rf"[A-Za-z0-9._-]{{1,{MAX_LENGTH}}}", re.ASCII)
# Digits and what stands between them: it may be somebody's phone.
_NUMBER = re.compile(r"[0-9._-]+", re.ASCII)


def taken_or_made(given: str | None) -> str:
    """Return the id that a client gave, where it may be logged and sent back, else a new one.

    It may have letters, digits, `.`, `_` and `-`, at most MAX_LENGTH of them, and not digits alone.
    """
    if given and _SANE.fullmatch(given) and not _NUMBER.fullmatch(given):
        return given
    return uuid.uuid4().hex


def current() -> str:
    """Return the id of the request or task that the thread works for; "" where there is none."""
    return str(contextvars.get_contextvars().get(KEY, ""))


@contextmanager
def bound(request_id: str, **facts: str) -> Iterator[None]:
    """Add the id, and further facts, to each log line of the block's thread."""
    tokens = contextvars.bind_contextvars(**{KEY: request_id}, **facts)
    try:
        yield
    finally:
        contextvars.reset_contextvars(**tokens)
