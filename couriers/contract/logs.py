"""Loggers with events and keys, and exceptions in them without the messages of the database.

PostgreSQL's messages quote rows and statements, and so consignees' personal data.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Iterator
from typing import Any

import psycopg
import structlog
from structlog.typing import EventDict, WrappedLogger

from couriers.contract.log_keys import hide_other_keys
from couriers.contract.masking import mask_text


class Logger:
    """A logger that looks at the first event whether the project has configured structlog.

    Unconfigured, structlog would write to standard output, where commands write their results.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._logger: Any = None

    def __getattr__(self, method: str) -> Any:
        if self._logger is None:
            self._logger = _logger_of(self._name)
        return getattr(self._logger, method)


def get_logger(name: str) -> Any:
    """Return the logger of a module."""
    return Logger(name)


def _logger_of(name: str) -> Any:
    if structlog.is_configured():
        return structlog.get_logger(name)
    return structlog.wrap_logger(
        logging.getLogger(name),
        # An event with its keys is one line of the logger's own handlers.
        processors=(
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.filter_by_level,
            render_exception,
            hide_other_keys,
            structlog.processors.KeyValueRenderer(key_order=["event"]),
        ),
        wrapper_class=structlog.stdlib.BoundLogger,
        context_class=dict,
        cache_logger_on_first_use=True,
    )


def render_exception(logger: WrappedLogger, name: str, event_dict: EventDict) -> EventDict:
    """A structlog processor that replaces `exc_info` by `exception`, the traceback as text.

    A message of the database is replaced by its SQLSTATE and constraint, in the traceback and in
    every other text of the log line that contains it. In other messages long numbers and e-mail
    addresses are masked: a KeyError names a key, and a ValueError quotes a value.
    """
    error = _exception_in(event_dict.pop("exc_info", None))
    if error is None:
        return event_dict
    event_dict["exception"] = "".join(traceback.format_exception(error)).rstrip()
    for message, replacement in (*replacements(error), *_masked(error)):
        for key, text in event_dict.items():
            if isinstance(text, str):
                escaped = repr(message)[1:-1]  # as it stands in the repr of the error
                text = text.replace(message, replacement).replace(escaped, replacement)
                event_dict[key] = text
    return event_dict


def _exception_in(exc_info: Any) -> BaseException | None:
    """Return the exception of a log call, given as itself, in a tuple, or as True."""
    if isinstance(exc_info, tuple):
        exc_info = exc_info[1]
    elif exc_info and not isinstance(exc_info, BaseException):
        exc_info = sys.exc_info()[1]
    return exc_info if isinstance(exc_info, BaseException) else None


def replacements(error: BaseException) -> Iterator[tuple[str, str]]:
    """Yield each message of the database in the error's chain, with what replaces it."""
    for one in _chain(error):
        if isinstance(one, psycopg.Error) and str(one) and not _is_connection_error(one):
            # Django's exception, which wraps this one, has the same message.
            constraint = one.diag.constraint_name
            replacement = f"SQLSTATE {one.sqlstate}"
            yield str(one), f"{replacement}, constraint {constraint}" if constraint else replacement


def _masked(error: BaseException) -> Iterator[tuple[str, str]]:
    """Yield each other message in the chain in which something is masked, with the masked one."""
    for one in _chain(error):
        message = str(one)
        if (masked := mask_text(message)) != message:
            yield message, masked


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield the error, its causes and its contexts, each once."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        waiting += [one.__cause__, one.__context__]
        yield one


def _is_connection_error(error: psycopg.Error) -> bool:
    """Whether the server did not answer; such a message is about the network and quotes no row."""
    return isinstance(error, psycopg.OperationalError) and error.sqlstate is None
