"""Which keys of a log line are written out. The value of any other is hidden.

A list of what may be logged, and not of what may not: whoever logs something new has to think of
what it may hold. Names and ids are listed, and texts that the platform makes or has masked.
"""

from __future__ import annotations

from typing import Any

from structlog.typing import EventDict, WrappedLogger

HIDDEN = "[hidden]"
MAX_TEXT = 4000  # characters of a value
MAX_EXCEPTION = 20_000
MAX_ITEMS = 50

# What the logging itself adds to each line.
_OF_EVERY_LINE = (
    "event", "level", "logger", "timestamp", "exception", "stack", "request_id", "task", "task_id",
    "trace_id",
)  # fmt: skip
# Ids and codes of the platform's own.
_IDS = (
    "account", "action", "actor", "cancel", "company", "courier", "document", "endpoint",
    "event_id", "former", "job", "label", "other", "pickup", "plugin", "shipment", "tracking_id",
    "warehouse",
)  # fmt: skip
_FACTS = (
    "address", "attempt", "by", "code", "count", "ended", "error", "failures", "field", "file",
    "host", "ids", "kind", "known_as", "method", "milliseconds", "missing", "name",
    "operation", "order_number", "orders", "outcome", "position", "reason", "receiver", "result",
    "route", "rows", "shipments", "source", "status", "type", "verdict", "version", "word", "work",
)  # fmt: skip
_allowed = {*_OF_EVERY_LINE, *_IDS, *_FACTS}


def allow_keys(*names: str) -> None:
    """Have these keys written out, too. For a plug-in, in its AppConfig.ready().

    What they hold may be neither secret nor about a person.
    """
    _allowed.update(names)


def is_allowed(name: str) -> bool:
    """Whether the value of a key is written out."""
    return name in _allowed


def hide_other_keys(logger: WrappedLogger, name: str, event_dict: EventDict) -> EventDict:
    """A structlog processor that hides the values of keys which nobody has allowed.

    Of an allowed key a number, a text or a list of these is written; of any other object its class,
    whose `repr` might show what is in it.
    """
    return {
        key: _written(key, value) if key in _allowed else HIDDEN
        for key, value in event_dict.items()
    }


def _written(key: str, value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, str):
        # A traceback ends with what went wrong.
        return str(value)[-MAX_EXCEPTION:] if key == "exception" else str(value)[:MAX_TEXT]
    if isinstance(value, (list, tuple)):
        return [_written(key, one) for one in value[:MAX_ITEMS]]
    return type(value).__name__
