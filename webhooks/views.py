"""Where couriers call back: verify, store, answer. Nothing else happens on this path."""

from __future__ import annotations

import structlog
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from couriers.conf import tunables
from couriers.factory import CourierFactory
from webhooks import accounts, metrics
from webhooks.inbox import take_in
from webhooks.nudge import nudge

log = structlog.get_logger(__name__)


@csrf_exempt
@require_POST
def receive(request: HttpRequest, courier: str, account_id: str) -> HttpResponse:
    """POST /webhooks/{courier}/{account_id}/.

    200 stored, or known already; 401 not signed by this account's courier, or no such account;
    413 longer than WEBHOOK_MAX_BYTES; 503 when it could not be stored and must come again.
    """
    longest = tunables().WEBHOOK_MAX_BYTES
    if _length(request) > longest:
        return _refuse(courier, "too_long", 413)
    body = request.read(longest + 1)
    if len(body) > longest:
        return _refuse(courier, "too_long", 413)
    try:
        account = accounts.find(account_id)
        receiver = CourierFactory.receiver(courier)
        if (
            account is None
            or receiver is None
            or account.courier != courier
            or not receiver.verify(body, request.headers, account.secrets)
        ):
            # The same answer whatever is wrong: ids cannot be found out by trying.
            return _refuse(courier if receiver else "unknown", "signature", 401)
        topic, state = take_in(account_id, receiver, body)
    except (OperationalError, InterfaceError) as error:
        log.error("callback_not_stored", error=type(error).__name__)
        response = _refuse(courier, "database", 503)
        response["Retry-After"] = "5"
        return response
    metrics.events(courier).labels(topic.value, f"received_{state.value}").inc()
    nudge()
    return JsonResponse({"status": "accepted"})


def _length(request: HttpRequest) -> int:
    text = request.META.get("CONTENT_LENGTH") or "0"
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else 0


def _refuse(courier: str, reason: str, status: int) -> JsonResponse:
    metrics.REFUSED.labels(courier, reason).inc()
    return JsonResponse({"status": "refused"}, status=status)
