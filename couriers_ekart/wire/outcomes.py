"""Every way a call to Ekart can end, put into its class of couriers.contract.errors. Pure.

The class decides what the caller may do next: whatever cannot be told to be safe is Unknown.
Sources: the errors of `requests` and urllib3, and the Ekart API 3.8.8, schema `error`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
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
    UnknownPickupAlias,
)
from couriers_ekart.mapper.words import clean, words_of

LONGEST_RETRY_AFTER = 3600.0
NOT_FOUND_CODES = {"SWIFT_RESOURCE_NOT_FOUND_EXCEPTION"}
REFUSAL_CODES = {
    "SWIFT_VALIDATION_EXCEPTION",
    "SWIFT_MALFORMED_INPUT_EXCEPTION",
    "PATH_NOT_IMPLEMENTED",
}

Failure = tuple[type[CourierError], str]  # the class and the message of a failed call

# 408, 5xx, redirects and whatever else is not here are Unknown: the work may have been done.
_FAILURE_BY_STATUS: dict[int, Failure] = {
    **dict.fromkeys((400, 405, 406, 409, 410, 411, 413, 414, 415, 422, 431), (Rejected, "refused")),
    401: (TokenRefused, "the token is refused"),
    403: (CredentialsRefused, "not allowed for this account"),
    404: (NotFound, "not found"),
    429: (TooManyRequests, "too many requests"),
}

# urllib3 raises these before a byte of the request has left.
_BEFORE_SENDING = (
    u3.NewConnectionError,  # refused, unreachable; NameResolutionError is one of these
    u3.ConnectTimeoutError,
    u3.LocationParseError,
    u3.ProxyError,
)


def from_exception(error: requests.RequestException, operation: str) -> CourierError:
    """The class of a call that ended without an answer.

    `requests` folds "never sent" and "perhaps done" into one ConnectionError; the urllib3 error
    inside tells them apart.
    """
    unsent: tuple[type[Exception], ...] = (
        requests.exceptions.ConnectTimeout,
        requests.exceptions.InvalidURL,
        requests.exceptions.InvalidSchema,
        requests.exceptions.MissingSchema,
        requests.exceptions.InvalidHeader,
    )
    inner = _innermost(error)
    name = type(inner).__name__
    # A TLS handshake comes before the request, but TLS can also break after it: only a failed
    # verification is surely the handshake's.
    handshake = isinstance(error, requests.exceptions.SSLError) and "CERTIFICATE_VERIFY" in str(
        error
    )
    if isinstance(error, unsent) or isinstance(inner, _BEFORE_SENDING) or handshake:
        return NotSent(f"could not connect ({name})", courier="ekart", operation=operation)
    return Unknown(f"no answer ({name})", courier="ekart", operation=operation)


def from_answer(
    status: int, headers: Mapping[str, str], body: bytes, operation: str
) -> tuple[Any, CourierError | None]:
    """The decoded JSON of an answer (a PDF as its bytes), and the class of its failure or None.

    A body with a known, definite code decides before the status does.
    """
    decoded = _decode(body)
    code, words = _code_of(decoded), words_of(decoded)
    failure = _failure_by_code(code, words)
    if failure is None and 200 <= status < 300:
        if decoded is not None:
            return decoded, None
        if body.startswith(b"%PDF-"):
            return body, None
        failure = Unknown, "the answer is broken"
    kind, message = failure or _FAILURE_BY_STATUS.get(status, (Unknown, "failed"))
    if operation == "get_token" and kind not in (TooManyRequests, Unknown):
        # Nothing but the login is in that call, and it is about no shipment.
        kind, message = CredentialsRefused, "the login is refused"
    return None, kind(
        message,
        courier="ekart",
        operation=operation,
        http_status=status,
        code=code[:100],
        courier_message=words,
        retry_after=retry_after(headers) if kind is TooManyRequests else None,
    )


def _failure_by_code(code: str, words: str) -> Failure | None:
    if code in NOT_FOUND_CODES:
        if "pickup_location" in words:
            return UnknownPickupAlias, "the pickup address is not registered"
        return NotFound, "not found"
    if code in REFUSAL_CODES:
        return Rejected, "refused"
    return None


def retry_after(headers: Mapping[str, str]) -> float:
    """Seconds to wait before the next call, from 0 to an hour.

    The header holds a number or a date (RFC 9110); a missing or a wrong one counts as 1 second.
    """
    try:
        seconds = Retry().parse_retry_after(headers.get("Retry-After", ""))
    except (u3.InvalidHeader, ValueError, OverflowError):
        seconds = 1.0
    return min(seconds, LONGEST_RETRY_AFTER)


def _innermost(error: BaseException) -> BaseException:
    """The urllib3 error inside: the argument, its `reason`, or what it was raised from."""
    current: BaseException = error
    for _ in range(5):
        reason = getattr(current, "reason", None)
        inside = (reason if isinstance(reason, BaseException) else None) or next(
            (a for a in current.args if isinstance(a, BaseException)), None
        )
        if inside is None or isinstance(current, _BEFORE_SENDING):
            break
        current = inside
    return current


def _decode(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _code_of(decoded: Any) -> str:
    """Ekart's code, which is often in `message`."""
    if not isinstance(decoded, dict):
        return ""
    message, code = decoded.get("message"), decoded.get("code")
    known = NOT_FOUND_CODES | REFUSAL_CODES
    found = next((c for c in (message, code) if isinstance(c, str) and c in known), "")
    return found or (clean(code) if isinstance(code, str) else "")
