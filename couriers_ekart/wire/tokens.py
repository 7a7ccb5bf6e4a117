"""The account's access token: encrypted in PostgreSQL, copied in memory, refreshed by one process.

Ekart's auth call is a cache: for 24 h it hands out the same token, so a refresh after a refusal
may bring the refused one again, and a refresh shortly before the end the one that is ending.
Makes no HTTP call itself: it is given a function that does.
"""

from __future__ import annotations

import copy
import datetime as dt
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import structlog
from django.utils import timezone
from django.utils.crypto import salted_hmac

from couriers.contract.accounts import Account
from couriers.contract.errors import CourierError, RateLimited, TokenRefused
from couriers.models.plugin_hooks import StoredToken, load_token, store_token
from couriers.resilience.lock import LockTimeout, exclusive
from couriers_ekart.conf import ekart_tunables
from couriers_ekart.mapper.answers import read
from couriers_ekart.mapper.schemas import TokenAnswer
from couriers_ekart.wire import metrics

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, repr=False)
class Token:
    """A token as this process knows it. Its repr does not show it."""

    header: str
    expires_at: dt.datetime
    version: int
    no_newer: bool = False

    def __repr__(self) -> str:
        return f"Token(version={self.version}, expires_at={self.expires_at:%Y-%m-%dT%H:%M:%SZ})"

    def is_fresh(self) -> bool:
        """Whether it holds for another while (60 s: the platform's rule).

        Until its very end where Ekart has no newer one before.
        """
        early = 0.0 if self.no_newer else ekart_tunables().TOKEN_EARLY_REFRESH
        return self.expires_at - dt.timedelta(seconds=early) > timezone.now()


class TokenSource:
    """Where one account's calls get their token."""

    def __init__(self, account: Account, fetch: Callable[[], Any]) -> None:
        self._account_id = account.pk
        self._login_hash = _login_hash(account)
        self._fetch = fetch
        self._known: Token | None = None
        # Versions that were refused though no newer token is to be had.
        self._refused_until: tuple[str, dt.datetime] | None = None
        # When a thread last had no token, by the monotonic clock, and why.
        self._failed: tuple[float, CourierError] | None = None
        self._thread_lock = threading.Lock()

    def current(self) -> Token:
        """A token that holds; from memory in the usual case."""
        token = self._known
        if token is not None and token.is_fresh():
            return token
        with self._turn():
            if self._known is not None and self._known.is_fresh():
                return self._known
            stored = self._stored()
            self._known = stored if stored and stored.is_fresh() else self._refresh(None)
            return self._known

    def newer_than(self, refused: Token) -> Token:
        """Another token than the refused one.

        Raises TokenRefused where the auth call still hands out that very token; for a few seconds
        after that nobody in this process asks again, so that a storm of 401s does not loop.
        """
        with self._turn():
            if self._known is not None and self._known.header != refused.header:
                return self._known
            if self._refused_until is not None:
                header, until = self._refused_until
                if header == refused.header and timezone.now() < until:
                    raise self._refusal()
            stored = self._stored()
            if stored and stored.is_fresh() and stored.header != refused.header:
                self._known = stored
            else:
                fresh = self._refresh(refused)
                if fresh.header == refused.header:
                    until = timezone.now() + dt.timedelta(seconds=5)
                    self._refused_until = (refused.header, until)
                    raise self._refusal()
                self._known = fresh
            return self._known

    @staticmethod
    def is_refusal(error: CourierError) -> bool:
        """Whether the call failed for its token alone."""
        return isinstance(error, TokenRefused)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """One thread at a time. Who waited for one that failed has failed with it.

        Otherwise the last of many threads would wait for every one's time-out.
        """
        came = time.monotonic()
        with self._thread_lock:
            if self._failed is not None and self._failed[0] > came:
                raise copy.copy(self._failed[1])
            try:
                yield
            except CourierError as error:
                self._failed = (time.monotonic(), error)
                raise
            self._failed = None

    def _refusal(self) -> TokenRefused:
        return TokenRefused(
            "the token is refused, and no newer one is to be had",
            courier="ekart",
            operation="get_token",
            retry_after=5,
        )

    def _stored(self) -> Token | None:
        """The stored token, or None where there is none of this login."""
        stored = load_token(self._account_id)
        if stored is None or stored.login_hash != self._login_hash:
            return None
        return _from_stored(stored)

    def _refresh(self, refused: Token | None) -> Token:
        """Ask for a token as the only process that does; the others find what it stored."""
        times = ekart_tunables()
        try:
            with exclusive(
                f"token:{self._account_id}",
                life=times.TOKEN_LOCK_LIFE,
                wait=times.TOKEN_LOCK_WAIT,
            ):
                stored = self._stored()
                if (
                    stored
                    and stored.is_fresh()
                    and (refused is None or stored.header != refused.header)
                ):
                    return stored
                return self._ask_and_store()
        except LockTimeout:
            stored = self._stored()
            if stored and stored.is_fresh() and (not refused or stored.header != refused.header):
                return stored
            raise RateLimited(
                "another process is still fetching the token",
                courier="ekart",
                operation="get_token",
                retry_after=2,
            ) from None

    def _ask_and_store(self) -> Token:
        before = load_token(self._account_id)
        asked_at = timezone.now()
        try:
            answer = read(TokenAnswer, self._fetch(), "get_token")
        except CourierError:
            metrics.AUTH_REFRESHES.labels("false").inc()
            raise
        metrics.AUTH_REFRESHES.labels("true").inc()
        same_again = before is not None and (before.token_type, before.access_token) == (
            answer.token_type,
            answer.access_token,
        )
        fresh = StoredToken(
            access_token=answer.access_token,
            token_type=answer.token_type,
            # Whole seconds, rounded down: in its last one a token has 0 of them.
            expires_at=asked_at + dt.timedelta(seconds=max(1.0, answer.expires_in)),
            login_hash=self._login_hash,
            no_newer=same_again or answer.expires_in <= ekart_tunables().TOKEN_EARLY_REFRESH,
            version=(before.version if before else 0) + 1,
        )
        if store_token(self._account_id, fresh):
            return _from_stored(fresh)
        log.warning("token_overtaken", account=self._account_id, version=fresh.version)
        return self._stored() or _from_stored(fresh)


def _from_stored(stored: StoredToken) -> Token:
    return Token(
        header=f"{stored.token_type} {stored.access_token}",
        expires_at=stored.expires_at,
        version=stored.version,
        no_newer=stored.no_newer,
    )


def _login_hash(account: Account) -> str:
    """The account's login, recognisable, but not to be had back without SECRET_KEY."""
    login = json.dumps([account.base_url, account.client_id, account.username, account.password])
    return salted_hmac("couriers_ekart.wire.tokens", login, algorithm="sha256").hexdigest()
