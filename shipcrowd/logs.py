"""How exceptions stand in the log: with their traceback, without what the database quotes.

PostgreSQL's messages quote rows and pieces of statements, and with them consignees.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator
from typing import Any

import psycopg
from structlog.typing import EventDict, WrappedLogger


def render_exception(logger: WrappedLogger, name: str, event_dict: EventDict) -> EventDict:
    """A structlog processor: `exc_info` becomes `exception`, the traceback as text.

    The message of an error of the database is cut to its SQLSTATE and constraint, in the traceback
    and in whatever text of the line repeats it.
    """
    error = _error_in(event_dict.pop("exc_info", None))
    if error is None:
        return event_dict
    event_dict["exception"] = "".join(traceback.format_exception(error)).rstrip()
    for message, short in _cuts(error):
        for key, text in event_dict.items():
            if isinstance(text, str):
                quoted = repr(message)[1:-1]  # as the error's own repr has it
                event_dict[key] = text.replace(message, short).replace(quoted, short)
    return event_dict


def _error_in(exc_info: Any) -> BaseException | None:
    """The exception that a log call meant: by itself, in a tuple, or the one being handled."""
    if isinstance(exc_info, tuple):
        exc_info = exc_info[1]
    elif exc_info and not isinstance(exc_info, BaseException):
        exc_info = sys.exc_info()[1]
    return exc_info if isinstance(exc_info, BaseException) else None


def _cuts(error: BaseException) -> Iterator[tuple[str, str]]:
    """The messages that the database wrote, in the error and those behind it, and what stays."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        found = waiting.pop()
        if found is None or id(found) in seen:
            continue
        seen.add(id(found))
        waiting += [found.__cause__, found.__context__]
        if isinstance(found, psycopg.Error) and str(found) and not _is_unreachable(found):
            # Django's own exception repeats the message word for word.
            constraint = found.diag.constraint_name
            yield (
                str(found),
                f"SQLSTATE {found.sqlstate}" + (f", constraint {constraint}" if constraint else ""),
            )


def _is_unreachable(error: psycopg.Error) -> bool:
    """Whether the server gave no answer at all: then the message tells of the network alone."""
    return isinstance(error, psycopg.OperationalError) and error.sqlstate is None
