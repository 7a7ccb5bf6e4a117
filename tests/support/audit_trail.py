"""Emptying the audit trail in tests, whose database refuses that otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from couriers.models import AuditEntry

AUDIT = AuditEntry._meta.db_table


@contextmanager
def emptied_audit_trail() -> Iterator[None]:
    """Let the trail be emptied inside, as Django's flush does after a transactional test.

    The role of the database must own the table, since only an owner may switch its triggers off.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {AUDIT} DISABLE TRIGGER USER")
        try:
            yield
        finally:
            cursor.execute(f"ALTER TABLE {AUDIT} ENABLE TRIGGER USER")
