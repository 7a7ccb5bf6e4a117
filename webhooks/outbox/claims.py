"""Claiming deliveries that are due, so that no endpoint takes the room of another.

An endpoint has few deliveries in flight at once. One that is slow has fewer, and one that fails has
one. Prompt and slow endpoints are claimed apart, each in turn: those that were served longest ago
first. The deliveries of a shipment to an endpoint are claimed one after the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models.functions import Now

from webhooks.outbox.models import WebhookDelivery, WebhookEndpoint

# How many deliveries to one endpoint are in flight at once, in all processes together.
PROMPT_IN_FLIGHT, SLOW_IN_FLIGHT, PROBES = 8, 2, 1
PROBED_FROM = 3  # failures in a row, from which on an endpoint is probed
# Seconds after which a worker that has not said what came of its delivery is taken for dead. It is
# several times as long as a call may last.
LEASE = 60

_ENDPOINT, _DELIVERY = WebhookEndpoint._meta.db_table, WebhookDelivery._meta.db_table
_DUE = """
    delivery.endpoint_id = endpoint.id AND delivery.state = 'pending'
    AND delivery.next_attempt_at <= statement_timestamp()
    AND (delivery.lease_expires_at IS NULL OR delivery.lease_expires_at <= statement_timestamp())
"""
_ALLOWED = f"""
    CASE WHEN endpoint.failures >= {PROBED_FROM} THEN {PROBES}
        WHEN endpoint.is_slow THEN {SLOW_IN_FLIGHT} ELSE {PROMPT_IN_FLIGHT} END - (
        SELECT count(*) FROM {_DELIVERY} AS sent
        WHERE sent.endpoint_id = endpoint.id AND sent.lease_expires_at > statement_timestamp()
    )
"""  # noqa: S608 - the table's own name
_LOCK = f"""
SELECT endpoint.id FROM {_ENDPOINT} AS endpoint
WHERE endpoint.enabled AND endpoint.is_slow = %s
    AND endpoint.next_attempt_at <= statement_timestamp()
    AND (
        SELECT min(delivery.next_attempt_at) FROM {_DELIVERY} AS delivery
        WHERE delivery.endpoint_id = endpoint.id AND delivery.state = 'pending'
    ) <= statement_timestamp()
    AND {_ALLOWED} > 0
ORDER BY endpoint.served_at NULLS FIRST, endpoint.id
LIMIT %s
FOR NO KEY UPDATE SKIP LOCKED
"""  # noqa: S608 - the tables' own names
# A statement of its own: it sees what was committed before the endpoints were locked. What is
# claimed is not due until the lease is over. The ids are an array, so that PostgreSQL looks each of
# them up: it expects far more rows of a limit that it computes, and would read the whole table.
_CLAIM = f"""
UPDATE {_DELIVERY} AS claimed
SET lease_expires_at = statement_timestamp() + %(lease)s * interval '1 second',
    next_attempt_at = statement_timestamp() + %(lease)s * interval '1 second',
    attempts = claimed.attempts + 1
WHERE claimed.id = ANY(ARRAY(
    SELECT next.id FROM {_ENDPOINT} AS endpoint CROSS JOIN LATERAL (
        SELECT delivery.id FROM {_DELIVERY} AS delivery
        WHERE {_DUE} AND (
            delivery.ordered_by IS NULL OR NOT EXISTS (
                SELECT FROM {_DELIVERY} AS earlier
                WHERE earlier.endpoint_id = delivery.endpoint_id AND earlier.state = 'pending'
                    AND earlier.ordered_by = delivery.ordered_by
                    AND earlier.position < delivery.position
            )
        )
        ORDER BY delivery.next_attempt_at, delivery.position
        LIMIT greatest(0, least(%(places)s, {_ALLOWED}))
    ) AS next
    WHERE endpoint.id = ANY(%(endpoints)s)
))
RETURNING claimed.id
"""  # noqa: S608 - the tables' own names


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that this worker is to send. `delivery` has its endpoint and its event."""

    delivery: WebhookDelivery
    is_slow: bool


def claim(limit: int, *, slow: bool) -> list[Claimed]:
    """Claim up to `limit` deliveries that are due, to endpoints that are slow, or to prompt ones.

    Each endpoint that has work gets a place before one gets a second.
    """
    if limit < 1:
        return []
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_LOCK, [slow, limit])
        endpoints = [pk for (pk,) in cursor.fetchall()]
        if not endpoints:
            return []
        places = max(1, limit // len(endpoints))
        cursor.execute(_CLAIM, {"lease": LEASE, "places": places, "endpoints": endpoints})
        claimed = [pk for (pk,) in cursor.fetchall()]
        WebhookEndpoint.objects.filter(pk__in=endpoints).update(served_at=Now())
    return [Claimed(delivery, slow) for delivery in _read(claimed)]


def _read(claimed: Sequence[int]) -> list[WebhookDelivery]:
    rows = WebhookDelivery.objects.select_related("endpoint", "event").filter(pk__in=claimed)
    return list(rows.order_by("position"))
