"""Putting a callback into the inbox: one statement, one commit, once for each content."""

from __future__ import annotations

from django.db import connection
from django.utils import timezone

from couriers.receiver import Topic, WebhookReceiver
from webhooks.models import EventState, WebhookEvent
from webhooks.payloads import NotAnEvent, content_hash, raw_hash, read

# A repeat of an event that failed makes it pending again; any other repeat changes nothing.
_INSERT = f"""
INSERT INTO {WebhookEvent._meta.db_table} AS event
    (account_id, topic, content_hash, body, state, attempts, next_attempt_at, reason, received_at)
VALUES (%s, %s, %s, %s, %s, 0, %s, %s, %s)
ON CONFLICT (account_id, content_hash) DO UPDATE
    SET state = excluded.state, attempts = 0, next_attempt_at = excluded.next_attempt_at,
        reason = ''
    WHERE event.state IN ('{EventState.FAILED}', '{EventState.DEAD}')
      AND excluded.state = '{EventState.PENDING}'
"""  # noqa: S608 - the table's own name and constants of the code


def take_in(account_id: str, receiver: WebhookReceiver, body: bytes) -> tuple[Topic, EventState]:
    """Store an authentic callback, in autocommit. One that cannot be read is stored as dead."""
    now = timezone.now()
    try:
        payload = read(body)
        topic = receiver.topic_of(payload)
        digest, state, reason = content_hash(payload), EventState.PENDING, ""
    except NotAnEvent as error:
        topic, digest, state = Topic.UNKNOWN, raw_hash(body), EventState.DEAD
        reason = f"The body {error}"[:500].replace("\x00", "")
    with connection.cursor() as cursor:
        cursor.execute(
            _INSERT, [account_id, topic.value, digest, body, state.value, now, reason, now]
        )
    return topic, state
