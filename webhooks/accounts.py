"""Accounts and their secrets, kept in the process for seconds: no query for each callback."""

from __future__ import annotations

import re
import threading
import time
from dataclasses import dataclass, field

from couriers.conf import tunables
from couriers.models import CourierAccount

MOST = 10_000
_ID = re.compile(r"[A-Za-z0-9_-]{1,40}")


@dataclass(frozen=True, slots=True)
class KnownAccount:
    """What a callback is checked against. The secrets stay out of its repr."""

    courier: str
    secrets: tuple[str, ...] = field(repr=False)


_known: dict[str, tuple[float, KnownAccount | None]] = {}
_lock = threading.Lock()


def find(account_id: str) -> KnownAccount | None:
    """The account, or None for an id nobody has; that, too, is remembered for a while."""
    if not _ID.fullmatch(account_id):
        return None
    now = time.monotonic()
    cached = _known.get(account_id)
    if cached and cached[0] > now:
        return cached[1]
    row = CourierAccount.objects.filter(pk=account_id).first()
    account = KnownAccount(row.courier_id, row.webhook_secrets) if row else None
    with _lock:
        if len(_known) >= MOST:
            _known.clear()
        _known[account_id] = (now + tunables().WEBHOOK_ACCOUNT_CACHE, account)
    return account


def forget() -> None:
    """Forget all, for tests."""
    with _lock:
        _known.clear()
