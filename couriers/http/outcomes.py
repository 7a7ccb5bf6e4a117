"""Classify how a call ended by the classes of couriers.contract.errors. Pure.

The class decides what the caller may do next. Whatever is not known to be safe to repeat is
Unknown. A plug-in's AnswerTable says what its courier's answers mean; calls that ended without an
answer are the same for every courier (the errors of `requests` and urllib3).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import requests
import urllib3.exceptions as u3
from urllib3.util import Retry

from couriers.contract.errors import (
    CourierError,
    CredentialsRefused,
    NotFound,
    NotSent,
    Rejected,
    TokenRefused,
    TooManyRequests,
    Unknown,
)
from couriers.contract.masking import mask_text
from couriers.contract.words import WHOLE_ANSWER, clean_message, meaning_of, words_in
from couriers.http.answers import PDF, Decoder, decode_json
from couriers.http.connections import AddressRefused

MAX_RETRY_AFTER = 3600.0  # seconds
MAX_CODE = 100  # characters

Scrub = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an answer means: the class of the error, and the platform's words for it.

    `pause` is how many seconds to wait where the answer has no usable Retry-After. A verdict of
    TooManyRequests holds the operation back for all processes; without `pause` for a second.
    `words` are the courier's where they are in none of the table's fields.
    """

    kind: type[CourierError]
    message: str
    pause: float | None = None
    words: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as a judge sees it: decoded, and with what the call sent masked.

    `body` is None where it could not be decoded. `code` and `words` are found by the table.
    """

    operation: str
    status: int
    body: Any
    code: str
    words: str


def _no_verdict(_: Answer) -> Verdict | None:
    return None


# Every other status (408, 5xx, redirects) is Unknown: the courier may have done the work.
DEFAULT_STATUSES: Mapping[int, Verdict] = {
    **dict.fromkeys(
        (400, 405, 406, 409, 410, 411, 413, 414, 415, 422, 431), Verdict(Rejected, "refused")
    ),
    401: Verdict(TokenRefused, "the token is refused"),
    403: Verdict(CredentialsRefused, "not allowed for this account"),
    404: Verdict(NotFound, "not found"),
    429: Verdict(TooManyRequests, "too many requests"),
}


@dataclass(frozen=True, slots=True)
class AnswerTable:
    """What a courier's answers mean, and where their codes and words are.

    `phrases` come first, then the judge is asked, then `codes`, then a 2xx is a success, then
    `statuses` and DEFAULT_STATUSES decide. Phrases and judge also see a 2xx, and may refuse it.

    A key of `phrases` is an operation, "" for each, and a part of the words in lower case. The
    words of all `word_fields` are looked through.

    `code_fields` hold a code, or a list of them. `word_fields` hold words for people, a text or a
    list of texts; the first that has some is taken. "" among them stands for an answer that is a
    text itself.
    """

    phrases: Mapping[tuple[str, str], Verdict] = field(default_factory=dict)
    codes: Mapping[str, Verdict] = field(default_factory=dict)
    statuses: Mapping[int, Verdict] = field(default_factory=dict)
    code_fields: tuple[str, ...] = ("code",)
    word_fields: tuple[str, ...] = ("message",)
    judge: Callable[[Answer], Verdict | None] = _no_verdict

    def verdict(self, answer: Answer) -> Verdict | None:
        """Return what the answer means; None is a success."""
        verdict = self._by_words(answer) or self.judge(answer) or self.codes.get(answer.code)
        if verdict is None and not 200 <= answer.status < 300:
            unknown = DEFAULT_STATUSES.get(answer.status, Verdict(Unknown, "failed"))
            verdict = self.statuses.get(answer.status, unknown)
        return verdict

    def _by_words(self, answer: Answer) -> Verdict | None:
        words = " ".join(words_in(answer.body, [name]) for name in self.word_fields)
        own = {part: v for (at, part), v in self.phrases.items() if at in ("", answer.operation)}
        return meaning_of(words, own, None)

    @property
    def masked_fields(self) -> frozenset[str]:
        """The fields of answers in which phones and e-mail addresses are masked."""
        return frozenset((*self.word_fields, *self.code_fields)) - {WHOLE_ANSWER}

    def code_in(self, body: Any) -> str:
        """Return the first known code, or the text of the first field that has codes alone."""
        if not isinstance(body, dict):
            return ""
        found = [(name, code) for name in self.code_fields for code in _codes_of(body.get(name))]
        known = next((code for _, code in found if code in self.codes), "")
        unknown = (code for name, code in found if name not in self.word_fields)
        return known or clean_message(next(unknown, ""))


def _codes_of(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    kinds = (str, int)
    return [str(one) for one in values if isinstance(one, kinds) and not isinstance(one, bool)]


@dataclass(frozen=True, slots=True)
class AnswerReader:
    """Reads the answer to one call.

    `is_login` is true for the call that gets a token. `can_renew` is false where the login is a
    key: then a refused one is the account's, and there is no newer one.
    """

    courier: str
    operation: str
    table: AnswerTable
    decode: Decoder = decode_json
    is_login: bool = False
    can_renew: bool = True

    def read(
        self, status: int, headers: Mapping[str, str], body: bytes, scrub: Scrub
    ) -> tuple[Any, CourierError | None]:
        """Return the decoded answer (or the bytes of a PDF) and None, or None and the error.

        `scrub` masks in the decoded answer what the call sent.
        """
        decoded = scrub(self._decoded(body))
        answer = Answer(
            self.operation,
            status,
            decoded,
            self.table.code_in(decoded),
            words_in(decoded, self.table.word_fields),
        )
        verdict = self.table.verdict(answer)
        if verdict is None:
            if decoded is not None:
                return decoded, None
            if body.startswith(PDF):
                return body, None
            verdict = Verdict(Unknown, "the answer is broken")
        return None, self._failure(verdict, answer, headers)

    def _decoded(self, body: bytes) -> Any:
        if body.startswith(PDF):
            return None
        try:
            return self.decode(body)
        except ValueError:
            return None

    def _failure(
        self, verdict: Verdict, answer: Answer, headers: Mapping[str, str]
    ) -> CourierError:
        kind, message = verdict.kind, verdict.message
        code = answer.code
        words = clean_message(mask_text(verdict.words)) or answer.words
        if self.is_login:
            if kind not in (TooManyRequests, Unknown):
                # The call has only the login in it, so the login is what is refused.
                kind, message = CredentialsRefused, "the login is refused"
            # Its words may repeat the login, or parts of it: only the known codes are passed on.
            code, words = code if code in self.table.codes else "", ""
        elif kind is TokenRefused and not self.can_renew:
            kind, message = CredentialsRefused, "the key is refused"
        too_fast = kind is TooManyRequests
        return kind(
            message,
            courier=self.courier,
            operation=self.operation,
            http_status=answer.status,
            code=code[:MAX_CODE],
            courier_message=words,
            retry_after=retry_after(headers, verdict.pause or 1.0) if too_fast else verdict.pause,
        )

    def too_large(self, status: int, size: int) -> Unknown:
        """Return the error for an answer of more than `size` bytes, not read to its end.

        Whatever its status is, the courier may have done the work.
        """
        return Unknown(
            f"the answer is larger than {size} bytes",
            courier=self.courier,
            operation=self.operation,
            http_status=status,
        )

    def no_answer(self, error: requests.RequestException) -> CourierError:
        """Return the error for a call that ended without an answer: NotSent or Unknown."""
        kind, message = kind_of_exception(error)
        return kind(message, courier=self.courier, operation=self.operation)


def retry_after(headers: Mapping[str, str], otherwise: float = 1.0) -> float:
    """Return the seconds to wait before the next call, from 0 to an hour.

    The header holds a number or a date (RFC 9110); a missing or a wrong one counts as `otherwise`.
    """
    try:
        seconds = Retry().parse_retry_after(headers.get("Retry-After", ""))
    except (u3.InvalidHeader, ValueError, OverflowError):
        seconds = otherwise
    return min(seconds, MAX_RETRY_AFTER)


_NEVER_SENT = (
    requests.exceptions.ConnectTimeout,
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
    requests.exceptions.MissingSchema,
    requests.exceptions.InvalidHeader,
)
# urllib3 raises these before a byte of the request has left.
_NEVER_SENT_BY_URLLIB3 = (
    u3.NewConnectionError,  # refused or unreachable; NameResolutionError is a subclass
    u3.ConnectTimeoutError,
    u3.LocationParseError,
    u3.ProxyError,
)
# What merchants and operators read about the error, most special class first.
_UNCONNECTED: tuple[tuple[type[BaseException], str], ...] = (
    (AddressRefused, "the host's address is not one that may be called"),
    (u3.NameResolutionError, "the host's name is not known"),
    (u3.NewConnectionError, "the host refused or cannot be reached"),
    (u3.ConnectTimeoutError, "the host did not answer in time"),
    (u3.ProxyError, "the proxy failed"),
    (BaseException, "the address cannot be used"),
)
_UNANSWERED: tuple[tuple[type[BaseException], str], ...] = (
    (u3.ReadTimeoutError, "it did not come in time"),
    (BaseException, "the connection broke"),
)


def kind_of_exception(error: requests.RequestException) -> tuple[type[CourierError], str]:
    """Return NotSent or Unknown, and the words for it, for an exception of `requests`.

    `requests` raises one ConnectionError both for "never sent" and for "perhaps done". The urllib3
    error inside it tells them apart.
    """
    inner = _urllib3_error_in(error)
    # A failed verification happens in the TLS handshake, before the request. Other TLS errors can
    # happen after it.
    handshake_failed = isinstance(
        error, requests.exceptions.SSLError
    ) and "CERTIFICATE_VERIFY" in str(error)
    if (
        isinstance(error, _NEVER_SENT)
        or isinstance(inner, _NEVER_SENT_BY_URLLIB3)
        or handshake_failed
    ):
        cause = "the certificate was refused" if handshake_failed else _cause(inner, _UNCONNECTED)
        return NotSent, f"could not connect: {cause}"
    return Unknown, f"no answer: {_cause(inner, _UNANSWERED)}"


def _cause(error: BaseException, causes: tuple[tuple[type[BaseException], str], ...]) -> str:
    """Return the words for the first class that the error is of; the last is every class."""
    return next(words for kind, words in causes if isinstance(error, kind))


def _urllib3_error_in(error: BaseException) -> BaseException:
    """Return the innermost error: urllib3 puts it into `reason`, `requests` into the arguments."""
    current: BaseException = error
    for _ in range(5):
        reason = getattr(current, "reason", None)
        inside = (reason if isinstance(reason, BaseException) else None) or next(
            (a for a in current.args if isinstance(a, BaseException)), None
        )
        if inside is None or isinstance(current, _NEVER_SENT_BY_URLLIB3):
            break
        current = inside
    return current
