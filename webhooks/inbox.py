"""Putting a callback into the inbox: one statement, one commit, once for each content.

Only a repeat takes a second one, which makes an event that failed due again.
"""

from __future__ import annotations

import enum
from typing import Any

import structlog
from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

from couriers.contract.receiver import Topic, WebhookReceiver
from webhooks.models import EventState, WebhookEvent
from webhooks.payloads import NotAnEvent, content_hash, exact, raw_hash, read
from webhooks.statements import prepared_cursor

log = structlog.get_logger(__name__)

_TABLE = WebhookEvent._meta.db_table
# To have the conflict make the row due again in the same statement would cost each insert a fifth
# of its time, and have repeats wait for the batch that their event is in.
_INSERT = f"""
INSERT INTO {_TABLE}
    (account_id, topic, content_hash, body, state, attempts, next_attempt_at, reason, received_at)
VALUES (%(account)s, %(topic)s, %(hash)s, %(body)s, %(state)s, 0, %(now)s, %(reason)s, %(now)s)
ON CONFLICT (account_id, content_hash) DO NOTHING
"""  # noqa: S608 - the table's own name
# A repeat of an event that failed makes it due again; any other repeat changes nothing. One that
# had been given up has come anew, and waits for its shipment anew. One that a worker has in its
# hands is being tried already: the courier is not kept waiting for that.
_REVIVE = f"""
UPDATE {_TABLE}
SET state = '{EventState.PENDING}', attempts = 0, next_attempt_at = %(now)s, reason = '',
    received_at = CASE state WHEN '{EventState.DEAD}' THEN %(now)s ELSE received_at END
WHERE id = (
    SELECT id FROM {_TABLE}
    WHERE account_id = %(account)s AND content_hash = %(hash)s
        AND state IN ('{EventState.FAILED}', '{EventState.DEAD}')
    FOR UPDATE SKIP LOCKED
)
"""  # noqa: S608 - the table's own name and constants of the code


class Taken(enum.StrEnum):
    """What became of a callback that was taken in: `pending` is due, `repeated` changed nothing."""

    PENDING = "pending"
    REPEATED = "repeated"
    DEAD = "dead"


def take_in(
    account_id: str, receiver: WebhookReceiver, body: bytes, hint: Topic | None = None
) -> tuple[Topic, Taken]:
    """Store an authentic callback, in autocommit. One that cannot be read is stored as dead.

    `hint` is the topic that the callback's own URL was registered for. It is believed where it
    says more of a creation than the body does: that it is a recreation.
    """
    try:
        payload = read(body)
        topic = _topic(receiver, payload)
        if topic == Topic.SHIPMENT_CREATED and hint == Topic.SHIPMENT_RECREATED:
            topic, told = hint, hint.value
        else:
            told = ""
        digest = content_hash(exact(body, payload), told)
        state, reason = EventState.PENDING, ""
    except NotAnEvent as error:
        topic, digest, state = Topic.UNKNOWN, raw_hash(body), EventState.DEAD
        reason = f"The body {error}"[:500].replace("\x00", "")
    values = {
        "account": account_id, "topic": topic.value, "hash": digest, "body": body,
        "state": state.value, "now": timezone.now(), "reason": reason,
    }  # fmt: skip
    if _write(_INSERT, values):
        return topic, Taken.PENDING if state == EventState.PENDING else Taken.DEAD
    if state == EventState.PENDING and _write(_REVIVE, values):
        return topic, Taken.PENDING
    return topic, Taken.REPEATED


def _topic(receiver: WebhookReceiver, payload: dict[str, Any]) -> Topic:
    try:
        return receiver.topic_of(payload)
    except Exception as error:  # noqa: BLE001 - a plug-in's fault must not lose the callback
        log.error("topic_failed", error=type(error).__name__)
        return Topic.UNKNOWN


def _write(statement: str, values: dict[str, Any]) -> int:
    """Execute the statement; answers how many rows changed.

    A connection that broke meanwhile is replaced once: to send the statement twice does no harm.
    """
    for last in (False, True):
        try:
            with prepared_cursor() as cursor:
                cursor.execute(statement, values)
                return int(cursor.rowcount)
        except (OperationalError, InterfaceError):
            if last or connection.in_atomic_block:
                raise
            connection.close()
    raise AssertionError("unreachable")
