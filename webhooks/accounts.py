"""Courier accounts as callbacks need them, cached in the process: no query for each callback."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field

from cachetools import TLRUCache, cached

from couriers.conf import tunables
from couriers.contract.receiver import Topic, topic_secret
from couriers.models import CourierAccount

MAX_CACHED = 10_000
_ACCOUNT_ID = re.compile(r"[A-Za-z0-9_-]{1,40}")


@dataclass(frozen=True, slots=True)
class CallbackAccount:
    """What a callback is verified against. The secrets are not in its repr."""

    courier: str
    secrets: tuple[str, ...] = field(repr=False)

    def secrets_of(self, topic: Topic | None) -> tuple[str, ...]:
        """Return the secrets of the account's own path, or of a topic's path."""
        if topic is None:
            return self.secrets
        return tuple(topic_secret(secret, topic) for secret in self.secrets)


def find_account(account_id: str) -> CallbackAccount | None:
    """Return the account, or None for an unknown id.

    Both are cached for WEBHOOK_ACCOUNT_CACHE seconds: a changed secret is seen after that.
    """
    return _read_account(account_id) if _ACCOUNT_ID.fullmatch(account_id) else None


def clear_cache() -> None:
    """Forget all accounts."""
    _read_account.cache_clear()


def _expiry(account_id: str, account: CallbackAccount | None, now: float) -> float:
    return now + tunables().WEBHOOK_ACCOUNT_CACHE


# With the condition, threads that ask for the same account at once make one query.
@cached(TLRUCache(MAX_CACHED, ttu=_expiry), condition=threading.Condition())
def _read_account(account_id: str) -> CallbackAccount | None:
    row = CourierAccount.objects.filter(pk=account_id).first()
    return CallbackAccount(row.courier_id, row.webhook_secrets) if row else None
