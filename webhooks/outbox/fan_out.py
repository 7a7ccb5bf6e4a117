"""Which endpoint is sent which event: one row for each pair, and never a second one.

Each endpoint reads the events of its company and mode in the order of their positions, from where
it has read to. A position is given after the commit, in the order of reading, so none is missed.
"""

from __future__ import annotations

import datetime as dt

from django.db import connection, transaction

from couriers.models import Event, EventType
from webhooks.outbox.models import EVERY_EVENT, WebhookDelivery, WebhookEndpoint

ENDPOINTS = 500  # that are served by one statement
EVENTS = 1000  # of each of them: a company with many delays no other

_EVENT, _DELIVERY = Event._meta.db_table, WebhookDelivery._meta.db_table
_ENDPOINT = WebhookEndpoint._meta.db_table

# A ping is for the endpoint that it names. Rows of endpoints that another worker serves are
# skipped.
_FAN_OUT = f"""
WITH behind AS (
    SELECT endpoint.id, endpoint.company_id, endpoint.is_test, endpoint.events, endpoint.read_to
    FROM {_ENDPOINT} AS endpoint
    WHERE endpoint.enabled AND EXISTS (
        SELECT FROM {_EVENT} AS event
        WHERE event.company_id = endpoint.company_id AND event.is_test = endpoint.is_test
            AND event.position > endpoint.read_to
    )
    ORDER BY endpoint.id
    LIMIT %(endpoints)s
    FOR NO KEY UPDATE SKIP LOCKED
), found AS (
    SELECT behind.id AS endpoint_id, event.id AS event_id, event.shipment_id, event.position,
        CASE
            WHEN event.type = '{EventType.PING}' THEN event.data ->> 'endpoint' = behind.id
            ELSE behind.events && ARRAY['{EVERY_EVENT}', event.type]::varchar[]
        END AS is_wanted
    FROM behind CROSS JOIN LATERAL (
        SELECT * FROM {_EVENT} AS event
        WHERE event.company_id = behind.company_id AND event.is_test = behind.is_test
            AND event.position > behind.read_to
        ORDER BY event.position
        LIMIT %(events)s
    ) AS event
), added AS (
    INSERT INTO {_DELIVERY} (endpoint_id, event_id, ordered_by, position, state)
    SELECT endpoint_id, event_id, shipment_id, position, 'pending' FROM found WHERE is_wanted
    ORDER BY position
    ON CONFLICT (event_id, endpoint_id) DO NOTHING
), moved AS (
    UPDATE {_ENDPOINT} AS endpoint SET read_to = last.position
    FROM (SELECT endpoint_id, max(position) AS position FROM found GROUP BY endpoint_id) AS last
    WHERE endpoint.id = last.endpoint_id
)
SELECT count(*) FROM found
"""  # noqa: S608 - the tables' own names, and our own words

# Events of companies that wait for no endpoint are not unread.
_OLDEST_UNREAD = f"""
WITH answering AS (
    SELECT * FROM {_ENDPOINT} WHERE enabled AND failing_since IS NULL
)
SELECT min(created_at) FROM (
    SELECT event.created_at
    FROM answering CROSS JOIN LATERAL (
        SELECT * FROM {_EVENT} AS event
        WHERE event.company_id = answering.company_id AND event.is_test = answering.is_test
            AND event.position > answering.read_to
        ORDER BY event.position
        LIMIT 1
    ) AS event
    UNION ALL
    SELECT event.created_at FROM {_EVENT} AS event
    WHERE event.position IS NULL AND EXISTS (
        SELECT FROM answering
        WHERE answering.company_id = event.company_id AND answering.is_test = event.is_test
    )
) AS unread
"""  # noqa: S608 - the tables' own names


def fan_out() -> int:
    """Make deliveries of the next events of each endpoint that is enabled.

    Returns how many events were read for them; 0 where none is left, or another worker does it.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_FAN_OUT, {"endpoints": ENDPOINTS, "events": EVENTS})
        (count,) = cursor.fetchone() or (0,)
    return int(count)


def oldest_unread() -> dt.datetime | None:
    """Return the time of the oldest event that no fan-out has read for an endpoint that answers."""
    with connection.cursor() as cursor:
        cursor.execute(_OLDEST_UNREAD)
        (found,) = cursor.fetchone() or (None,)
    return found if isinstance(found, dt.datetime) else None


def last_position(company_id: int, *, is_test: bool) -> int:
    """Return the position of the company's last event of the mode, 0 before the first.

    Events without a position yet are not counted: they will have a later one.
    """
    positions = Event.objects.filter(company_id=company_id, is_test=is_test, position__isnull=False)
    return positions.order_by("-position").values_list("position", flat=True).first() or 0
