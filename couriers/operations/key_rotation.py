"""Re-encryption of whatever is encrypted, with the first of FERNET_KEYS.

The fields are found by their kind, in the tables of every app. A batch is a short transaction that
locks its rows in the order of their keys, so that nothing written meanwhile is overwritten and
nobody waits for long. What the first key reads already is left as it is: a second run writes
nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from django.apps import apps
from django.db import connection, transaction
from django.db.models import BinaryField, Model
from django.db.models.functions import Cast
from fernet_fields import EncryptedField
from psycopg.sql import SQL, Identifier

BATCH = 200  # rows locked at once, for some tenths of a second
Progress = Callable[[int], None]


@dataclass(slots=True)
class Rotated:
    """How many encrypted values were looked at, how many of them were written anew, and how many
    no key can read; those are left as they are.
    """

    values: int = 0
    rotated: int = 0
    unreadable: int = 0


def encrypted() -> Iterator[tuple[type[Model], list[EncryptedField]]]:
    """Every table with encrypted fields, and those fields."""
    for model in apps.get_models(include_auto_created=True):
        fields = [f for f in model._meta.local_concrete_fields if isinstance(f, EncryptedField)]
        if fields and not model._meta.proxy:
            yield model, fields


def forget_keys() -> None:
    """Have every encrypted field read FERNET_KEYS again; a field reads it once a process."""
    for _, fields in encrypted():
        for field in fields:
            for cached in ("keys", "fernet_keys", "fernet"):
                field.__dict__.pop(cached, None)


def rows() -> int:
    """How many rows there are to look at."""
    return sum(model._base_manager.count() for model, _ in encrypted())


def rotate(progress: Progress = lambda rows: None) -> Rotated:
    """Encrypt with the first key whatever is encrypted with another.

    Can be run twice, and while the platform works, once every process has the new key.
    """
    done = Rotated()
    for model, fields in encrypted():
        last = None
        while True:
            last, count = _rotate_batch(model, fields, last, done)
            if not count:
                break
            progress(count)
    return done


def _rotate_batch(
    model: type[Model], fields: list[EncryptedField], after: object, done: Rotated
) -> tuple[object, int]:
    """Rotate the next rows in the order of their keys; answers the last key and how many."""
    with transaction.atomic():
        found = model._base_manager.order_by("pk")
        if after is not None:
            found = found.filter(pk__gt=after)
        tokens = [Cast(field.name, BinaryField()) for field in fields]
        # No key changes, so that rows which refer to these can be inserted meanwhile.
        locked = found.select_for_update(of=("self",), no_key=True)
        batch = list(locked.values_list("pk", *tokens)[:BATCH])
        changed = []
        for pk, *stored in batch:
            pairs = zip(fields, stored, strict=True)
            renewed = [_renewed(field, token, done) for field, token in pairs]
            if renewed != stored:
                changed.append([*renewed, pk])
        _write(model, fields, changed)
    return (batch[-1][0], len(batch)) if batch else (None, 0)


def _write(model: type[Model], fields: list[EncryptedField], rows: list[list[Any]]) -> None:
    """Store values as they are: in an update of the ORM, the fields would encrypt them again."""
    statement = SQL("UPDATE {} SET {} WHERE {} = %s").format(
        Identifier(model._meta.db_table),
        SQL(", ").join(SQL("{} = %s").format(Identifier(field.column)) for field in fields),
        Identifier(str(model._meta.pk.column)),
    )
    with connection.cursor() as cursor:
        cursor.executemany(statement, rows)


def _renewed(field: EncryptedField, token: bytes | None, done: Rotated) -> bytes | None:
    """The value under the first key; as it is where that reads it already, or no key does."""
    if token is None:
        return None
    token = bytes(token)
    done.values += 1
    first = Fernet(field.fernet_keys[0])
    try:
        first.decrypt(token)
        return token
    except InvalidToken:
        pass
    try:
        text = field.fernet.decrypt(token)
    except InvalidToken:
        done.unreadable += 1
        return token
    done.rotated += 1
    return first.encrypt(text)
