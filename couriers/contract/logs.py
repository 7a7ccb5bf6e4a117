"""Loggers with events and keys. They use the project's structlog, or else Python's logging."""

from __future__ import annotations

import logging
from typing import Any

import structlog

# For a project without structlog: an event with its keys is one line of the logger's own handlers.
_PROCESSORS = (
    structlog.stdlib.filter_by_level,
    structlog.processors.format_exc_info,
    structlog.processors.KeyValueRenderer(key_order=["event"], repr_native_str=False),
)


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
        processors=_PROCESSORS,
        wrapper_class=structlog.stdlib.BoundLogger,
        context_class=dict,
        cache_logger_on_first_use=True,
    )
