"""Values in the database that no key of FERNET_KEYS opens, written past the ORM."""

from __future__ import annotations

from cryptography.fernet import Fernet
from django.db import connection
from django.db.models import Model


def make_unreadable(row: Model, *fields: str) -> bytes:
    """Encrypt the row's fields with another installation's key; return what is stored then."""
    token = Fernet(Fernet.generate_key()).encrypt(b"unreadable")
    table, key = row._meta.db_table, row._meta.pk.column
    with connection.cursor() as cursor:
        for field in fields:
            cursor.execute(f"UPDATE {table} SET {field} = %s WHERE {key} = %s", [token, row.pk])
    return token


def stored(row: Model, field: str) -> bytes:
    """Return the bytes in the row's column."""
    table, key = row._meta.db_table, row._meta.pk.column
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {field} FROM {table} WHERE {key} = %s", [row.pk])
        return bytes(cursor.fetchone()[0])
