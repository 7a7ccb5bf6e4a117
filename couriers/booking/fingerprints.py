"""Fingerprints of a request: a salted and keyed hash of each field, stored instead of the request.

A request that reuses an idempotency key is compared with them field by field, so that the answer
can name the fields that differ. Without SECRET_KEY, the hashes reveal nothing of the consignee.
"""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import json
import secrets
from collections.abc import Collection, Iterator, Mapping
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.utils.crypto import constant_time_compare
from django.utils.encoding import force_bytes

from couriers.contract.types import Item, ShipmentDraft

_PURPOSE = "couriers.booking.fingerprints"
_SALT = "salt"
# Fields of a draft that have another name in a merchant's request.
NAMES = {"warehouse_id": "warehouse", "original_id": "original"}
# Fields that few requests have: where they are empty they have no hash.
SELDOM = frozenset({"consignee.landmark", "consignee.email", "metadata", "quote"})
# Fields whose hashes are erased with the personal data of the shipment.
PERSONAL = frozenset(
    {
        "consignee.name", "consignee.phone", "consignee.address", "consignee.city",
        "consignee.landmark", "consignee.email", "items[].name", "items[].sku", "items[].category",
        "options", "metadata", "return_reason",
    }
)  # fmt: skip


def compute_fingerprints(draft: ShipmentDraft) -> dict[str, str]:
    """Return the hash of each field of the request by its name, and the common salt."""
    salt = secrets.token_hex(8)
    key = _key(salt, settings.SECRET_KEY)
    return {_SALT: salt} | {field: _hash(key, value) for field, value in fields_of(draft).items()}


def differing_fields(
    stored: Mapping[str, str], draft: ShipmentDraft, without: Collection[str] = ()
) -> tuple[str, ...]:
    """Return the sorted names of the fields in which the draft differs from the stored request.

    The fields in `without` are not compared.
    """
    fields = fields_of(draft)
    keys = _keys(stored.get(_SALT, ""))

    def is_same(field: str) -> bool:
        return any(
            constant_time_compare(stored.get(field, ""), _hash(key, fields.get(field)))
            for key in keys
        )

    compared = (set(stored) | set(fields)) - {_SALT, *without}
    return tuple(sorted(field for field in compared if not is_same(field)))


def fingerprint_of(data: Any) -> str:
    """Return the salted hash of a whole request, given as JSON data."""
    salt = secrets.token_hex(8)
    return f"{salt}:{_hash(_key(salt, settings.SECRET_KEY), data)}"


def is_fingerprint_of(stored: str, data: Any) -> bool:
    """Whether `fingerprint_of` returned `stored` for the same request."""
    salt, _, hashed = stored.partition(":")
    return any(constant_time_compare(hashed, _hash(key, data)) for key in _keys(salt))


def fields_of(draft: ShipmentDraft) -> dict[str, Any]:
    """Return the request's fields by the names that the merchant uses, as `consignee.phone`.

    A field of the items, as `items[].value`, has the values of all lines. A field that few requests
    have is left out where it is empty.
    """
    data = {NAMES.get(name, name): value for name, value in _values(draft)}
    del data["warnings"]
    lines = data.pop("items")
    nested = {
        f"{outer}.{inner}": value
        for outer in ("consignee", "parcel")
        for inner, value in _values(data.pop(outer))
    }
    columns = {
        f"items[].{column.name}": [getattr(line, column.name) for line in lines]
        for column in dataclasses.fields(Item)
    }
    fields = data | nested | columns
    return {name: value for name, value in fields.items() if value or name not in SELDOM}


def _values(record: Any) -> Iterator[tuple[str, Any]]:
    """Yield the fields of a dataclass. `dataclasses.asdict` copies each value, which takes long."""
    return ((one.name, getattr(record, one.name)) for one in dataclasses.fields(record))


def _keys(salt: str) -> list[bytes]:
    # A rotated SECRET_KEY must not make every stored request look different.
    return [_key(salt, key) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]


def _key(salt: str, secret: str | bytes) -> bytes:
    """Return the key of all hashes with this salt, as Django's `salted_hmac` derives it."""
    return hashlib.sha256(f"{_PURPOSE}{salt}".encode() + force_bytes(secret)).digest()


def _hash(key: bytes, value: Any) -> str:
    return hmac.digest(key, _to_json(value).encode(), "sha256").hex()[:24]


def _text(value: Any) -> str:
    """Return a value as text. Equal amounts have one text: the API's 1149.00 is a file's 1149."""
    if not isinstance(value, Decimal) or not value.is_finite():
        return str(value)
    whole, _, fraction = f"{value or Decimal(0):f}".partition(".")
    fraction = fraction.rstrip("0")
    return f"{whole}.{fraction}" if fraction else whole


# The encoder is made once: a request has thirty fields.
_to_json = json.JSONEncoder(sort_keys=True, default=_text, ensure_ascii=False).encode
