"""What comes of an attempt: delivered, tried again later, given up, or the endpoint disabled."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import connection, transaction
from django.utils import timezone

from couriers.contract.logs import get_logger
from couriers.contract.text import make_storable
from couriers.http.outgoing import Answered
from couriers.models.audit import record
from couriers.models.claims import back_off, seconds_from_now
from webhooks.outbox import metrics
from webhooks.outbox.claims import PROBED_FROM
from webhooks.outbox.models import (
    MAX_ANSWER,
    MAX_ERROR,
    DeliveryState,
    DisabledBy,
    WebhookDelivery,
    WebhookEndpoint,
)

log = get_logger(__name__)

# Pauses of a delivery after each failed attempt, in seconds: a day and an hour in sum.
BACK_OFF = (5, 30, 120, 600, 1800, 3600, 7200, 14_400, 28_800, 32_400)
# Pauses of an endpoint that is probed, in seconds. The last one repeats.
PROBE_PAUSES = (5, 30, 120, 600, 1800)
# How long an endpoint may fail, without one success, until it is disabled.
PATIENCE = dt.timedelta(days=1)
SLOW = 1.0  # seconds of an answer from which on an endpoint is slow
GONE = 410
JITTER = 1.2  # each pause is up to so many times as long, so that what failed together parts

_WRITE = f"""
UPDATE {WebhookDelivery._meta.db_table} AS delivery
SET state = given.state, lease_expires_at = NULL, status_code = given.status_code,
    answer = given.answer, error = given.error, milliseconds = given.milliseconds,
    attempted_at = statement_timestamp(),
    next_attempt_at = statement_timestamp() + given.pause * interval '1 second'
FROM unnest(%s::bigint[], %s::smallint[], %s::text[], %s::smallint[], %s::text[], %s::text[],
    %s::integer[], %s::float8[])
    AS given (id, attempts, state, status_code, answer, error, milliseconds, pause)
WHERE delivery.id = given.id AND delivery.attempts = given.attempts AND delivery.state = 'pending'
"""  # noqa: S608 - the table's own name


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt that has ended."""

    delivery: WebhookDelivery
    answered: Answered

    @property
    def has_arrived(self) -> bool:
        """Whether the endpoint took the event."""
        return self.answered.status is not None and 200 <= self.answered.status < 300


@dataclass(frozen=True, slots=True)
class _Outcome:
    attempt: Attempt
    state: DeliveryState
    pause: float


def record_attempts(attempts: Sequence[Attempt]) -> None:
    """Write what came of the attempts, in one transaction.

    The outcome of a worker that was taken for dead is not written: another one has the delivery.
    """
    if not attempts:
        return
    disabled: list[WebhookEndpoint] = []
    with transaction.atomic():
        endpoints = _lock_endpoints(attempts)
        outcomes = []
        for attempt in attempts:
            endpoint = endpoints.get(attempt.delivery.endpoint_id)
            if endpoint is None:  # deleted meanwhile, and its deliveries with it
                continue
            was_enabled = endpoint.enabled
            outcomes.append(_judge(endpoint, attempt))
            if was_enabled and not endpoint.enabled:
                disabled.append(endpoint)
        _write(outcomes)
        _store(endpoints.values())
        for endpoint in disabled:
            record(endpoint, "disable_endpoint", details={"disabled_by": endpoint.disabled_by})
    for endpoint in disabled:
        log.warning("endpoint_disabled", endpoint=endpoint.pk, reason=endpoint.disabled_by)
        metrics.DISABLED.labels(endpoint.disabled_by).inc()
    for outcome in outcomes:
        _note(outcome)


def _lock_endpoints(attempts: Sequence[Attempt]) -> dict[str, WebhookEndpoint]:
    ids = {attempt.delivery.endpoint_id for attempt in attempts}
    rows = WebhookEndpoint.objects.filter(pk__in=ids).select_for_update(no_key=True)
    return {endpoint.pk: endpoint for endpoint in rows.defer("previous_secret").order_by("pk")}


def _judge(endpoint: WebhookEndpoint, attempt: Attempt) -> _Outcome:
    """Return what the attempt means for its delivery, and change the endpoint by it."""
    now = timezone.now()
    endpoint.is_slow = not attempt.has_arrived or attempt.answered.seconds > SLOW
    if attempt.has_arrived:
        endpoint.failures, endpoint.failing_since = 0, None
        endpoint.next_attempt_at = seconds_from_now(0)
        return _Outcome(attempt, DeliveryState.DELIVERED, 0.0)
    endpoint.failures += 1
    endpoint.failing_since = endpoint.failing_since or now
    if endpoint.failures >= PROBED_FROM:
        probes = endpoint.failures - PROBED_FROM + 1
        pause = back_off(probes, PROBE_PAUSES) * _jitter()
        endpoint.next_attempt_at = seconds_from_now(pause)
    if attempt.answered.status == GONE:
        disable(endpoint, DisabledBy.GONE)
    elif now - endpoint.failing_since >= PATIENCE:
        disable(endpoint, DisabledBy.FAILING)
    tried = attempt.delivery.attempts
    if endpoint.enabled and tried > len(BACK_OFF):
        return _Outcome(attempt, DeliveryState.GIVEN_UP, 0.0)
    return _Outcome(attempt, DeliveryState.PENDING, back_off(tried, BACK_OFF) * _jitter())


def disable(endpoint: WebhookEndpoint, why: DisabledBy) -> None:
    """Change the row, which is not saved: it is sent nothing until somebody enables it.

    One that the platform has disabled can be disabled by hand: then nobody need look at it.
    """
    if endpoint.enabled:
        endpoint.disabled_at = timezone.now()
    if endpoint.enabled or why is DisabledBy.HAND:
        endpoint.enabled, endpoint.disabled_by = False, why


def _jitter() -> float:
    return random.uniform(1.0, JITTER)  # noqa: S311 # nosec B311


def _write(outcomes: Sequence[_Outcome]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            _WRITE,
            [
                [one.attempt.delivery.pk for one in outcomes],
                [one.attempt.delivery.attempts for one in outcomes],
                [one.state.value for one in outcomes],
                [one.attempt.answered.status for one in outcomes],
                [make_storable(one.attempt.answered.text)[:MAX_ANSWER] for one in outcomes],
                [make_storable(one.attempt.answered.error)[:MAX_ERROR] for one in outcomes],
                [int(one.attempt.answered.seconds * 1000) for one in outcomes],
                [one.pause for one in outcomes],
            ],
        )


def _store(endpoints: Iterable[WebhookEndpoint]) -> None:
    for endpoint in endpoints:
        endpoint.save(
            update_fields=[
                "is_slow", "failures", "failing_since", "next_attempt_at", "enabled",
                "disabled_by", "disabled_at",
            ]
        )  # fmt: skip


def _note(outcome: _Outcome) -> None:
    """Count the attempt and log it, once it is committed."""
    delivery, answered = outcome.attempt.delivery, outcome.attempt.answered
    result = "failed" if outcome.state is DeliveryState.PENDING else outcome.state.value
    metrics.DELIVERIES.labels(result).inc()
    if outcome.state is DeliveryState.DELIVERED:
        waited = (timezone.now() - delivery.event.created_at).total_seconds()
        metrics.DELIVERED_SECONDS.observe(max(0.0, waited))
    log.info(
        "event_sent", result=result, endpoint=delivery.endpoint_id, event_id=delivery.event_id,
        status=answered.status, error=answered.error,
        milliseconds=int(answered.seconds * 1000),
    )  # fmt: skip
