"""Which errors say that PostgreSQL cannot serve now, and why it cannot.

Every door asks this module, because the classes alone do not tell: PostgreSQL's error for a
read-only database is an InternalError, and a connection that is refused has no SQLSTATE.
"""

from __future__ import annotations

import enum

import psycopg
from django.db import DatabaseError, InterfaceError, OperationalError, connection

RETRY_AFTER = 5  # seconds, for clients while PostgreSQL cannot serve


class Outage(enum.StrEnum):
    """Why PostgreSQL cannot serve now, in words for operators."""

    READ_ONLY = "read-only"
    OUT_OF_CONNECTIONS = "out of connections"
    OUT_OF_DISK = "out of disk"
    OUT_OF_RESOURCES = "out of memory or another resource"
    RESTARTING = "starting up or shutting down"
    BUSY = "a lock or a statement took too long"
    GONE = "no answer"


_BY_SQLSTATE = {
    "25006": Outage.READ_ONLY,
    "53000": Outage.OUT_OF_RESOURCES,
    "53100": Outage.OUT_OF_DISK,
    "53200": Outage.OUT_OF_RESOURCES,
    "53300": Outage.OUT_OF_CONNECTIONS,
    "53400": Outage.OUT_OF_RESOURCES,
    "57P01": Outage.RESTARTING,
    "57P02": Outage.RESTARTING,
    "57P03": Outage.RESTARTING,
}
# A connection that is refused has no SQLSTATE, only a message. It is in English unless the
# server's lc_messages is another language; then it counts as GONE.
_BY_WORDS = {
    "too many connections": Outage.OUT_OF_CONNECTIONS,
    "too many clients": Outage.OUT_OF_CONNECTIONS,
    "remaining connection slots": Outage.OUT_OF_CONNECTIONS,
    "is starting up": Outage.RESTARTING,
    "is shutting down": Outage.RESTARTING,
    "in recovery mode": Outage.RESTARTING,
    "not yet accepting connections": Outage.RESTARTING,
    "No space left on device": Outage.OUT_OF_DISK,
}
_LOST = (OperationalError, InterfaceError, psycopg.OperationalError, psycopg.InterfaceError)


def outage_of(error: BaseException | None) -> Outage | None:
    """Return why the database cannot serve, or None where the error says something else."""
    cause = error.__cause__ if isinstance(error, (DatabaseError, InterfaceError)) else None
    sqlstate = getattr(cause or error, "sqlstate", None)
    if sqlstate in _BY_SQLSTATE:
        return _BY_SQLSTATE[sqlstate]
    if not isinstance(error, _LOST):
        return None
    if sqlstate is not None and not sqlstate.startswith("08"):
        return Outage.BUSY
    message = str(error)
    return next((kind for words, kind in _BY_WORDS.items() if words in message), Outage.GONE)


def is_outage(error: BaseException | None) -> bool:
    """Whether the error says that the database cannot serve now. The work may be repeated."""
    return outage_of(error) is not None


def leave_connection(error: BaseException | None) -> None:
    """After an outage, close the thread's connection, so that the next work opens a new one.

    A kept connection stays read-only after its server was demoted, or after the setting that made
    it so is gone. Inside a transaction nothing is done: its end comes first.
    """
    if outage_of(error) not in (None, Outage.BUSY) and not connection.in_atomic_block:
        connection.close()
