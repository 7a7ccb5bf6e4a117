"""The functions by which a plug-in reads and writes the platform's tables.

Plug-ins import no other module of couriers.models. Rows are passed as frozen dataclasses, accounts
as their ids. `courier_reach` tells where a plug-in may connect to.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from django.db import transaction
from django.utils import timezone

from couriers.models.account import courier_reach
from couriers.models.fields import readable_or
from couriers.models.token import CourierToken

__all__ = [
    "StoredToken",
    "courier_reach",
    "load_token",
    "store_token",
]


@dataclass(frozen=True, slots=True, repr=False)
class StoredToken:
    """An account's access token, as in the table CourierToken. Its repr hides the token.

    `expires_at` is in UTC. `login_hash` identifies the login that the token belongs to. `no_newer`
    is True where the courier returns the same token until it expires. `stored_at` is the time of
    the last write, in UTC; None before it.
    """

    access_token: str
    token_type: str
    expires_at: dt.datetime
    login_hash: str
    no_newer: bool
    version: int
    stored_at: dt.datetime | None = field(default=None, compare=False)

    def __repr__(self) -> str:
        return f"StoredToken(version={self.version})"


def load_token(account_id: str) -> StoredToken | None:
    """Return the account's token, or None if none was stored yet.

    A token that no key opens is returned as that of no login: a new one replaces it.
    """
    row = CourierToken.objects.filter(account_id=account_id).first()
    if row is None:
        return None
    access_token = readable_or(row, "access_token", "")
    return StoredToken(
        access_token=access_token,
        token_type=row.token_type,
        expires_at=row.expires_at,
        login_hash=row.login_hash if access_token else "",
        no_newer=row.no_newer,
        version=row.version,
        stored_at=row.refreshed_at,
    )


def store_token(account_id: str, token: StoredToken) -> bool:
    """Store a token if the stored version is `token.version - 1` (compare and set).

    Version 1 is stored only if the account has no token. Returns whether the token was stored.
    False means that another process had stored a token; then nothing is changed.
    """
    values = {
        "access_token": token.access_token,
        "token_type": token.token_type,
        "expires_at": token.expires_at,
        "login_hash": token.login_hash,
        "no_newer": token.no_newer,
        "version": token.version,
        "refreshed_at": timezone.now(),
    }
    with transaction.atomic():
        if token.version == 1:
            _, created = CourierToken.objects.get_or_create(account_id=account_id, defaults=values)
            return created
        older = CourierToken.objects.filter(account_id=account_id, version=token.version - 1)
        return bool(older.update(**values))
