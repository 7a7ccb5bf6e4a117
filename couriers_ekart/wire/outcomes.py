"""Classify how a call to Ekart ended by the classes of couriers.contract.errors. Pure.

The class decides what the caller may do next. Whatever is not known to be safe to repeat is
Unknown. Sources: the errors of `requests` and urllib3, and the Ekart API 3.8.8, schema `error`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
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
from couriers.contract.json_limits import MAX_DEPTH, nesting_depth
from couriers_ekart.mapper.messages import clean_message, message_in
from couriers_ekart.wire.connections import AddressRefused

MAX_RETRY_AFTER = 3600.0  # seconds
NOT_FOUND_CODES = {"SWIFT_RESOURCE_NOT_FOUND_EXCEPTION"}
REFUSAL_CODES = {
    "SWIFT_VALIDATION_EXCEPTION",
    "SWIFT_MALFORMED_INPUT_EXCEPTION",
    "PATH_NOT_IMPLEMENTED",
}
KNOWN_CODES = NOT_FOUND_CODES | REFUSAL_CODES

Failure = tuple[type[CourierError], str]  # the class and the message of a failed call

# Every other status (408, 5xx, redirects) is Unknown: Ekart may have done the work.
_FAILURE_BY_STATUS: dict[int, Failure] = {
    **dict.fromkeys((400, 405, 406, 409, 410, 411, 413, 414, 415, 422, 431), (Rejected, "refused")),
    401: (TokenRefused, "the token is refused"),
    403: (CredentialsRefused, "not allowed for this account"),
    404: (NotFound, "not found"),
    429: (TooManyRequests, "too many requests"),
}
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
    (AddressRefused, "the host's address is not one where a courier may be"),
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


def classify_exception(error: requests.RequestException, operation: str) -> CourierError:
    """Return the error for a call that ended without an answer: NotSent or Unknown.

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
        return NotSent(f"could not connect: {cause}", courier="ekart", operation=operation)
    cause = _cause(inner, _UNANSWERED)
    return Unknown(f"no answer: {cause}", courier="ekart", operation=operation)


def _cause(error: BaseException, causes: tuple[tuple[type[BaseException], str], ...]) -> str:
    """Return the words for the first class that the error is of; the last is every class."""
    return next(words for kind, words in causes if isinstance(error, kind))


def classify_answer(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    operation: str,
    scrub: Callable[[Any], Any],
) -> tuple[Any, CourierError | None]:
    """Return the decoded JSON of an answer (or the bytes of a PDF) and None, or None and the error.

    A known code in the body decides first, then the HTTP status. `scrub` is called with decoded
    JSON and masks what the call sent.
    """
    decoded = scrub(_decode_json(body))
    code, courier_message = _code_in(decoded), message_in(decoded)
    failure = _failure_by_code(code, courier_message)
    if failure is None and 200 <= status < 300:
        if decoded is not None:
            return decoded, None
        if body.startswith(b"%PDF-"):
            return body, None
        failure = Unknown, "the answer is broken"
    kind, message = failure or _FAILURE_BY_STATUS.get(status, (Unknown, "failed"))
    if operation == "get_token" and kind not in (TooManyRequests, Unknown):
        # The call has only the login in it, so the login is what is refused.
        kind, message = CredentialsRefused, "the login is refused"
    if operation == "get_token":
        # Its words may repeat the login, or parts of it: only the known codes are passed on.
        code, courier_message = code if code in KNOWN_CODES else "", ""
    return None, kind(
        message,
        courier="ekart",
        operation=operation,
        http_status=status,
        code=code[:100],
        courier_message=courier_message,
        retry_after=retry_after(headers) if kind is TooManyRequests else None,
    )


def too_large(operation: str, status: int, size: int) -> Unknown:
    """Return the error for an answer of more than `size` bytes, which was not read to its end.

    Whatever its status is, Ekart may have done the work.
    """
    return Unknown(
        f"the answer is larger than {size} bytes",
        courier="ekart",
        operation=operation,
        http_status=status,
    )


def retry_after(headers: Mapping[str, str]) -> float:
    """Return the seconds to wait before the next call, from 0 to an hour.

    The header holds a number or a date (RFC 9110); a missing or a wrong one counts as 1 second.
    """
    try:
        seconds = Retry().parse_retry_after(headers.get("Retry-After", ""))
    except (u3.InvalidHeader, ValueError, OverflowError):
        seconds = 1.0
    return min(seconds, MAX_RETRY_AFTER)


def _failure_by_code(code: str, courier_message: str) -> Failure | None:
    if code in NOT_FOUND_CODES:
        if "pickup_location" in courier_message:
            return UnknownPickupAlias, "the pickup address is not registered"
        return NotFound, "not found"
    if code in REFUSAL_CODES:
        return Rejected, "refused"
    return None


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


def _decode_json(body: bytes) -> Any:
    if body.startswith(b"%PDF-"):
        return None
    try:
        decoded = json.loads(body)
    except (ValueError, RecursionError):
        return None
    is_nested = isinstance(decoded, (dict, list))
    return None if is_nested and nesting_depth(decoded) > MAX_DEPTH else decoded


def _code_in(decoded: Any) -> str:
    """Return Ekart's code, which is often in `message` instead of `code`; "" for none."""
    if not isinstance(decoded, dict):
        return ""
    message, code = decoded.get("message"), decoded.get("code")
    found = next((c for c in (message, code) if isinstance(c, str) and c in KNOWN_CODES), "")
    return found or (clean_message(code) if isinstance(code, str) else "")
