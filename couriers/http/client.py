"""Make the HTTP calls of one account to its courier.

A process has one pooled session for a courier, which never retries and never follows a redirect.
Each call takes a place in the bulkhead, waits for the rate limiter, asks the circuit breaker, is
sent, and either returns an answer or raises one of the classes of couriers.contract.errors.

What a call sent does not come back out of here: all answers are scrubbed of it before anything is
read in them, and the words of a login call are dropped.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, ClassVar
from urllib.parse import urlsplit

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
from couriers.contract.types import Limit, LimitScope
from couriers.contract.words import WHOLE_ANSWER
from couriers.http import transport
from couriers.http.answers import decode_json
from couriers.http.calls import Call, SentFields
from couriers.http.logins import LoginScheme, StaticKey, TokenLogin, login_of
from couriers.http.metrics import CallMetrics, declare
from couriers.http.operations import Operation
from couriers.http.outcomes import AnswerReader, AnswerTable
from couriers.http.preparation import before_sending
from couriers.http.reports import report_call
from couriers.http.tokens import Token, TokenSource
from couriers.http.tunables import HttpTunables, http_tunables
from couriers.resilience import bulkhead, rate_limit
from couriers.resilience.circuit_breaker import CircuitBreaker


class CourierClient:
    """The calls of one account. Threads share it.

    A plug-in's subclass sets the attributes below. It neither retries nor reads an HTTP status.
    `login_values` are the fields of the account's login.
    """

    # All that the courier offers and the plug-in calls, by the plug-in's own names.
    operations: ClassVar[Mapping[str, Operation]]
    # How the account logs in. A subclass whose scheme is a setting sets it in __init__.
    login: LoginScheme
    # What the courier's answers mean.
    table: ClassVar[AnswerTable] = AnswerTable()
    # Which fields of requests may come back in the courier's words. All others are masked there.
    sent_fields: ClassVar[SentFields] = SentFields()
    # What answers the courier is asked for.
    accept: ClassVar[str] = "application/json"
    # The prefix of metrics without a courier label, beside those with one; "" for none.
    metrics_prefix: ClassVar[str] = ""

    def __init_subclass__(cls) -> None:
        """Declare the named metrics, so that they are shown before the first call."""
        declare(cls.metrics_prefix)

    def __init__(self, account: Account) -> None:
        self.account = account
        self.courier = account.courier_id
        self._base_url = account.base_url.rstrip("/")
        self.login_values = login_of(account)
        self._limits = {
            name: account.limit_of(name, operation.limit)
            for name, operation in self.operations.items()
        }
        self._breaker = CircuitBreaker.of_account(self.courier, account.pk)
        self._metrics = CallMetrics(self.courier, self.metrics_prefix)
        self._tokens: TokenSource | None = None
        if isinstance(self.login, TokenLogin):
            self._tokens = TokenSource(account, self.login, self.log_in, self._metrics)

    def call(
        self,
        operation: str,
        *,
        json: Any = None,
        form: Mapping[str, Any] | None = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        ids: Sequence[str] = (),
        cost: int | None = None,
        **path: str,
    ) -> Any:
        """Call an operation, and return its decoded answer, or the bytes of a PDF.

        `path` has the values of the operation's path. `json` is a JSON body; `form` an urlencoded
        one, whose fields that are no text are sent as JSON in it. `headers` hold nothing secret.
        `ids` may come back in the courier's words although they stand in fields that are private;
        those of the path always may. `cost` is how many permits of the limit the call takes, that
        of the Limit where it is None.

        Raises TooManyInFlight, RateLimited, CircuitOpen and other NotSent before the call, and
        every class of couriers.contract.errors after it. A call whose token is refused is made once
        more with a new one.
        """
        with before_sending(self.courier, operation, "the path could not be built"):
            declared = self.operations[operation]
            call = Call(
                operation, declared, declared.path_with(path), json, form, params, headers or {},
                (*ids, *path.values()), cost,
            )  # fmt: skip
        with bulkhead.hold_place(self.account, operation):
            return self._send_with_login(call) if declared.needs_login else self._send(call, {})

    def decode(self, body: bytes) -> Any:
        """Read an answer, unless its operation has a decoder of its own. Raises ValueError."""
        return decode_json(body)

    def log_in(self) -> Any:
        """Make the login call, and return its answer. Only for couriers with a TokenLogin."""
        assert isinstance(self.login, TokenLogin)
        operation = self.login.operation
        with before_sending(self.courier, operation, "the login could not be built"):
            declared = self.operations[operation]
            names = {name: self.login_values[name] for name in declared.path_names}
            call = Call(
                operation, declared, declared.path_with(names),
                json=self.login.json(self.login_values), headers=self.login.headers,
            )  # fmt: skip
        with bulkhead.hold_place(self.account, operation):
            return self._send(call, {})

    def check_login(self) -> bool:
        """Log in, and keep nothing of the answer. False where the login is a key.

        Raises Unknown where the answer has no token, beside what the call raises.
        """
        if not isinstance(self.login, TokenLogin):
            return False
        self.login.read(self.log_in())
        return True

    def ensure_token(self) -> None:
        """Load or fetch the token now, so that calls in other threads need no database for it.

        Does nothing where the login is a key.
        """
        if self._tokens is not None:
            self._prepare_token(self._tokens.current, self._tokens.operation)

    def _send_with_login(self, call: Call) -> Any:
        """Send a call; if its token is refused, send it once more with a new token."""
        if isinstance(self.login, StaticKey):
            return self._send(call, self.login.headers(self.login_values))
        assert self._tokens is not None
        token = self._prepare_token(self._tokens.current, call.operation)
        with suppress(TokenRefused):
            return self._send(call, self.login.headers_with(token.header))
        token = self._prepare_token(partial(self._tokens.newer_than, token), call.operation)
        return self._send(call, self.login.headers_with(token.header))

    def _prepare_token(self, get: Callable[[], Token], operation: str) -> Token:
        with before_sending(self.courier, operation, "could not get an access token"):
            return get()

    def _send(self, call: Call, login_headers: Mapping[str, str]) -> Any:
        """Send a call when the limiter and the circuit breaker allow it, and record the end."""
        with before_sending(self.courier, call.operation, "the request body could not be built"):
            body, content_type = call.body()
        headers = {"Accept": self.accept, **call.headers, **login_headers}
        if content_type:
            headers["Content-Type"] = content_type
        self._wait_for_turn(call)
        started = time.perf_counter()
        try:
            status, decoded, failure = self._exchange(call, body, headers, login_headers)
        except BaseException:
            self._breaker.release()
            raise
        finally:
            seconds = time.perf_counter() - started
            self._metrics.observe_latency(call.operation, seconds)
        self._record(call.operation, status, failure)
        outcome = failure.outcome if failure else "ok"
        report_call(self.courier, self.account.pk, call.operation, outcome, status, seconds)
        if failure:
            # `from None`: the error of `requests` quotes the URL, which must not be logged.
            raise failure from None
        return decoded

    def _wait_for_turn(self, call: Call) -> None:
        """Wait for the rate limiter, then ask the circuit breaker. Raises NotSent."""
        operation = call.operation
        with before_sending(self.courier, operation, "the limiter or the circuit breaker failed"):
            limit = self._limits[operation]
            try:
                rate_limit.acquire(self._bucket_owner(limit), operation, limit, cost=call.cost)
            except RateLimited:
                self._metrics.count_limit_hit(operation)
                raise
            self._breaker.before_call()

    def _bucket_owner(self, limit: Limit) -> str:
        """Return who shares a limit: the account, or all accounts that call this host."""
        if limit.scope is LimitScope.ACCOUNT:
            return self.account.pk
        return f"{self.courier}@{urlsplit(self._base_url).netloc.lower()}"

    def _record(self, operation: str, status: int, failure: CourierError | None) -> None:
        """Record in metrics, circuit breaker and limiter how a call ended. `status` 0 is none."""
        self._metrics.count_call(operation, failure.outcome if failure else "ok", status)
        # A refusal is an answer: the courier works. It fails if it cannot be reached or breaks.
        if isinstance(failure, (Unknown, NotSent)):
            self._breaker.record_failure()
        else:
            self._breaker.record_success()
        if isinstance(failure, TooManyRequests):
            self._metrics.count_limit_hit(operation)
            owner = self._bucket_owner(self._limits[operation])
            rate_limit.pause(owner, operation, failure.retry_after or 1.0)

    def _exchange(
        self,
        call: Call,
        body: bytes | None,
        headers: Mapping[str, str],
        login_headers: Mapping[str, str],
    ) -> tuple[int, Any, CourierError | None]:
        """Return the status (0 without an answer), the decoded answer, and the error or None."""
        reader = self.reader(call.operation)
        try:
            status, answer_headers, content = self._fetch(call, body, headers)
        except requests.RequestException as error:
            return 0, None, reader.no_answer(error)
        if content is None:
            return status, None, reader.too_large(status, call.declared.answer_size.json)
        scrub = partial(self._scrub, call, login_headers)
        return status, *reader.read(status, answer_headers, content, scrub)

    def _fetch(
        self, call: Call, body: bytes | None, headers: Mapping[str, str]
    ) -> tuple[int, Mapping[str, str], bytes | None]:
        """Send the call over HTTP; an answer that is too large is None.

        Raises requests.RequestException.
        """
        times = self._times
        own = times.answer_time(call.declared.read_timeout)
        longest = times.AUTH_READ_TIMEOUT if self._is_login(call.operation) else own
        with transport.session(self.courier, times.POOL_SIZE).request(
            call.declared.method,
            self._base_url + call.path,
            data=body,
            params=call.params,
            headers=headers,
            timeout=(times.CONNECT_TIMEOUT, longest),
            allow_redirects=False,
            stream=True,
        ) as response:
            content = transport.read_body(response, call.declared.answer_size.of)
            return response.status_code, response.headers, content

    def _scrub(self, call: Call, login_headers: Mapping[str, str], answer: Any) -> Any:
        """Mask in a decoded answer what the call sent, and the account's secrets in any."""
        # The last word of the header is the token or the key; the ones before are its scheme.
        secrets = tuple(value.rpartition(" ")[2] for value in login_headers.values())
        kept: frozenset[str] = frozenset()
        unsent: list[str] = []
        if isinstance(self.login, TokenLogin):
            unsent = [self.login_values[name] for name in self.login.secret_fields]
            if self._is_login(call.operation):
                secrets += tuple(self.login_values.values())
                kept = self.login.secret_answers
        scrubber = Scrubber(call.sent(self.sent_fields, secrets, unsent))
        if isinstance(answer, str) and WHOLE_ANSWER in self.table.word_fields:
            return scrubber.scrub_words(answer)
        return scrubber.scrub_json(answer, word_fields=self.table.masked_fields, kept=kept)

    def reader(self, operation: str) -> AnswerReader:
        """Return the reader of an operation's answers."""
        return AnswerReader(
            self.courier, operation, self.table, self.operations[operation].decode or self.decode,
            is_login=self._is_login(operation), can_renew=isinstance(self.login, TokenLogin),
        )  # fmt: skip

    @property
    def _times(self) -> HttpTunables:
        return http_tunables(self.courier)

    def _is_login(self, operation: str) -> bool:
        return isinstance(self.login, TokenLogin) and operation == self.login.operation
