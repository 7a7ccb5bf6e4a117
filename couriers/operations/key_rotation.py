"""Key rotation: everything that is encrypted is encrypted anew with the first of FERNET_KEYS.

The encrypted fields of every installed app are found by their type. A batch is a short transaction
that locks its rows in the order of their keys, so that it overwrites nothing that is written
meanwhile. What the first key reads already is left as it is, so a second run writes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.apps import apps
from django.db import connection, transaction
from django.db.models import BinaryField, Model
from django.db.models.functions import Cast
from fernet_fields import EncryptedField
from psycopg.sql import SQL, Identifier

BATCH = 200  # rows in one transaction, which takes some tenths of a second
Progress = Callable[[int], None]


@dataclass(slots=True)
class Rotated:
    """What a rotation did: values read, values encrypted anew, and values that no key can read.

    The latter are left as they are.
    """

    values: int = 0
    rotated: int = 0
    unreadable: int = 0


def encrypted_fields() -> Iterator[tuple[type[Model], list[EncryptedField]]]:
    """Every model that has encrypted fields, with those fields."""
    for model in apps.get_models(include_auto_created=True):
        fields = [f for f in model._meta.local_concrete_fields if isinstance(f, EncryptedField)]
        if fields and not model._meta.proxy:
            yield model, fields


def forget_keys() -> None:
    """Have every encrypted field read FERNET_KEYS again; a field reads it once a process."""
    for _, fields in encrypted_fields():
        for field in fields:
            for cached in ("keys", "fernet_keys", "fernet"):
                field.__dict__.pop(cached, None)


def count_rows() -> int:
    """How many rows a rotation reads."""
    return sum(model._base_manager.count() for model, _ in encrypted_fields())


def rotate(progress: Progress = lambda rows: None) -> Rotated:
    """Encrypt with the first key what is encrypted with another one.

    Can be run twice. Can be run while the platform works, once every process has the new key.
    `progress` is told of the rows as they are done.
    """
    done = Rotated()
    for model, fields in encrypted_fields():
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
    """Rotate the rows after the key `after`; returns the last key and the number of rows."""
    with transaction.atomic():
        found = model._base_manager.order_by("pk")
        if after is not None:
            found = found.filter(pk__gt=after)
        tokens = [Cast(field.name, BinaryField()) for field in fields]
        # A weaker lock: rows that refer to these can be inserted meanwhile.
        locked = found.select_for_update(of=("self",), no_key=True)
        batch = list(locked.values_list("pk", *tokens)[:BATCH])
        changed = []
        for pk, *stored in batch:
            pairs = zip(fields, stored, strict=True)
            reencrypted = [_reencrypted(field, token, done) for field, token in pairs]
            if reencrypted != stored:
                changed.append([*reencrypted, pk])
        _write(model, fields, changed)
    return (batch[-1][0], len(batch)) if batch else (None, 0)


def _write(model: type[Model], fields: list[EncryptedField], rows: list[list[Any]]) -> None:
    """Store encrypted values. In an update by the ORM the fields would encrypt them again."""
    statement = SQL("UPDATE {} SET {} WHERE {} = %s").format(
        Identifier(model._meta.db_table),
        SQL(", ").join(SQL("{} = %s").format(Identifier(field.column)) for field in fields),
        Identifier(str(model._meta.pk.column)),
    )
    with connection.cursor() as cursor:
        cursor.executemany(statement, rows)


def _reencrypted(field: EncryptedField, token: bytes | None, done: Rotated) -> bytes | None:
    """The value under the first key; unchanged where that key reads it, or where no key does."""
    if token is None:
        return None
    token = bytes(token)
    done.values += 1
    keys = [Fernet(key) for key in field.fernet_keys]
    if _reads(keys[0], token):
        return token
    try:
        rotated = MultiFernet(keys).rotate(token)
    except InvalidToken:
        done.unreadable += 1
        return token
    done.rotated += 1
    return rotated


def _reads(key: Fernet, token: bytes) -> bool:
    try:
        key.decrypt(token)
    except InvalidToken:
        return False
    return True
