"""A callback as people may see it: without what tells of a person. Pure."""

from __future__ import annotations

import math
import re
from typing import Any

from couriers.contract.receiver import WebhookReceiver
from couriers.contract.text import storable

HIDDEN = "•••"
# Ten digits and more, as phone numbers are written: 98765 43210, +91-9876543210.
_PHONE = re.compile(r"\+?\d(?:[\s-]?\d){9,}")
# The name of a field, and not what somebody made the key of an object.
_FIELD = re.compile(r"(?!.*\d{6})[A-Za-z_][A-Za-z0-9_-]{0,59}")


def without_people(payload: dict[str, Any], receiver: WebhookReceiver | None) -> dict[str, Any]:
    """The payload with every field hidden that the courier's plug-in does not name as harmless.

    Without a plug-in (None), only what the contract names is shown.
    """
    naming: WebhookReceiver | type[WebhookReceiver] = receiver or WebhookReceiver
    return _object(payload, naming.shown_ids, naming.shown_words)


def _object(found: dict[str, Any], ids: frozenset[str], words: frozenset[str]) -> dict[str, Any]:
    return {
        key if _FIELD.fullmatch(key) else HIDDEN: _value(value, key in ids, ids, words)
        if key in ids or key in words
        else HIDDEN
        for key, value in found.items()
    }


def _value(value: Any, as_it_is: bool, ids: frozenset[str], words: frozenset[str]) -> Any:
    if isinstance(value, dict):
        return _object(value, ids, words)
    if isinstance(value, list):
        return [_value(part, as_it_is, ids, words) for part in value]
    if isinstance(value, str):
        # Half of a surrogate pair cannot be sent to anybody.
        return storable(value) if as_it_is else _PHONE.sub(HIDDEN, storable(value))
    if isinstance(value, float) and not math.isfinite(value):
        return HIDDEN  # beyond what JSON can write
    return value if as_it_is or not _PHONE.search(str(value)) else HIDDEN
