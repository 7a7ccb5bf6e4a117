"""Hashes of phones, by which shipments of one consignee are found.

Phones are encrypted, one text differently each time, so the database cannot compare them. A hash it
can: an HMAC under a key derived from FERNET_KEYS, the first of which writes. A phone has only ten
digits, so a hash without a key could be tried out. `rotate_keys` writes all hashes anew.
"""

from __future__ import annotations

import hashlib
import hmac
from contextlib import suppress
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.db import models

from couriers.contract.platform_errors import UnreadableValue

_PURPOSE = b"shipcrowd: hash of a phone"


def phone_hashes(digits: str) -> tuple[str, ...]:
    """Return the hash (hex) of a phone under each of FERNET_KEYS, the one to store first.

    `digits` are the ten digits, as `india.parse_phone` returns them. Returns () for "".
    """
    if not digits:
        return ()
    return tuple(
        hmac.digest(_derived_key(str(key)), digits.encode(), "sha256").hex()
        for key in settings.FERNET_KEYS
    )


def stored_phone_hash(digits: str) -> str:
    """Return the hash to store: that under the first of FERNET_KEYS, or "" for no phone."""
    return next(iter(phone_hashes(digits)), "")


@lru_cache(maxsize=16)
def _derived_key(key: str) -> bytes:
    return hmac.digest(key.encode(), _PURPOSE, hashlib.sha256)


class PhoneHashField(models.CharField):
    """The hash of the phone in another field of the row, set whenever the row is saved.

    `QuerySet.update` sets neither of them: whoever updates the phone updates the hash, too.
    """

    def __init__(self, *args: Any, phone_field: str, **kwargs: Any) -> None:
        self.phone_field = phone_field
        super().__init__(*args, **{"max_length": 64, "editable": False, "blank": True} | kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, kwargs | {"phone_field": self.phone_field}

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        """Return the phone's hash: the stored one where it is not loaded, or no key opens it."""
        if self.phone_field not in model_instance.get_deferred_fields():
            with suppress(UnreadableValue):
                phone = getattr(model_instance, self.phone_field)
                setattr(model_instance, self.attname, stored_phone_hash(phone))
        return str(getattr(model_instance, self.attname))
