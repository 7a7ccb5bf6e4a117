"""Errors for Sentry: each line that is logged as an error, and an exception that ends the process.

Django, Celery and the apps log every error, so nothing else is listened to. The event is made anew
of what is listed here; nothing that the SDK collects besides leaves the machine.
"""

from __future__ import annotations

import logging
from typing import Any

import sentry_sdk
import structlog
from sentry_sdk.integrations.atexit import AtexitIntegration
from sentry_sdk.integrations.dedupe import DedupeIntegration
from sentry_sdk.integrations.excepthook import ExcepthookIntegration
from sentry_sdk.integrations.logging import LoggingIntegration
from sentry_sdk.transport import HttpTransport
from sentry_sdk.utils import BadDsn

from couriers.contract.log_keys import hide_other_keys
from couriers.contract.logs import get_logger, replacements
from couriers.contract.request_ids import KEY
from shipcrowd.logs import name_request
from shipcrowd.telemetry.notices import log_not_reached

log = get_logger(__name__)

TIMEOUT = 2  # seconds that a process which ends waits until its errors are sent

_KEPT = ("event_id", "timestamp", "level", "platform", "release", "environment", "sdk", "logger")
_OF_FRAMES = ("filename", "module", "function", "lineno", "in_app")
_MECHANISM = ("type", "handled")


def start(dsn: str, release: str) -> None:
    """Send errors to the project of the DSN. Raises ValueError where it is none."""
    try:
        sentry_sdk.init(
            dsn=dsn,
            release=release,
            transport=TellingTransport,
            default_integrations=False,
            auto_enabling_integrations=False,
            integrations=[
                LoggingIntegration(level=None, event_level=logging.ERROR),
                AtexitIntegration(callback=lambda pending, timeout: None),
                ExcepthookIntegration(),
                DedupeIntegration(),
            ],
            send_default_pii=False,
            include_local_variables=False,
            include_source_context=False,
            max_request_body_size="never",
            max_breadcrumbs=0,
            auto_session_tracking=False,
            propagate_traces=False,
            trace_propagation_targets=[],
            shutdown_timeout=TIMEOUT,
            before_send=scrubbed,
        )
    except BadDsn as error:
        raise ValueError("SENTRY_DSN is not the DSN of a Sentry project") from error


class TellingTransport(HttpTransport):
    """Says in the log, by sample, that errors could not be sent."""

    def on_dropped_event(self, reason: str) -> None:
        log_not_reached(log, "sentry_not_reached", reason=reason)


def scrubbed(event: Any, hint: dict[str, Any]) -> Any:
    """Return the event with what is listed: where it happened, what was logged, and its ids."""
    kept = {key: event[key] for key in _KEPT if key in event}
    record = hint.get("log_record")
    facts = dict(structlog.contextvars.get_contextvars())
    if record is not None and isinstance(record.msg, dict):  # a line of structlog
        facts |= record.msg
        kept["logentry"] = {"message": str(facts["event"])}
    elif record is not None and record.name == "django.request":
        named = name_request(None, "", {"event": record.getMessage(), "_record": record})
        facts |= {key: named[key] for key in (KEY,) if key in named}
        kept["logentry"] = {"message": named["event"]}
    elif record is not None:
        # The template, without what is filled in.
        kept["logentry"] = {"message": str(record.msg)}
    facts = dict(hide_other_keys(None, "", facts))
    kept["tags"] = {
        key: facts[key] for key in ("request_id", "task", "courier", "operation") if key in facts
    }
    # What is text may be a person's words or an exception's; ids and numbers are not.
    kept["extra"] = {
        key: value
        for key, value in facts.items()
        if key not in ("exception", "error", "reason", "event") and key not in kept["tags"]
        and not key.startswith("_")
    }  # fmt: skip
    error = (hint.get("exc_info") or (None, None))[1]
    found = event.get("exception", {}).get("values", [])
    if found:
        short = "; ".join(text for _, text in replacements(error)) if error else ""
        kept["exception"] = {"values": [_exception(one, short) for one in found]}
    return kept


def _exception(one: dict[str, Any], database_error: str) -> dict[str, Any]:
    """Return an exception's class and frames. Of its text only the database's SQLSTATE is kept."""
    frames = (one.get("stacktrace") or {}).get("frames", [])
    kept: dict[str, Any] = {"type": one.get("type"), "module": one.get("module")}
    kept["value"] = database_error
    if mechanism := one.get("mechanism"):
        kept["mechanism"] = {key: mechanism[key] for key in _MECHANISM if key in mechanism}
    kept["stacktrace"] = {
        "frames": [{key: frame[key] for key in _OF_FRAMES if key in frame} for frame in frames]
    }
    return kept
