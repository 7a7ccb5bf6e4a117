"""Get an account's access token: stored encrypted, kept in memory, refreshed by one process.

Ekart's auth call returns the same token for 24 hours. A refresh after a refusal may therefore
return the refused token again. A refresh shortly before the end may return the token that is about
to end.
This module makes no HTTP call: it is given a function that does.
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

from django.utils import timezone
from django.utils.crypto import salted_hmac

from couriers.contract.accounts import Account
from couriers.contract.errors import CourierError, RateLimited, TokenRefused
from couriers.contract.logs import get_logger
from couriers.models.plugin_hooks import StoredToken, load_token, store_token
from couriers.resilience import waits
from couriers.resilience.lock import LockTimeout, hold_lock
from couriers_ekart.conf import ekart_tunables
from couriers_ekart.mapper.answers import parse
from couriers_ekart.mapper.schemas import TokenAnswer
from couriers_ekart.wire import metrics

log = get_logger(__name__)

# For how long a process does not ask for a newer token after Ekart returned the refused one again.
REFUSAL_PAUSE = 5.0  # seconds


@dataclass(frozen=True, slots=True, repr=False)
class Token:
    """A token as this process knows it. Its repr hides the token."""

    header: str
    expires_at: dt.datetime
    version: int
    no_newer: bool = False

    def __repr__(self) -> str:
        return f"Token(version={self.version}, expires_at={self.expires_at:%Y-%m-%dT%H:%M:%SZ})"

    def is_fresh(self) -> bool:
        """Return whether the token may be used: it is valid for TOKEN_EARLY_REFRESH seconds more.

        A token that Ekart has no newer one for may be used until its end.
        """
        early = 0.0 if self.no_newer else ekart_tunables().TOKEN_EARLY_REFRESH
        return self.expires_at - dt.timedelta(seconds=early) > timezone.now()


class TokenSource:
    """Gives the calls of one account their token. `fetch` makes the auth call."""

    def __init__(self, account: Account, fetch: Callable[[], Any]) -> None:
        self._account_id = account.pk
        self._login_hash = _login_hash(account)
        self._fetch = fetch
        self._known: Token | None = None
        # The header of a refused token that Ekart returned again, and when to ask again (monotonic
        # clock).
        self._refused_until: tuple[str, float] | None = None
        # When a thread last failed to get a token (monotonic clock), and its error.
        self._failed: tuple[float, CourierError] | None = None
        self._thread_lock = threading.Lock()

    def current(self) -> Token:
        """Return a token that may be used, usually from memory. Raises CourierError."""
        token = self._known
        if token is not None and token.is_fresh():
            return token
        with self._one_thread():
            if self._known is not None and self._known.is_fresh():
                return self._known
            self._known = self._stored_and_usable(None) or self._refresh(None)
            return self._known

    def newer_than(self, refused: Token) -> Token:
        """Return another token than the refused one.

        Raises TokenRefused if the auth call returns the refused token again. For the 5 seconds
        after that this process does not ask again, so that many refused calls do not loop.
        """
        with self._one_thread():
            if self._known is not None and self._known.header != refused.header:
                return self._known
            if self._refused_until is not None:
                header, until = self._refused_until
                if header == refused.header and time.monotonic() < until:
                    raise self._refusal()
            stored = self._stored_and_usable(refused)
            if stored is not None:
                self._known = stored
                return stored
            fresh = self._refresh(refused)
            if fresh.header == refused.header:
                self._refused_until = (refused.header, time.monotonic() + REFUSAL_PAUSE)
                raise self._refusal()
            self._known = fresh
            return fresh

    @contextmanager
    def _one_thread(self) -> Iterator[None]:
        """Let one thread in at a time. If it fails, the threads that waited for it fail with it.

        Otherwise each thread would wait for the time-outs of all threads before it.
        """
        arrived_at = time.monotonic()
        if not self._thread_lock.acquire(timeout=waits.shorten(ekart_tunables().TOKEN_LOCK_LIFE)):
            raise _still_fetching("thread")
        try:
            waits.spend(time.monotonic() - arrived_at)
            if self._failed is not None and self._failed[0] > arrived_at:
                raise copy.copy(self._failed[1])
            try:
                yield
            except CourierError as error:
                self._failed = (time.monotonic(), error)
                raise
            self._failed = None
        finally:
            self._thread_lock.release()

    def _refusal(self) -> TokenRefused:
        return TokenRefused(
            "the token is refused, and Ekart returns no newer one",
            courier="ekart",
            operation="get_token",
            retry_after=5,
        )

    def _stored(self) -> Token | None:
        """Return the stored token, or None if there is none or it was made with another login."""
        stored = load_token(self._account_id)
        if stored is None or stored.login_hash != self._login_hash:
            return None
        return _token_from(stored)

    def _stored_and_usable(self, refused: Token | None) -> Token | None:
        """Return the stored token if it is fresh and is not the refused one."""
        stored = self._stored()
        if stored is None or not stored.is_fresh():
            return None
        if refused is not None and stored.header == refused.header:
            return None
        return stored

    def _refresh(self, refused: Token | None) -> Token:
        """Fetch a token as the only process that does; the others use the token that it stores."""
        times = ekart_tunables()
        try:
            with hold_lock(
                f"token:{self._account_id}",
                life=times.TOKEN_LOCK_LIFE,
                wait=times.TOKEN_LOCK_WAIT,
            ):
                return self._stored_and_usable(refused) or self._fetch_and_store()
        except LockTimeout:
            if stored := self._stored_and_usable(refused):
                return stored
            raise _still_fetching("process") from None

    def _fetch_and_store(self) -> Token:
        before = load_token(self._account_id)
        asked_at = timezone.now()
        try:
            answer = parse(TokenAnswer, self._fetch(), "get_token")
        except CourierError:
            metrics.AUTH_REFRESHES.labels("false").inc()
            raise
        metrics.AUTH_REFRESHES.labels("true").inc()
        is_same = before is not None and (before.token_type, before.access_token) == (
            answer.token_type,
            answer.access_token,
        )
        fresh = StoredToken(
            access_token=answer.access_token,
            token_type=answer.token_type,
            # Ekart rounds down to whole seconds: a token in its last second has 0 of them.
            expires_at=asked_at + dt.timedelta(seconds=max(1.0, answer.expires_in)),
            login_hash=self._login_hash,
            no_newer=is_same or answer.expires_in <= ekart_tunables().TOKEN_EARLY_REFRESH,
            version=(before.version if before else 0) + 1,
        )
        if store_token(self._account_id, fresh):
            return _token_from(fresh)
        log.warning("token_superseded", account=self._account_id, version=fresh.version)
        return self._stored() or _token_from(fresh)


def _still_fetching(who: str) -> RateLimited:
    return RateLimited(
        f"another {who} is still fetching the token",
        courier="ekart",
        operation="get_token",
        retry_after=2,
    )


def _token_from(stored: StoredToken) -> Token:
    return Token(
        header=f"{stored.token_type} {stored.access_token}",
        expires_at=stored.expires_at,
        version=stored.version,
        no_newer=stored.no_newer,
    )


def _login_hash(account: Account) -> str:
    """Return a hash that identifies the login, keyed by SECRET_KEY so that it cannot be guessed."""
    login = json.dumps([account.base_url, sorted(account.login.items())])
    return salted_hmac("couriers_ekart.wire.tokens", login, algorithm="sha256").hexdigest()
