"""The order in which events are read.

Transactions are committed in another order than they wrote their events in, so who reads by
`Event.number` up to the last one may pass over an event that is committed after it. Therefore an
event has a position, which it gets once it is committed, from one process at a time. A reader by
position misses none: whatever gets a position later is after all that have one.

Who wants the newest events calls `number_events` first: the API's list, and the outbox.
"""

from __future__ import annotations

from django.db import DatabaseError, connection, transaction

from couriers.models import Event
from couriers.models.event import POSITIONS
from couriers.resilience.database import Outage, leave_connection, outage_of

BATCH = 5000  # events that get their positions in one transaction
BATCHES = 1000  # of one call
LOCK = 6_041_952_208_301_774_113  # of PostgreSQL's advisory locks, for nothing else
_TABLE = Event._meta.db_table
# The sequence is asked once for each event, in the order of their numbers.
_PLACE = f"""
WITH waiting AS (
    SELECT id FROM {_TABLE} WHERE position IS NULL ORDER BY number LIMIT %s
), placed AS (
    SELECT id, nextval('{POSITIONS}') AS position FROM waiting
)
UPDATE {_TABLE} AS event SET position = placed.position
FROM placed WHERE event.id = placed.id
"""  # noqa: S608 - the table's own name


def number_events(batches: int = BATCHES) -> int:
    """Give positions to committed events that have none, in this many batches; return how many.

    Does nothing while another process does it. Call outside a transaction.
    """
    numbered = 0
    for _ in range(batches):
        count = _number_batch()
        numbered += count
        if count < BATCH:
            break
    return numbered


def number_events_for_reader() -> None:
    """Give the newest events their positions before somebody reads, where that can be done.

    One batch at most, so that the reader does not wait for long. A database that is read-only has
    the events before.
    """
    if not Event.objects.filter(position__isnull=True).exists():
        return
    try:
        number_events(batches=1)
    except DatabaseError as error:
        if outage_of(error) is not Outage.READ_ONLY:
            raise
        leave_connection(error)


def _number_batch() -> int:
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        # A statement of its own: the next one sees what the former holder of the lock committed.
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            return 0
        cursor.execute(_PLACE, [BATCH])
        return int(cursor.rowcount)
