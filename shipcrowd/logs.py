"""How the project logs: a JSON object a line on standard error, in every process.

The settings and gunicorn.conf.py use it. It knows nothing of Django.
"""

from __future__ import annotations

import sys
from typing import Any

import structlog
from structlog.typing import EventDict, WrappedLogger

from couriers.contract.log_keys import HIDDEN, hide_other_keys
from couriers.contract.logs import render_exception
from couriers.contract.request_ids import ATTRIBUTE, KEY

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


def add_trace_id(logger: WrappedLogger, name: str, event_dict: EventDict) -> EventDict:
    """A structlog processor: where requests are traced, the id by which the trace is found."""
    if trace := sys.modules.get("opentelemetry.trace"):
        context = trace.get_current_span().get_span_context()
        if context.is_valid:
            event_dict["trace_id"] = format(context.trace_id, "032x")
    return event_dict


def name_request(logger: WrappedLogger, name: str, event_dict: EventDict) -> EventDict:
    """A structlog processor: Django's lines about a request have its id, and no path.

    Django logs them outside of the request's context. A path may hold what identifies a person, so
    its route stands for it.
    """
    request = getattr(event_dict.get("_record"), "request", None)
    if path := getattr(request, "path", ""):
        route = getattr(getattr(request, "resolver_match", None), "route", "")
        event_dict["event"] = event_dict["event"].replace(path, route or HIDDEN)
        if request_id := getattr(request, ATTRIBUTE, ""):
            event_dict[KEY] = request_id
    return event_dict


# Of every line, our own and those of libraries. The context is that of the thread that logs.
_FIRST = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    add_trace_id,
]

# The arguments of structlog.configure.
STRUCTLOG: dict[str, Any] = {
    "processors": [
        structlog.stdlib.filter_by_level,
        *_FIRST,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    "logger_factory": structlog.stdlib.LoggerFactory(),
    "cache_logger_on_first_use": True,
}


def logging_config(level: str) -> dict[str, Any]:
    """Return the configuration of `logging` for lines of at least this level."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "json": {
                "()": "structlog.stdlib.ProcessorFormatter",
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    render_exception,
                    hide_other_keys,
                    structlog.processors.JSONRenderer(),
                ],
                "foreign_pre_chain": [*_FIRST, name_request],
            },
        },
        "handlers": {
            "stderr": {"class": "logging.StreamHandler", "formatter": "json", "level": level}
        },
        # It writes the addresses of calls, each of which has a line of our own, and several lines
        # for each error that a Sentry which is away was not sent.
        "loggers": {"urllib3": {"level": "ERROR"}},
        "root": {"handlers": ["stderr"], "level": level},
    }
