"""Fingerprints of logins, by which two accounts with one login are found.

A courier sends its callbacks by login: two accounts with one login would get each other's. Logins
are encrypted, and one text is encrypted differently each time, so they cannot be compared in the
database. A fingerprint can: it is an HMAC under a key derived from FERNET_KEYS, the first of which
writes. `rotate_keys` writes all fingerprints anew.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Sequence
from urllib.parse import urlsplit

from django.conf import settings

from couriers.contract.adapter import BaseCourierAdapter
from couriers.contract.registry import CourierFactory

_PURPOSE = b"shipcrowd: fingerprint of a login"
_PORTS = {"https": 443, "http": 80}


def login_identity(courier: str) -> tuple[str, ...]:
    """Return the account's fields that identify a login with the courier."""
    if courier in CourierFactory.codes():
        return CourierFactory.adapter_class(courier).login_identity
    return BaseCourierAdapter.login_identity


def fingerprints(courier: str, base_url: str, values: Sequence[str]) -> tuple[str, ...]:
    """Return the login's fingerprint (hex) under each of FERNET_KEYS, the one to store first.

    `values` are those of the fields of login_identity. Case and spaces at the ends do not count.
    A test system has another base URL than the live one, so its logins are others. Returns () if
    all values are empty.
    """
    parts = [value.strip().casefold() for value in values]
    if not any(parts):
        return ()
    login = json.dumps([courier, _server(base_url), *parts]).encode()
    return tuple(
        hmac.digest(hmac.digest(str(key).encode(), _PURPOSE, hashlib.sha256), login, "sha256").hex()
        for key in settings.FERNET_KEYS
    )


def _server(base_url: str) -> str:
    """Return the host and port of a base URL, however they are written."""
    try:
        parts = urlsplit(base_url)
        return f"{parts.hostname}:{parts.port or _PORTS.get(parts.scheme)}"
    except ValueError:
        return base_url
