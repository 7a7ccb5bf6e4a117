"""Storing callbacks: one INSERT and one commit for each, and one row for each distinct content.

The body is encrypted before it is sent to the database. Only a repeat needs a second statement,
which makes a failed or dead event due again. The times are the database's, by which workers find
what is due.
"""

from __future__ import annotations

import enum
from typing import Any

from django.db import DatabaseError, InterfaceError, connection

from couriers.contract.logs import get_logger
from couriers.contract.receiver import Topic, WebhookReceiver
from couriers.models.fields import EncryptedBytesField
from couriers.resilience.database import is_outage
from webhooks.models import EventState, WebhookEvent
from webhooks.payloads import (
    UnreadableBody,
    body_hash,
    content_hash,
    keyed_hash,
    parse_body,
    parse_exact,
)
from webhooks.prepared_statements import prepared_cursor

log = get_logger(__name__)

_TABLE = WebhookEvent._meta.db_table
_BODY: EncryptedBytesField = WebhookEvent._meta.get_field("body")
# ON CONFLICT DO UPDATE could requeue the row in the same statement. It would make every insert a
# fifth slower, and a repeat would wait for the batch that holds its event's row.
_INSERT = f"""
INSERT INTO {_TABLE}
    (account_id, topic, content_hash, body, state, attempts, next_attempt_at, reason, received_at,
    request_id)
VALUES (%(account)s, %(topic)s, %(hash)s, %(body)s, %(state)s, 0, statement_timestamp(),
    %(reason)s, statement_timestamp(), %(request)s)
ON CONFLICT (account_id, content_hash) DO NOTHING
"""  # noqa: S608 - the table's own name
# A repeat requeues a failed or dead event and changes no other. A dead event also gets a new
# received_at, so that it waits for its shipment as long as a new one. A row that a worker has
# locked is skipped: the worker is applying it already, and the courier's request does not wait.
_REQUEUE = f"""
UPDATE {_TABLE}
SET state = '{EventState.PENDING}', attempts = 0, reason = '',
    next_attempt_at = statement_timestamp(),
    received_at = CASE state
        WHEN '{EventState.DEAD}' THEN statement_timestamp() ELSE received_at END
WHERE id = (
    SELECT id FROM {_TABLE}
    WHERE account_id = %(account)s AND content_hash = %(hash)s
        AND state IN ('{EventState.FAILED}', '{EventState.DEAD}')
    FOR UPDATE SKIP LOCKED
)
"""  # noqa: S608 - the table's own name and constants of the code


class StoreResult(enum.StrEnum):
    """What storing a callback did: `pending` is due, `repeated` changed nothing, `dead` is kept."""

    PENDING = "pending"
    REPEATED = "repeated"
    DEAD = "dead"


def store_callback(
    account_id: str,
    receiver: WebhookReceiver,
    body: bytes,
    path_topic: Topic | None = None,
    *,
    request_id: str = "",
) -> tuple[Topic, StoreResult]:
    """Store a verified callback in autocommit and return its topic and the result.

    A body that cannot be parsed is stored as dead. `path_topic` is the topic of the path, whose
    secret the body was signed with. It overrides the body's topic only where the body says
    "created" and the path "recreated". `request_id` is that of the request, by which log lines are
    found. Raises an error of the database when it cannot serve (couriers.resilience.database).
    """
    try:
        payload = parse_body(body)
        topic = _topic(receiver, payload)
        if topic == Topic.SHIPMENT_CREATED and path_topic == Topic.SHIPMENT_RECREATED:
            topic, overriding_topic = path_topic, path_topic.value
        else:
            overriding_topic = ""
        digest = content_hash(parse_exact(body, payload), overriding_topic)
        state, reason = EventState.PENDING, ""
    except UnreadableBody as error:
        topic, digest, state = Topic.UNKNOWN, body_hash(body), EventState.DEAD
        reason = f"The body {error}"[:500].replace("\x00", "")
    values = {
        "account": account_id, "topic": topic.value, "hash": keyed_hash(account_id, digest),
        "body": _BODY.encrypt(body), "state": state.value, "reason": reason,
        "request": request_id,
    }  # fmt: skip
    if _execute(_INSERT, values):
        return topic, StoreResult.PENDING if state == EventState.PENDING else StoreResult.DEAD
    if state == EventState.PENDING and _execute(_REQUEUE, values):
        return topic, StoreResult.PENDING
    return topic, StoreResult.REPEATED


def _topic(receiver: WebhookReceiver, payload: dict[str, Any]) -> Topic:
    try:
        return receiver.topic_of(payload)
    except Exception as error:  # noqa: BLE001 - a plug-in's fault must not lose the callback
        log.error("topic_failed", error=type(error).__name__)
        return Topic.UNKNOWN


def _execute(statement: str, values: dict[str, Any]) -> int:
    """Execute the statement and return how many rows changed.

    If the connection has broken or is read-only, it is replaced and the statement is sent once
    more. Both statements can be repeated without harm.
    """
    for last in (False, True):
        try:
            with prepared_cursor() as cursor:
                cursor.execute(statement, values)
                return int(cursor.rowcount)
        except (DatabaseError, InterfaceError) as error:
            if last or connection.in_atomic_block or not is_outage(error):
                raise
            connection.close()
    raise AssertionError("unreachable")
