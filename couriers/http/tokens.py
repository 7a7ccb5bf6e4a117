"""Get an account's access token: stored encrypted, kept in memory, refreshed by one process.

A courier's login call may return the same token for a day. A refresh after a refusal may therefore
return the refused token again, and a refresh shortly before the end the token that is about to end.
Another courier's new token revokes all earlier ones (`TokenLogin.pause`).
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
from couriers.contract.errors import (
    CircuitOpen,
    CourierError,
    CredentialsRefused,
    RateLimited,
    TimeIsUp,
    TokenRefused,
    TooManyInFlight,
)
from couriers.contract.logs import get_logger
from couriers.http.logins import TokenLogin, login_of
from couriers.http.metrics import CallMetrics
from couriers.http.reports import report_login
from couriers.http.tunables import HttpTunables, http_tunables
from couriers.models.plugin_hooks import StoredToken, load_token, store_token
from couriers.resilience import waits
from couriers.resilience.lock import LockTimeout, hold_lock

log = get_logger(__name__)

# For how long a process does not ask for a newer token after the courier returned the refused one
# again.
REFUSAL_PAUSE = 5.0  # seconds
# The courier was not asked, so these say nothing about the login.
HELD_BACK = (CircuitOpen, RateLimited, TimeIsUp, TooManyInFlight)


@dataclass(frozen=True, slots=True, repr=False)
class Token:
    """A token as this process knows it. Its repr hides the token."""

    header: str
    expires_at: dt.datetime
    version: int
    no_newer: bool = False
    stored_at: dt.datetime | None = None

    def __repr__(self) -> str:
        return f"Token(version={self.version}, expires_at={self.expires_at:%Y-%m-%dT%H:%M:%SZ})"

    def is_fresh(self, early: float) -> bool:
        """Return whether the token may be used: it is valid for `early` seconds more.

        A token that the courier has no newer one for may be used until its end.
        """
        margin = dt.timedelta(seconds=0.0 if self.no_newer else early)
        return self.expires_at - margin > timezone.now()

    def is_younger_than(self, seconds: float) -> bool:
        """Return whether the token was stored less than so many seconds ago."""
        if self.stored_at is None:
            return False
        return timezone.now() - self.stored_at < dt.timedelta(seconds=seconds)


class TokenSource:
    """Gives the calls of one account their token. `fetch` makes the login call."""

    def __init__(
        self, account: Account, login: TokenLogin, fetch: Callable[[], Any], metrics: CallMetrics
    ) -> None:
        self._account_id = account.pk
        self._courier = account.courier_id
        self._login = login
        self._login_hash = _login_hash(account)
        self._fetch = fetch
        self._metrics = metrics
        self._known: Token | None = None
        # The header of a refused token that the courier returned again, and when to ask again
        # (monotonic clock).
        self._refused_until: tuple[str, float] | None = None
        # When a thread last failed to get a token (monotonic clock), and its error.
        self._failed: tuple[float, CourierError] | None = None
        self._thread_lock = threading.Lock()

    @property
    def operation(self) -> str:
        """The name of the login call's operation."""
        return self._login.operation

    @property
    def _times(self) -> HttpTunables:
        return http_tunables(self._courier)

    def _is_fresh(self, token: Token) -> bool:
        return token.is_fresh(self._times.TOKEN_EARLY_REFRESH)

    def current(self) -> Token:
        """Return a token that may be used, usually from memory. Raises CourierError."""
        token = self._known
        if token is not None and self._is_fresh(token):
            return token
        with self._one_thread():
            if self._known is not None and self._is_fresh(self._known):
                return self._known
            self._known = self._stored_and_usable(None) or self._refresh(None)
            return self._known

    def newer_than(self, refused: Token) -> Token:
        """Return another token than the refused one.

        Raises TokenRefused if the login call returns the refused token again. For the 5 seconds
        after that this process does not ask again, so that many refused calls do not loop. Raises
        it, too, if the refused token is younger than the login's `pause`.
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
            if refused.is_younger_than(self._login.pause):
                raise self._refusal(self._login.pause)
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
        if not self._thread_lock.acquire(timeout=waits.shorten(self._times.TOKEN_LOCK_LIFE)):
            raise self._still_fetching("thread")
        try:
            waits.spend(time.monotonic() - arrived_at)
            if self._failed is not None and self._fails_with(*self._failed, arrived_at):
                raise copy.copy(self._failed[1])
            try:
                yield
            except CourierError as error:
                self._failed = (time.monotonic(), error)
                raise
            self._failed = None
        finally:
            self._thread_lock.release()

    def _fails_with(self, failed_at: float, error: CourierError, arrived_at: float) -> bool:
        """Whether a thread that arrived at this moment fails with an earlier thread's error."""
        if isinstance(error, CredentialsRefused) and self._login.pause:
            return time.monotonic() < failed_at + self._login.pause
        return failed_at > arrived_at

    def _refusal(self, seconds: float = REFUSAL_PAUSE) -> TokenRefused:
        return TokenRefused(
            "the token is refused, and there is no newer one",
            courier=self._courier,
            operation=self._login.operation,
            retry_after=seconds,
        )

    def _still_fetching(self, who: str) -> RateLimited:
        return RateLimited(
            f"another {who} is still fetching the token",
            courier=self._courier,
            operation=self._login.operation,
            retry_after=2,
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
        if stored is None or not self._is_fresh(stored):
            return None
        if refused is not None and stored.header == refused.header:
            return None
        return stored

    def _refresh(self, refused: Token | None) -> Token:
        """Fetch a token as the only process that does; the others use the token that it stores."""
        times = self._times
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
            raise self._still_fetching("process") from None

    def _fetch_and_store(self) -> Token:
        before = load_token(self._account_id)
        asked_at = timezone.now()
        try:
            answer = self._login.read(self._fetch())
        except CourierError as error:
            self._metrics.count_refresh(success=False)
            if not isinstance(error, HELD_BACK):
                report_login(self._account_id, success=False)
            raise
        self._metrics.count_refresh(success=True)
        report_login(self._account_id, success=True)
        is_same = before is not None and (before.token_type, before.access_token) == (
            answer.token_type,
            answer.access_token,
        )
        fresh = StoredToken(
            access_token=answer.access_token,
            token_type=answer.token_type,
            # Couriers round down to whole seconds: a token in its last second has 0 of them.
            expires_at=asked_at + dt.timedelta(seconds=max(1.0, answer.expires_in)),
            login_hash=self._login_hash,
            no_newer=is_same or answer.expires_in <= self._times.TOKEN_EARLY_REFRESH,
            version=(before.version if before else 0) + 1,
            stored_at=asked_at,
        )
        if store_token(self._account_id, fresh):
            return _token_from(fresh)
        log.warning("token_superseded", account=self._account_id, version=fresh.version)
        return self._stored() or _token_from(fresh)


def _token_from(stored: StoredToken) -> Token:
    return Token(
        header=f"{stored.token_type} {stored.access_token}".strip(),
        expires_at=stored.expires_at,
        version=stored.version,
        no_newer=stored.no_newer,
        stored_at=stored.stored_at,
    )


def _login_hash(account: Account) -> str:
    """Return a hash that identifies the login, keyed by SECRET_KEY so that it cannot be guessed."""
    login = json.dumps([account.base_url, dict(login_of(account))], sort_keys=True)
    return salted_hmac("couriers.http.tokens", login, algorithm="sha256").hexdigest()
