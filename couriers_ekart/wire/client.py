"""Make the HTTP calls to Ekart: one method for each of its 18 operations.

A process has one pooled session, which never retries and never follows a redirect. Each call takes
a place in the bulkhead, waits for the rate limiter, asks the circuit breaker, is sent, and either
returns an answer or raises one of the classes of couriers.contract.errors.

What a call sent does not come back out of here: all answers are scrubbed of it before anything is
read in them, and the auth call's words are dropped.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import quote

import requests

from couriers.contract.accounts import Account
from couriers.contract.errors import (
    CourierError,
    NotSent,
    RateLimited,
    TokenRefused,
    TooManyRequests,
    Unknown,
)
from couriers.contract.masking import Scrubber
from couriers.resilience import bulkhead, rate_limit
from couriers.resilience.circuit_breaker import CircuitBreaker
from couriers_ekart.conf import ekart_tunables
from couriers_ekart.mapper import sent
from couriers_ekart.wire import metrics, outcomes, transport
from couriers_ekart.wire.limits import DEFAULT_LIMITS, answer_size
from couriers_ekart.wire.preparation import before_sending
from couriers_ekart.wire.tokens import Token, TokenSource

_session: tuple[int, requests.Session] | None = None
_session_lock = threading.Lock()


def session() -> requests.Session:
    """Return this process' session. A forked child gets its own, because sockets are not shared."""
    global _session
    with _session_lock:
        if _session is None or _session[0] != os.getpid():
            fresh = requests.Session()
            fresh.trust_env = False
            # All accounts share the session: a cookie of one would go with the calls of another.
            fresh.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
            adapter = transport.make_adapter(ekart_tunables().POOL_SIZE)
            fresh.mount("https://", adapter)
            fresh.mount("http://", adapter)
            _session = (os.getpid(), fresh)
        return _session[1]


@dataclass(frozen=True, slots=True, repr=False)
class _Request:
    """One HTTP request of an operation, without the access token. Its repr hides the body."""

    operation: str
    method: str
    path: str
    json: Mapping[str, Any] | None
    params: Mapping[str, str] | None
    ids: tuple[str, ...]  # in the path; they may come back


class EkartClient:
    """The calls of one account.

    Every method returns decoded JSON, or a PDF's bytes where it says so, or raises CourierError.
    """

    def __init__(self, account: Account) -> None:
        self._account = account
        self._base_url = account.base_url.rstrip("/")
        self._client_id = account.login["client_id"]
        self._username = account.login["username"]
        self._password = account.login["password"]
        self._limits = {
            operation: account.own_limit(operation) or limit
            for operation, limit in DEFAULT_LIMITS.items()
        }
        self._breaker = CircuitBreaker.of_account("ekart", account.pk)
        self._tokens = TokenSource(account, self.get_token)

    def ensure_token(self) -> None:
        """Load or fetch the token now, so that calls in other threads need no database for it."""
        self._prepare_token(self._tokens.current, "get_token")

    def get_token(self) -> Any:
        """POST /integrations/v2/auth/token/{client_id}: the same token for 24 hours."""
        return self._call(
            "get_token",
            "POST",
            f"/integrations/v2/auth/token/{quote(self._client_id, safe='')}",
            json={"username": self._username, "password": self._password},
            needs_token=False,
        )

    def create_shipment(self, payload: Mapping[str, Any]) -> Any:
        """PUT /api/v1/package/create: not idempotent, and Ekart cannot be searched for it."""
        return self._call("create_shipment", "PUT", "/api/v1/package/create", json=payload)

    def cancel_shipment(self, tracking_id: str) -> Any:
        """DELETE /api/v1/package/cancel."""
        return self._call(
            "cancel_shipment",
            "DELETE",
            "/api/v1/package/cancel",
            params={"tracking_id": tracking_id},
        )

    def set_dispatch_date(self, payload: Mapping[str, Any]) -> Any:
        """POST /data/shipment/dispatch-date, for at most 100 ids."""
        return self._call("set_dispatch_date", "POST", "/data/shipment/dispatch-date", json=payload)

    def label(self, tracking_ids: Sequence[str]) -> bytes | Any:
        """POST /api/v1/package/label for at most 100 ids: a PDF, or JSON with a refusal."""
        return self._call(
            "label", "POST", "/api/v1/package/label", json={"ids": list(tracking_ids)}
        )

    def label_data(self, tracking_ids: Sequence[str]) -> Any:
        """POST /api/v1/package/label?json_only=true: what the labels say, as JSON."""
        return self._call(
            "label",
            "POST",
            "/api/v1/package/label",
            json={"ids": list(tracking_ids)},
            params={"json_only": "true"},
        )

    def manifest(self, tracking_ids: Sequence[str]) -> Any:
        """POST /data/v2/generate/manifest, for at most 100 ids."""
        return self._call(
            "manifest", "POST", "/data/v2/generate/manifest", json={"ids": list(tracking_ids)}
        )

    def ndr(self, payload: Mapping[str, Any]) -> Any:
        """POST /api/v2/package/ndr: another attempt, or a return to origin."""
        return self._call("ndr", "POST", "/api/v2/package/ndr", json=payload)

    def track(self, tracking_id: str) -> Any:
        """GET /api/v1/track/{id}, which needs no token."""
        return self._call(
            "track",
            "GET",
            f"/api/v1/track/{quote(tracking_id, safe='')}",
            ids=(tracking_id,),
            needs_token=False,
        )

    def raw_track(self, waybill: str) -> Any:
        """GET /data/v1/elite/track/{wbn}: the network's own history."""
        path = f"/data/v1/elite/track/{quote(waybill, safe='')}"
        return self._call("raw_track", "GET", path, ids=(waybill,))

    def estimate(self, payload: Mapping[str, Any]) -> Any:
        """POST /data/pricing/estimate."""
        return self._call("estimate", "POST", "/data/pricing/estimate", json=payload)

    def serviceability(self, pincode: str) -> Any:
        """GET /api/v2/serviceability/{pincode}."""
        return self._call("serviceability", "GET", f"/api/v2/serviceability/{int(pincode)}")

    def lane_serviceability(self, payload: Mapping[str, Any]) -> Any:
        """POST /data/v3/serviceability: who serves a lane, and in how many days."""
        return self._call("lane_serviceability", "POST", "/data/v3/serviceability", json=payload)

    def bulk_serviceability(self, kind: str) -> Any:
        """GET /data/serviceability/bulk/{type}: every pincode; `kind` is NON_LARGE or LARGE."""
        return self._call(
            "bulk_serviceability", "GET", f"/data/serviceability/bulk/{quote(kind, safe='')}"
        )

    def add_address(self, payload: Mapping[str, Any]) -> Any:
        """POST /api/v2/address."""
        return self._call("add_address", "POST", "/api/v2/address", json=payload)

    def list_addresses(self) -> Any:
        """GET /api/v2/addresses."""
        return self._call("list_addresses", "GET", "/api/v2/addresses")

    def list_webhooks(self) -> Any:
        """GET /api/v2/webhook."""
        return self._call("list_webhooks", "GET", "/api/v2/webhook")

    def add_webhook(self, payload: Mapping[str, Any]) -> Any:
        """POST /api/v2/webhook."""
        return self._call("add_webhook", "POST", "/api/v2/webhook", json=payload)

    def edit_webhook(self, webhook_id: str, payload: Mapping[str, Any]) -> Any:
        """PUT /api/v2/webhook/{webhook_id}."""
        return self._call(
            "edit_webhook", "PUT", f"/api/v2/webhook/{quote(webhook_id, safe='')}", json=payload
        )

    def _call(
        self,
        operation: str,
        method: str,
        path: str,
        *,
        json: Mapping[str, Any] | None = None,
        params: Mapping[str, str] | None = None,
        ids: tuple[str, ...] = (),
        needs_token: bool = True,
    ) -> Any:
        """Make a call while the account has a place for it. Raises TooManyInFlight, and others."""
        request = _Request(operation, method, path, json, params, ids)
        with bulkhead.hold_place(self._account, operation):
            return self._send_with_token(request) if needs_token else self._send(request, {})

    def _send_with_token(self, request: _Request) -> Any:
        """Send a request; if its token is refused, send it once more with a new token."""
        operation = request.operation
        token = self._prepare_token(self._tokens.current, operation)
        with suppress(TokenRefused):
            return self._send(request, {"Authorization": token.header})
        token = self._prepare_token(partial(self._tokens.newer_than, token), operation)
        return self._send(request, {"Authorization": token.header})

    def _prepare_token(self, get: Callable[[], Token], operation: str) -> Token:
        with before_sending(operation, "could not get an access token"):
            return get()

    def _send(self, request: _Request, headers: Mapping[str, str]) -> Any:
        """Send a request when the limiter and the circuit breaker allow it, and record the end."""
        self._wait_for_turn(request.operation)
        started = time.perf_counter()
        try:
            status, decoded, failure = self._exchange(request, headers)
        except BaseException:
            self._breaker.release()
            raise
        finally:
            metrics.LATENCY.labels(request.operation).observe(time.perf_counter() - started)
        self._record(request.operation, status, failure)
        if failure:
            # `from None`: the error of `requests` quotes the URL, which must not be logged.
            raise failure from None
        return decoded

    def _wait_for_turn(self, operation: str) -> None:
        """Wait for the rate limiter, then ask the circuit breaker. Raises NotSent."""
        with before_sending(operation, "the limiter or the circuit breaker failed"):
            try:
                rate_limit.acquire(self._account.pk, operation, self._limits[operation])
            except RateLimited:
                metrics.RATE_LIMIT_HITS.labels(operation).inc()
                raise
            self._breaker.before_call()

    def _record(self, operation: str, status: int, failure: CourierError | None) -> None:
        """Record in metrics, circuit breaker and limiter how a call ended. `status` 0 is none."""
        outcome = failure.outcome if failure else "ok"
        metrics.CALLS.labels(operation, outcome, str(status or "")).inc()
        # A refusal is an answer: the courier works. It fails if it cannot be reached or breaks.
        if isinstance(failure, (Unknown, NotSent)):
            self._breaker.record_failure()
        else:
            self._breaker.record_success()
        if isinstance(failure, TooManyRequests):
            metrics.RATE_LIMIT_HITS.labels(operation).inc()
            rate_limit.pause(self._account.pk, operation, failure.retry_after or 1.0)

    def _exchange(
        self, request: _Request, headers: Mapping[str, str]
    ) -> tuple[int, Any, CourierError | None]:
        """Return the status (0 without an answer), the decoded answer, and the error or None."""
        try:
            status, answer_headers, body = self._fetch(request, headers)
        except requests.RequestException as error:
            return 0, None, outcomes.classify_exception(error, request.operation)
        if body is None:
            limit = answer_size(request.operation)
            return status, None, outcomes.too_large(request.operation, status, limit.json)
        scrub = partial(self._scrub, request, headers)
        answer = outcomes.classify_answer(status, answer_headers, body, request.operation, scrub)
        return status, *answer

    def _scrub(self, request: _Request, headers: Mapping[str, str], answer: Any) -> Any:
        """Mask in a decoded answer what the call sent, and the account's password in any."""
        is_login = request.operation == "get_token"
        token = headers.get("Authorization", "").rpartition(" ")[2]
        secrets = [token]
        body = {"password": self._password, **(request.json or {}), **(request.params or {})}
        if is_login:
            secrets += [self._client_id, self._username, self._password]
        scrubber = Scrubber(sent.values_of(body, request.ids, tuple(secrets)))
        return scrubber.scrub_json(
            answer,
            word_fields=sent.WORD_FIELDS,
            kept=sent.TOKEN_FIELDS if is_login else (),
        )

    def _fetch(
        self, request: _Request, headers: Mapping[str, str]
    ) -> tuple[int, Mapping[str, str], bytes | None]:
        """Send the request over HTTP; an answer that is too large is None.

        Raises requests.RequestException.
        """
        times = ekart_tunables()
        is_login = request.operation == "get_token"
        read_timeout = times.AUTH_READ_TIMEOUT if is_login else times.READ_TIMEOUT
        with session().request(
            request.method,
            self._base_url + request.path,
            json=request.json,
            params=request.params,
            headers={"Accept": "application/json, application/octet-stream", **headers},
            timeout=(times.CONNECT_TIMEOUT, read_timeout),
            allow_redirects=False,
            stream=True,
        ) as response:
            body = transport.read_body(response, answer_size(request.operation).of)
            return response.status_code, response.headers, body
