"""The view that receives couriers' callbacks: it verifies, stores and answers, and nothing else.

Workers apply what is stored (webhooks.processing).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, InterfaceError, transaction
from django.http import HttpRequest, HttpResponse
from django.http.request import HttpHeaders, UnreadablePostError
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from couriers.conf import tunables
from couriers.contract.content_policy import nothing, with_policy
from couriers.contract.logs import get_logger
from couriers.contract.platform_errors import UnreadableValue
from couriers.contract.receiver import Callback, Topic, WebhookReceiver
from couriers.contract.registry import CourierFactory
from couriers.resilience.client_address import client_address
from couriers.resilience.database import RETRY_AFTER, leave_connection, outage_of
from couriers.resilience.request_context import request_id_of, with_request_id
from couriers.resilience.throttle import refused_callbacks
from webhooks import accounts, metrics, refusals, tally
from webhooks.dispatch import request_processing
from webhooks.inbox import StoreResult, store_callback
from webhooks.own_callback import answer_to_test
from webhooks.probe import answer_to

log = get_logger(__name__)

ACCEPTED = b'{"status": "accepted"}'
REFUSED = b'{"status": "refused"}'
MAX_QUERY = 20  # parameters


class Headers(Mapping[str, str]):
    """A request's headers by case-insensitive name, looked up in META without copying them."""

    def __init__(self, meta: Mapping[str, Any]) -> None:
        self._meta = meta

    def __getitem__(self, name: str) -> str:
        key = name.upper().replace("-", "_")
        return str(self._meta[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"])

    def __iter__(self) -> Iterator[str]:
        return iter(HttpHeaders(self._meta))

    def __len__(self) -> int:
        return len(HttpHeaders(self._meta))


@partial(with_request_id, is_logged=False)  # tasks log what becomes of it
@login_not_required
@transaction.non_atomic_requests  # it answers for a database that is away, and sends a task
@csrf_exempt
@with_policy(nothing)
@require_POST
def receive(
    request: HttpRequest, courier: str, account_id: str, topic: Topic | None = None
) -> HttpResponse:
    """POST /webhooks/{courier}/{account_id}/, or with the topic as the last part of the path.

    Only the courier's receiver reads the query. Answers 200 if the callback is
    stored, now or before; 400 if the body was cut off; 401 if the signature is wrong or there is no
    such account, and 429 where too many of these came from the address; 413 if it is longer than
    WEBHOOK_MAX_BYTES; 503 with Retry-After if the courier must send it again, because the database
    cannot serve or no key opens the account's secret.
    """
    max_bytes = tunables().WEBHOOK_MAX_BYTES
    if _content_length(request) > max_bytes:
        return _refuse(courier, "too_long", 413)
    try:
        body = _read_body(request, max_bytes + 1)
    except UnreadablePostError:
        return _refuse(courier, "cut_off", 400)
    if len(body) > max_bytes:
        return _refuse(courier, "too_long", 413)
    try:
        receiver = _receiver_of_signed(request, body, courier, account_id, topic)
        if receiver is None:
            return _refuse_unsigned(request, courier)
        if (answer := answer_to_test(body)) is not None:
            return _respond(answer, 200)
        stored_topic, result = store_callback(
            account_id, receiver, body, topic, request_id=request_id_of(request)
        )
    except (DatabaseError, InterfaceError) as error:
        if (outage := outage_of(error)) is None:
            raise
        log.error("callback_not_stored", reason=outage.value)
        leave_connection(error)
        return _refuse(courier, "database", 503)
    except UnreadableValue as error:
        # Whether it is signed cannot be known, so the courier must send it again.
        log.error("callback_not_stored", reason=str(error))
        return _refuse(courier, "unreadable", 503)
    tally.note_accepted(account_id)
    metrics.count_received(courier, stored_topic, result.value)
    if result == StoreResult.PENDING:
        request_processing()
    return _respond(ACCEPTED, 200)


def _refuse_unsigned(request: HttpRequest, courier: str) -> HttpResponse:
    """Refuse a callback: one answer for every cause, so that nobody can find ids by trying.

    An address from which too many came gets 429. A good callback is taken from wherever it comes.
    """
    count = tunables().THROTTLE_REFUSED_CALLBACKS
    wait = refused_callbacks.note(client_address(request), count)
    if not wait:
        return _refuse(courier, "signature", 401)
    response = _refuse(courier, "throttled", 429)
    response["Retry-After"] = str(math.ceil(wait))
    return response


def _receiver_of_signed(
    request: HttpRequest, body: bytes, courier: str, account_id: str, topic: Topic | None
) -> WebhookReceiver | None:
    """Return the courier's receiver if the body was signed for this path, else None.

    A refusal is noted for an account that exists, unless it is of the platform's own test callback.
    """
    account = accounts.find_account(account_id)
    receiver = CourierFactory.receiver(courier)
    if account is None or receiver is None or account.courier != courier:
        return None
    if topic is not None and topic not in receiver.own_path_topics:
        return None
    callback = Callback(body, Headers(request.META), _query(request), client_address(request))
    if receiver.verify(callback, account.secrets_of(topic)):
        return receiver
    if answer_to_test(body) is None:
        tally.note_refused(
            account_id,
            tally.RefusedCallback(account, receiver, topic, callback, request_id_of(request)),
        )
    return None


def _query(request: HttpRequest) -> dict[str, str]:
    """Return the query's parameters; none if there are too many."""
    try:
        return dict(parse_qsl(request.META.get("QUERY_STRING", ""), max_num_fields=MAX_QUERY))
    except ValueError:
        return {}


@login_not_required
@transaction.non_atomic_requests
@with_policy(nothing)
@require_safe
def answer_probe(request: HttpRequest) -> HttpResponse:
    """GET /webhooks/?challenge=…: the answer by which `check --deploy` knows this project."""
    answer = answer_to(request.GET.get("challenge", ""))
    return HttpResponse(answer, content_type="text/plain") if answer else HttpResponse(status=404)


def _content_length(request: HttpRequest) -> int:
    text = request.META.get("CONTENT_LENGTH") or "0"
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else 0


def _read_body(request: HttpRequest, max_bytes: int) -> bytes:
    """Return the raw body, at most `max_bytes` of it.

    Django reads a chunked body, which has no Content-Length, as empty, so that is read here.
    """
    if not request.META.get("CONTENT_LENGTH") and request.META.get("wsgi.input_terminated"):
        return bytes(request.META["wsgi.input"].read(max_bytes))
    return request.read(max_bytes)


def _refuse(courier: str, reason: str, status: int) -> HttpResponse:
    # The URL's courier is the sender's text: a label may only have a known code.
    label = courier if CourierFactory.receiver(courier) else "unknown"
    metrics.REFUSED.labels(label, reason).inc()
    refusals.log_sample(label, reason, status)
    response = _respond(REFUSED, status)
    # Django logs every answer from 400 on, unless it is marked so.
    response._has_been_logged = True  # type: ignore[attr-defined]
    if status == 503:
        response["Retry-After"] = str(RETRY_AFTER)
    return response


def _respond(content: bytes, status: int) -> HttpResponse:
    # InboxMiddleware bypasses CommonMiddleware, which would add Content-Length.
    headers = {"Content-Type": "application/json", "Content-Length": str(len(content))}
    return HttpResponse(content, status=status, headers=headers)
