"""What people and keys do with endpoints. Each of it is in the audit trail."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.db.models.functions import Now
from django.utils import timezone

from couriers.models import Company, Event, EventType
from couriers.models.audit import record, record_change, values_of
from webhooks.outbox.fan_out import last_position
from webhooks.outbox.models import (
    DeliveryState,
    DisabledBy,
    WebhookDelivery,
    WebhookEndpoint,
)
from webhooks.outbox.outcomes import disable
from webhooks.outbox.signing import new_secret

MAX_ENDPOINTS = 20  # of a company in a mode
MAX_RESENT = 10_000  # events of one request
PERMISSION = "shipcrowd_webhooks.operate_endpoint"

_RESEND = f"""
WITH chosen AS (
    SELECT event.id, event.shipment_id, event.position, event.created_at
    FROM {Event._meta.db_table} AS event
    WHERE event.company_id = %(company)s AND event.is_test = %(is_test)s
        AND event.position IS NOT NULL
        AND (%(event)s::text IS NULL OR event.id = %(event)s)
        AND (%(since)s::timestamptz IS NULL OR (
            event.created_at >= %(since)s
            AND %(events)s::varchar[] && ARRAY['*', event.type]::varchar[]
        ))
        AND (event.type <> 'ping' OR event.data ->> 'endpoint' = %(endpoint)s)
    ORDER BY event.position
    LIMIT %(limit)s
), made AS (
    INSERT INTO {WebhookDelivery._meta.db_table} AS delivery
        (endpoint_id, event_id, ordered_by, position, state)
    SELECT %(endpoint)s, id, shipment_id, position, 'pending' FROM chosen ORDER BY position
    ON CONFLICT (event_id, endpoint_id) DO UPDATE
    SET state = 'pending', attempts = CASE WHEN delivery.state = 'pending'
            THEN delivery.attempts ELSE 0 END,
        next_attempt_at = statement_timestamp()
)
SELECT count(*), max(created_at) FROM chosen
"""  # noqa: S608 - the tables' own names


class TooManyEndpoints(Exception):
    """The company has MAX_ENDPOINTS endpoints of this mode."""


class EndpointIsDisabled(Exception):
    """Nothing is sent to the endpoint until it is enabled."""


@dataclass(frozen=True, slots=True)
class Resent:
    """How many events are sent again. `until` is the time of the last one, None without any."""

    count: int
    until: dt.datetime | None


def create(company: Company, *, is_test: bool, values: Mapping[str, Any]) -> WebhookEndpoint:
    """Create an endpoint with a new secret. It is sent what happens from now on.

    Raises TooManyEndpoints.
    """
    with transaction.atomic():
        # The lock on the company keeps two requests from taking the last place.
        Company.objects.select_for_update(no_key=True).get(pk=company.pk)
        if company.webhook_endpoints.filter(is_test=is_test).count() >= MAX_ENDPOINTS:
            raise TooManyEndpoints
        endpoint = WebhookEndpoint(
            company=company, is_test=is_test, secret=new_secret(),
            read_to=last_position(company.pk, is_test=is_test), **_without_enabled(values),
        )  # fmt: skip
        if not values.get("enabled", True):
            disable(endpoint, DisabledBy.HAND)
        endpoint.save()
        record_change(endpoint, None, _recorded(endpoint, values))
    return endpoint


def change(endpoint: WebhookEndpoint, values: Mapping[str, Any]) -> None:
    """Change an endpoint; `enabled` enables it, or disables it by hand."""
    with transaction.atomic():
        locked = _lock(endpoint)
        before = values_of(locked, values)
        if before and "url" in before:
            before["url"] = locked.shown_url
        for name, value in _without_enabled(values).items():
            setattr(locked, name, value)
        if values.get("enabled") is False:
            disable(locked, DisabledBy.HAND)
        if values.get("enabled") is True:
            _enable(locked)
        locked.save()
        record_change(locked, before, _recorded(locked, values))
    endpoint.refresh_from_db()


def enable(endpoint: WebhookEndpoint, *, actor: Any = None, reason: str = "") -> bool:
    """Enable an endpoint again. It is sent what has happened since it was disabled.

    Returns False for one that is enabled. Raises DoesNotExist for one that was deleted.
    """
    with transaction.atomic():
        locked = _lock(endpoint)
        was_disabled = not locked.enabled
        if was_disabled:
            record(
                locked, "enable_endpoint", actor=actor, reason=reason,
                details={"disabled_by": locked.disabled_by},
            )  # fmt: skip
            _enable(locked)
            locked.save()
    endpoint.refresh_from_db()
    return was_disabled


def leave_disabled(endpoint: WebhookEndpoint, *, actor: Any = None, reason: str = "") -> bool:
    """Make the platform's disabling that of a person, who has decided that it stays so.

    Returns False, and changes nothing, for one that is enabled by now or was disabled by hand.
    Raises DoesNotExist for one that was deleted.
    """
    with transaction.atomic():
        if _lock(endpoint).disabled_by in (DisabledBy.NOTHING, DisabledBy.HAND):
            return False
        disable_by_hand(endpoint, actor=actor, reason=reason)
    return True


def disable_by_hand(endpoint: WebhookEndpoint, *, actor: Any = None, reason: str = "") -> None:
    """Send the endpoint nothing until it is enabled. One that is disabled stays so."""
    with transaction.atomic():
        locked = _lock(endpoint)
        if locked.disabled_by != DisabledBy.HAND:
            disable(locked, DisabledBy.HAND)
            locked.save()
            record(
                locked, "disable_endpoint", actor=actor, reason=reason,
                details={"disabled_by": locked.disabled_by},
            )  # fmt: skip
    endpoint.refresh_from_db()


def rotate_secret(endpoint: WebhookEndpoint, overlap: dt.timedelta) -> str:
    """Give the endpoint a new secret, and return it. Both are signed with until `overlap` is over.

    A secret from before the previous one ends at once.
    """
    with transaction.atomic():
        locked = _lock(endpoint)
        secret = new_secret()
        if overlap:
            locked.previous_secret = locked.secret
            locked.previous_secret_until = timezone.now() + overlap
        else:
            locked.previous_secret, locked.previous_secret_until = "", None
        locked.secret = secret
        locked.save()
        record(
            locked, "rotate_endpoint_secret",
            details={"overlap_seconds": int(overlap.total_seconds())},
        )  # fmt: skip
    endpoint.refresh_from_db()
    return secret


def delete(endpoint: WebhookEndpoint) -> None:
    """Delete an endpoint, and what was to be delivered to it."""
    with transaction.atomic():
        locked = _lock(endpoint)
        record(locked, "delete", before={"url": locked.shown_url, "events": locked.events})
        WebhookDelivery.objects.filter(endpoint=locked).delete()
        locked.delete()


def ping(endpoint: WebhookEndpoint, *, actor: Any = None, reason: str = "") -> Event:
    """Have the event `ping` sent to this endpoint alone. Raises EndpointIsDisabled."""
    if not endpoint.enabled:
        raise EndpointIsDisabled
    with transaction.atomic():
        record(endpoint, "test_endpoint", actor=actor, reason=reason)
        return Event.objects.create(
            company_id=endpoint.company_id, is_test=endpoint.is_test, type=EventType.PING,
            data={"endpoint": endpoint.pk},
        )  # fmt: skip


def resend(
    endpoint: WebhookEndpoint, *, event: str | None = None, since: dt.datetime | None = None,
    actor: Any = None, reason: str = "",
) -> Resent:  # fmt: skip
    """Send events again: one by its id, or those since a time that the endpoint wants.

    At most MAX_RESENT, oldest first. An event that is not the company's, or not of the endpoint's
    mode, is none.
    """
    if (event is None) == (since is None):
        raise ValueError("give either an event or a time")
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                _RESEND,
                {
                    "company": endpoint.company_id, "is_test": endpoint.is_test, "event": event,
                    "since": since, "events": endpoint.events, "endpoint": endpoint.pk,
                    "limit": MAX_RESENT,
                },
            )  # fmt: skip
            count, until = cursor.fetchone() or (0, None)
        if count:
            facts = {"event": event} if event else {"since": since}
            record(
                endpoint, "resend_events", actor=actor, reason=reason,
                details={**facts, "events": count},
            )  # fmt: skip
    return Resent(count, until)


def _lock(endpoint: WebhookEndpoint) -> WebhookEndpoint:
    return WebhookEndpoint.objects.select_for_update(no_key=True).get(pk=endpoint.pk)


def _enable(endpoint: WebhookEndpoint) -> None:
    """Change the row, and have what it has not taken tried anew."""
    if endpoint.enabled:
        return
    endpoint.enabled, endpoint.disabled_by, endpoint.disabled_at = True, DisabledBy.NOTHING, None
    endpoint.failures, endpoint.failing_since = 0, None
    endpoint.next_attempt_at, endpoint.is_slow = timezone.now(), True
    waiting = endpoint.deliveries.filter(state=DeliveryState.PENDING)
    # The attempts of one that is on its way tell whose it is.
    tried = waiting.filter(attempts__gt=0, lease_expires_at__isnull=True)
    tried.update(attempts=0, next_attempt_at=Now())


def _without_enabled(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name != "enabled"}


def _recorded(endpoint: WebhookEndpoint, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values for the trail: of the URL without its query."""
    return {**values, **({"url": endpoint.shown_url} if "url" in values else {})}
