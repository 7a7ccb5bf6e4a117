"""Fingerprints of a request: a salted and keyed hash of each field, stored instead of the request.

A request that reuses an idempotency key is compared with them field by field, so that the answer
can name the fields that differ. Without SECRET_KEY, the hashes reveal nothing of the consignee.
"""

from __future__ import annotations

import dataclasses
import json
import secrets
from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

from couriers.contract.types import Item, ShipmentDraft

_PURPOSE = "couriers.booking.fingerprints"
_SALT = "salt"
# Fields of a draft that have another name in a merchant's request.
NAMES = {"warehouse_id": "warehouse", "original_id": "original"}
# Fields whose hashes are erased with the personal data of the shipment.
PERSONAL = frozenset(
    {
        "consignee.name", "consignee.phone", "consignee.address", "consignee.city",
        "items[].name", "items[].sku", "items[].category", "options", "return_reason",
    }
)  # fmt: skip


def compute_fingerprints(draft: ShipmentDraft) -> dict[str, str]:
    """Return the hash of each field of the request by its name, and the common salt."""
    salt = secrets.token_hex(8)
    return {_SALT: salt} | {
        field: _hash(salt, value, settings.SECRET_KEY) for field, value in fields_of(draft).items()
    }


def differing_fields(
    stored: Mapping[str, str], draft: ShipmentDraft, without: Collection[str] = ()
) -> tuple[str, ...]:
    """Return the sorted names of the fields in which the draft differs from the stored request.

    The fields in `without` are not compared.
    """
    fields = fields_of(draft)
    salt = stored.get(_SALT, "")
    keys = _secret_keys()

    def is_same(field: str) -> bool:
        return any(
            constant_time_compare(stored.get(field, ""), _hash(salt, fields.get(field), key))
            for key in keys
        )

    compared = (set(stored) | set(fields)) - {_SALT, *without}
    return tuple(sorted(field for field in compared if not is_same(field)))


def fingerprint_of(data: Any) -> str:
    """Return the salted hash of a whole request, given as JSON data."""
    salt = secrets.token_hex(8)
    return f"{salt}:{_hash(salt, data, settings.SECRET_KEY)}"


def is_fingerprint_of(stored: str, data: Any) -> bool:
    """Whether `fingerprint_of` returned `stored` for the same request."""
    salt, _, hashed = stored.partition(":")
    return any(constant_time_compare(hashed, _hash(salt, data, key)) for key in _secret_keys())


def fields_of(draft: ShipmentDraft) -> dict[str, Any]:
    """Return the request's fields by the names that the merchant uses, as `consignee.phone`.

    A field of the items, as `items[].value`, has the values of all lines.
    """
    data = {NAMES.get(name, name): value for name, value in dataclasses.asdict(draft).items()}
    del data["warnings"]
    lines = data.pop("items")
    nested = {
        f"{outer}.{inner}": value
        for outer in ("consignee", "parcel")
        for inner, value in data.pop(outer).items()
    }
    columns = {
        f"items[].{column.name}": [line[column.name] for line in lines]
        for column in dataclasses.fields(Item)
    }
    return data | nested | columns


def _secret_keys() -> list[str]:
    # A rotated SECRET_KEY must not make every stored request look different.
    return [str(key) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]


def _hash(salt: str, value: Any, secret: str) -> str:
    text = json.dumps(value, sort_keys=True, default=_text, ensure_ascii=False)
    return salted_hmac(_PURPOSE + salt, text, secret=secret, algorithm="sha256").hexdigest()[:24]


def _text(value: Any) -> str:
    """Return a value as text. Equal amounts have one text: the API's 1149.00 is a file's 1149."""
    if not isinstance(value, Decimal) or not value.is_finite():
        return str(value)
    whole, _, fraction = f"{value or Decimal(0):f}".partition(".")
    fraction = fraction.rstrip("0")
    return f"{whole}.{fraction}" if fraction else whole
