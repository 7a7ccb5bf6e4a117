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
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from django.conf import settings

from couriers.contract.logins import LoginField, missing_login
from couriers.contract.registry import CourierFactory

_PURPOSE = b"shipcrowd: fingerprint of a login"
_PORTS = {"https": 443, "http": 80}
MAX_LOGIN_VALUE = 2000  # characters of a field; a key may be a JWT


def login_fields(courier: str) -> tuple[LoginField, ...]:
    """Return what a login with the courier consists of; () where its plug-in is not installed."""
    if courier in CourierFactory.codes():
        return CourierFactory.adapter_class(courier).login_fields
    return ()


def login_identity(courier: str) -> tuple[str, ...]:
    """Return the names of the login's fields that identify it with the courier.

    () where none does, or the courier's plug-in is not installed.
    """
    if courier in CourierFactory.codes():
        return CourierFactory.adapter_class(courier).login_identity
    return ()


def login_alternatives(courier: str) -> Sequence[Sequence[str]]:
    """Return the sets of fields of which a login with the courier has one; () for no choice."""
    if courier in CourierFactory.codes():
        return CourierFactory.adapter_class(courier).login_alternatives
    return ()


def login_problems(courier: str, login: Mapping[str, str]) -> dict[str, str]:
    """Return what is wrong with a login with the courier, by the name of the field."""
    fields = login_fields(courier)
    names = {field.name for field in fields}
    problems = {name: "is no field of this courier's login" for name in login if name not in names}
    for field in fields:
        value = login.get(field.name, "")
        if not value and field.required:
            problems[field.name] = "is missing"
        elif len(value) > MAX_LOGIN_VALUE:
            problems[field.name] = f"must have at most {MAX_LOGIN_VALUE} characters"
    if lacking := missing_login(login_alternatives(courier), login):
        problems.setdefault(*lacking)
    return problems


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
