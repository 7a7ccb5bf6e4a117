"""Sending what is due: one loop that claims and records, and threads that only send.

A slow endpoint holds threads of its own kind, so those of the prompt ones stay free. Threads have
no connection to the database, and a worker that is killed has lost nothing: what it had claimed is
sent again once its lease is over, with the same id.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from django.utils import timezone

from couriers.contract.logs import get_logger
from couriers.contract.platform_errors import UnreadableValue
from couriers.http import outgoing
from couriers.http.outgoing import Answered
from couriers.models.fields import readable_or
from couriers.models.transactions import refuse_open_transaction
from webhooks.outbox.claims import LEASE, Claimed, claim
from webhooks.outbox.models import WebhookDelivery, WebhookEndpoint
from webhooks.outbox.outcomes import SLOW, Attempt, record_attempts
from webhooks.outbox.signing import body_of, headers_of

log = get_logger(__name__)

# Deliveries that a process has on their way: those to slow endpoints, those to prompt ones that may
# still end soon, and all of them. A prompt endpoint that hangs so takes no place for long.
SLOW_PLACES, PROMPT_PLACES, THREADS = 32, 32, 128
POLL = 0.25  # seconds until the loop looks again for what has become due
REFRESH = 1.0  # seconds between two calls of `refresh`


@dataclass(frozen=True, slots=True)
class _OnItsWay:
    delivery: WebhookDelivery
    is_slow: bool
    since: float  # of the monotonic clock

    def may_end_soon(self) -> bool:
        return time.monotonic() - self.since < SLOW


_Sending = dict["Future[Answered]", _OnItsWay]


def send_due(seconds: float, refresh: Callable[[], object] = lambda: None) -> tuple[int, bool]:
    """Send what is due, and what becomes due meanwhile, for at most `seconds`.

    Returns how many attempts were made, and whether the time was over before the work. What is on
    its way then is waited for, DEADLINE of couriers.http.outgoing at most. `refresh` is called once
    in a while, to make deliveries of what has happened since. Raises InsideTransaction.
    """
    refuse_open_transaction("send_due()")
    deadline = time.monotonic() + seconds
    sending: _Sending = {}
    attempts, refreshed, is_over = 0, time.monotonic(), False
    with ThreadPoolExecutor(THREADS, thread_name_prefix="outbox") as pool:
        while True:
            is_over = time.monotonic() >= deadline
            if not is_over:
                if time.monotonic() - refreshed >= REFRESH:
                    refresh()
                    refreshed = time.monotonic()
                for claimed in _claim_for(sending):
                    one = _OnItsWay(claimed.delivery, claimed.is_slow, time.monotonic())
                    sending[pool.submit(_send, one)] = one
            if not sending:
                return attempts, is_over
            attempts += _record_ended(sending)


def _claim_for(sending: _Sending) -> list[Claimed]:
    """Claim as many deliveries as there are places free for them, prompt endpoints first."""
    free = THREADS - len(sending)
    on_their_way = list(sending.values())
    slow = sum(one.is_slow for one in on_their_way)
    prompt = sum(not one.is_slow and one.may_end_soon() for one in on_their_way)
    claimed = claim(min(free, PROMPT_PLACES - prompt), slow=False)
    return claimed + claim(min(free - len(claimed), SLOW_PLACES - slow), slow=True)


def _record_ended(sending: _Sending) -> int:
    """Wait until an attempt has ended, POLL at most. Record and forget those that have ended."""
    ended, _ = wait(sending, timeout=POLL, return_when=FIRST_COMPLETED)
    record_attempts([Attempt(sending[one].delivery, one.result()) for one in ended])
    for one in ended:
        del sending[one]
    return len(ended)


def _send(one: _OnItsWay) -> Answered:
    """Send one delivery. Whatever happens is in what is returned; nothing is raised."""
    delivery = one.delivery
    if time.monotonic() - one.since > LEASE / 2:
        return Answered(None, "", "not sent: the worker was stopped meanwhile", 0.0)
    try:
        body = body_of(delivery.event)
        keys = secrets_of(delivery.endpoint)
        headers = headers_of(delivery.event_id, body, keys, timezone.now())
        return outgoing.post(delivery.endpoint.url, body, headers)
    except UnreadableValue:
        log.error("endpoint_secret_unreadable", endpoint=delivery.endpoint_id)
        return Answered(None, "", "not sent: the platform cannot read the secret", 0.0)
    except Exception as error:
        log.exception("event_not_sent", endpoint=delivery.endpoint_id, event_id=delivery.event_id)
        return Answered(None, "", f"not sent: a fault of the platform, {type(error).__name__}", 0.0)


def secrets_of(endpoint: WebhookEndpoint) -> list[str]:
    """Return the secrets that are valid now, the current one first. Raises UnreadableValue."""
    until = endpoint.previous_secret_until
    previous = ""
    if until is not None and timezone.now() < until:
        previous = readable_or(endpoint, "previous_secret", "")
    return [secret for secret in (endpoint.secret, previous) if secret]
