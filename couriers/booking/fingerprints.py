"""Fingerprints of a request: a salted and keyed hash of each field, stored instead of the request.

A request that reuses an idempotency key is compared with them field by field, so that the answer
can name the fields that differ. Without SECRET_KEY, the hashes reveal nothing of the consignee.
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


def compute_fingerprints(draft: ShipmentDraft) -> dict[str, str]:
    """Return the hash of each field of the request by its name, and the common salt."""
    salt = secrets.token_hex(8)
    return {_SALT: salt} | {
        field: _hash(salt, value, settings.SECRET_KEY) for field, value in _fields(draft).items()
    }


def differing_fields(stored: Mapping[str, str], draft: ShipmentDraft) -> tuple[str, ...]:
    """Return the sorted names of the fields in which the draft differs from the stored request."""
    fields = _fields(draft)
    salt = stored.get(_SALT, "")
    # A rotated SECRET_KEY must not make every stored request look different.
    keys = [str(key) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]

    def is_same(field: str) -> bool:
        return any(
            constant_time_compare(stored.get(field, ""), _hash(salt, fields.get(field), key))
            for key in keys
        )

    return tuple(sorted(f for f in (set(stored) | set(fields)) - {_SALT} if not is_same(f)))


def _fields(draft: ShipmentDraft) -> dict[str, Any]:
    """Return the draft's fields by name, those of consignee and parcel as `consignee.phone`."""
    data = dataclasses.asdict(draft)
    del data["warnings"]
    nested = {
        f"{outer}.{inner}": value
        for outer in ("consignee", "parcel")
        for inner, value in data.pop(outer).items()
    }
    return data | nested


def _hash(salt: str, value: Any, secret: str) -> str:
    text = json.dumps(value, sort_keys=True, default=str, ensure_ascii=False)
    return salted_hmac(_PURPOSE + salt, text, secret=secret, algorithm="sha256").hexdigest()[:24]
