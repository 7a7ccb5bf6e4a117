"""Masking a callback's payload, so that operators see no personal data. Pure functions."""

from __future__ import annotations

import math
import re
from typing import Any

from couriers.contract.masking import MASK, has_long_number, mask_text
from couriers.contract.receiver import WebhookReceiver
from couriers.contract.text import make_storable

# A field's name. A key that holds data instead (a phone number, a person's name) does not match.
_FIELD_NAME = re.compile(r"(?!.*\d{6})[A-Za-z_][A-Za-z0-9_-]{0,59}")


def mask_payload(payload: dict[str, Any], receiver: WebhookReceiver | None) -> dict[str, Any]:
    """Return the payload with every field masked that the courier's receiver does not list.

    Fields in `shown_ids` are returned as they are, fields in `shown_words` as mask_text returns
    them. Without a receiver (None), the contract's default lists are used.
    """
    lists: WebhookReceiver | type[WebhookReceiver] = receiver or WebhookReceiver
    return _mask_object(payload, lists.shown_ids, lists.shown_words)


def _mask_object(
    data: dict[str, Any], ids: frozenset[str], words: frozenset[str]
) -> dict[str, Any]:
    return {
        key if _FIELD_NAME.fullmatch(key) else MASK: _mask_value(value, key in ids, ids, words)
        if key in ids or key in words
        else MASK
        for key, value in data.items()
    }


def _mask_value(value: Any, verbatim: bool, ids: frozenset[str], words: frozenset[str]) -> Any:
    if isinstance(value, dict):
        return _mask_object(value, ids, words)
    if isinstance(value, list):
        return [_mask_value(part, verbatim, ids, words) for part in value]
    if isinstance(value, str):
        # make_storable() drops half surrogate pairs, which cannot be encoded for the answer.
        return make_storable(value) if verbatim else mask_text(value)
    if isinstance(value, float) and not math.isfinite(value):
        return MASK  # JSON has no such number
    return value if verbatim or not has_long_number(str(value)) else MASK
