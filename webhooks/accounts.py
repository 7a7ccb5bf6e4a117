"""Courier accounts as callbacks need them, cached in the process: no query for each callback."""

from __future__ import annotations

import datetime as dt
import re
import threading
from dataclasses import dataclass, field

from cachetools import TLRUCache, cached
from django.utils import timezone

from couriers.conf import tunables
from couriers.contract.receiver import Topic, topic_secret
from couriers.models import CourierAccount
from couriers.models.fields import readable_or

MAX_CACHED = 10_000
_ACCOUNT_ID = re.compile(r"[A-Za-z0-9_-]{1,40}")


@dataclass(frozen=True, slots=True)
class CallbackAccount:
    """What a callback is verified against. The secrets are not in its repr.

    It may be cached for longer than the previous secret is valid, so that one has its end with it.
    """

    courier: str
    current_secret: str = field(repr=False)
    previous_secret: str = field(default="", repr=False)
    previous_until: dt.datetime | None = None

    @classmethod
    def of(cls, account: CourierAccount) -> CallbackAccount:
        """Return what callbacks need of the account."""
        until = account.previous_webhook_secret_until
        previous = readable_or(account, "previous_webhook_secret", "") if until else ""
        return cls(account.courier_id, account.webhook_secret, previous, until)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The secrets that are valid now, the current one first."""
        is_valid = self.previous_until is not None and timezone.now() < self.previous_until
        return tuple(
            s for s in (self.current_secret, self.previous_secret if is_valid else "") if s
        )

    def secrets_of(self, topic: Topic | None) -> tuple[str, ...]:
        """Return the secrets of the account's own path, or of a topic's path."""
        if topic is None:
            return self.secrets
        return tuple(topic_secret(secret, topic) for secret in self.secrets)

    def ended_secrets_of(self, topic: Topic | None) -> tuple[str, ...]:
        """Return the previous secret of a path where it has ended, to explain a refusal."""
        if not self.previous_secret or self.previous_secret in self.secrets:
            return ()
        return (topic_secret(self.previous_secret, topic) if topic else self.previous_secret,)


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
    return CallbackAccount.of(row) if row else None
