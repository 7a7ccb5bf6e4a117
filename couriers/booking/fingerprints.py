"""Recognising a request without keeping it: a keyed, salted hash of each of its fields.

A key's second use is compared field by field, so that the answer can name what differs. The
consignee's data cannot be had back from the hashes without the project's SECRET_KEY.
"""

from __future__ import annotations

import dataclasses
import json
import secrets
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

from couriers.contract.types import ShipmentDraft

_PURPOSE = "couriers.booking.fingerprints"
_SALT = "salt"


def fingerprints_of(draft: ShipmentDraft) -> dict[str, str]:
    """The hash of each field of the request, with the salt they share."""
    salt = secrets.token_hex(8)
    return {_SALT: salt} | {
        field: _hash(salt, value, settings.SECRET_KEY) for field, value in _fields(draft).items()
    }


def differences(stored: Mapping[str, str], draft: ShipmentDraft) -> tuple[str, ...]:
    """The fields in which the draft differs from the request that was stored, sorted."""
    fields = _fields(draft)
    salt = stored.get(_SALT, "")
    keys = [str(key) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]

    def same(field: str) -> bool:
        return any(
            constant_time_compare(stored.get(field, ""), _hash(salt, fields.get(field), key))
            for key in keys
        )

    return tuple(sorted(f for f in (set(stored) | set(fields)) - {_SALT} if not same(f)))


def _fields(draft: ShipmentDraft) -> dict[str, Any]:
    data = dataclasses.asdict(draft)
    nested = {
        f"{outer}.{inner}": value
        for outer in ("consignee", "parcel")
        for inner, value in data.pop(outer).items()
    }
    return data | nested


def _hash(salt: str, value: Any, secret: str) -> str:
    text = json.dumps(value, sort_keys=True, default=str, ensure_ascii=False)
    return salted_hmac(_PURPOSE + salt, text, secret=secret, algorithm="sha256").hexdigest()[:24]
