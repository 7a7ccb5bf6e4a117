"""Where couriers call back: verify, store, answer. Nothing else happens on this path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import structlog
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.http.request import HttpHeaders, UnreadablePostError
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from couriers.conf import tunables
from couriers.contract.receiver import Topic
from couriers.contract.registry import CourierFactory
from webhooks import accounts, metrics
from webhooks.inbox import Taken, take_in
from webhooks.nudge import nudge

log = structlog.get_logger(__name__)

ACCEPTED = b'{"status": "accepted"}'
REFUSED = b'{"status": "refused"}'
# The query of a URL that was registered for one topic alone; any other query is ignored.
HINTS = {"topic=shipment_recreated": Topic.SHIPMENT_RECREATED}


class Headers(Mapping[str, str]):
    """A request's headers, whatever their case; only those that are asked for are looked at."""

    def __init__(self, meta: Mapping[str, Any]) -> None:
        self._meta = meta

    def __getitem__(self, name: str) -> str:
        key = name.upper().replace("-", "_")
        return str(self._meta[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"])

    def __iter__(self) -> Iterator[str]:
        return iter(HttpHeaders(self._meta))

    def __len__(self) -> int:
        return len(HttpHeaders(self._meta))


@csrf_exempt
@require_POST
def receive(request: HttpRequest, courier: str, account_id: str) -> HttpResponse:
    """POST /webhooks/{courier}/{account_id}/[?topic=shipment_recreated].

    200 stored, or known already; 400 cut off half-way; 401 not signed by this account's courier,
    or no such account; 413 longer than WEBHOOK_MAX_BYTES; 503 when it could not be stored and
    must come again.
    """
    longest = tunables().WEBHOOK_MAX_BYTES
    if _length(request) > longest:
        return _refuse(courier, "too_long", 413)
    try:
        body = _read(request, longest + 1)
    except UnreadablePostError:
        return _refuse(courier, "cut_off", 400)
    if len(body) > longest:
        return _refuse(courier, "too_long", 413)
    try:
        account = accounts.find_account(account_id)
        receiver = CourierFactory.receiver(courier)
        if (
            account is None
            or receiver is None
            or account.courier != courier
            or not receiver.verify(body, Headers(request.META), account.secrets)
        ):
            # The same answer whatever is wrong: ids cannot be found out by trying.
            return _refuse(courier, "signature", 401)
        hint = HINTS.get(request.META.get("QUERY_STRING", ""))
        topic, taken = take_in(account_id, receiver, body, hint)
    except (OperationalError, InterfaceError) as error:
        log.error("callback_not_stored", error=type(error).__name__)
        response = _refuse(courier, "database", 503)
        response["Retry-After"] = "5"
        return response
    metrics.received(courier, topic, taken.value).inc()
    if taken == Taken.PENDING:
        nudge()
    return _answer(ACCEPTED, 200)


def _length(request: HttpRequest) -> int:
    text = request.META.get("CONTENT_LENGTH") or "0"
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else 0


def _read(request: HttpRequest, most: int) -> bytes:
    """The raw body. Django takes one without a length, sent in chunks, for empty."""
    if not request.META.get("CONTENT_LENGTH") and request.META.get("wsgi.input_terminated"):
        return bytes(request.META["wsgi.input"].read(most))
    return request.read(most)


def _refuse(courier: str, reason: str, status: int) -> HttpResponse:
    # What a stranger writes into the URL is no label.
    known = courier if CourierFactory.receiver(courier) else "unknown"
    metrics.REFUSED.labels(known, reason).inc()
    return _answer(REFUSED, status)


def _answer(content: bytes, status: int) -> HttpResponse:
    # The length, too: no middleware that would add it comes this way.
    headers = {"Content-Type": "application/json", "Content-Length": str(len(content))}
    return HttpResponse(content, status=status, headers=headers)
