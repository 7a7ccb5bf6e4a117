"""Key rotation: encrypts every encrypted value again with the first of FERNET_KEYS.

The encrypted fields of every installed app are found by their type. A batch is a short transaction
that locks its rows, so that it overwrites no concurrent change. A value that the first key can
decrypt is left unchanged, so a second run writes nothing. The fingerprints of logins and the hashes
of phones are keyed by FERNET_KEYS, too, and are written anew at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.apps import apps
from django.db import connection, transaction
from django.db.models import BinaryField, Model
from django.db.models.functions import Cast
from fernet_fields import EncryptedField
from psycopg.sql import SQL, Identifier

from couriers.contract.platform_errors import UnreadableValue
from couriers.models import CourierAccount, Shipment
from couriers.models.phones import stored_phone_hash

BATCH = 200  # rows in one transaction, which takes less than a second
NEWEST = 5  # rows of a model by which the keys are checked
Progress = Callable[[int], None]


@dataclass(slots=True)
class Rotated:
    """How many values were read, encrypted again, and left because no key can decrypt them."""

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
    """Make every encrypted field read FERNET_KEYS again. A field caches its keys in the process."""
    for _, fields in encrypted_fields():
        for field in fields:
            for cached in ("keys", "fernet_keys", "fernet"):
                field.__dict__.pop(cached, None)


def count_rows() -> int:
    """The number of rows that a rotation reads."""
    return sum(model._base_manager.count() for model, _ in encrypted_fields())


def can_read_accounts() -> bool:
    """Whether FERNET_KEYS of this process open what is stored: one of the newest accounts, if any.

    One row that a misconfigured process wrote says nothing of this process, so several are read.
    """
    field = _field(CourierAccount, "login")
    tokens = _newest(CourierAccount, field)
    return not tokens or any(_opens(field, token) for token in tokens)


def unreadable_fields() -> list[str]:
    """The encrypted fields, as `model.field`, with a value among the newest that no key opens."""
    return [
        f"{model._meta.model_name}.{field.name}"
        for model, fields in encrypted_fields()
        for field in fields
        if not all(_opens(field, token) for token in _newest(model, field))
    ]


def rotate(progress: Progress = lambda rows: None) -> Rotated:
    """Encrypt with the first key every value that is encrypted with another key.

    It may be repeated. It may run beside the platform's processes, once all of them have the new
    key. `progress` is called with the number of rows of each batch.
    """
    done = Rotated()
    for model, fields in encrypted_fields():
        last = None
        while True:
            last, count = _rotate_batch(model, fields, last, done)
            if not count:
                break
            progress(count)
    _renew_fingerprints()
    _renew_phone_hashes()
    return done


def _renew_fingerprints() -> None:
    """Write the fingerprint of each login anew. An account whose login cannot be read keeps its."""
    for pk in list(CourierAccount.objects.order_by("pk").values_list("pk", flat=True)):
        with suppress(UnreadableValue, CourierAccount.DoesNotExist), transaction.atomic():
            account = CourierAccount.objects.select_for_update(no_key=True).get(pk=pk)
            found = account.login_fingerprints()
            if account.login_fingerprint in found[1:]:
                CourierAccount.objects.filter(pk=pk).update(login_fingerprint=found[0])


def _renew_phone_hashes() -> None:
    """Write the hash of each phone anew, also where it is missing.

    A phone that no key decrypts keeps its hash.
    """
    field, last = _field(Shipment, "consignee_phone"), ""
    while True:
        with transaction.atomic():
            found = Shipment.objects.filter(pk__gt=last, erased_at__isnull=True).order_by("pk")
            locked = found.select_for_update(of=("self",), no_key=True)
            token = Cast("consignee_phone", BinaryField())
            batch = list(locked.values_list("pk", "phone_hash", token)[:BATCH])
            for pk, stored, encrypted in batch:
                with suppress(InvalidToken):
                    phone = field.fernet.decrypt(bytes(encrypted)).decode()
                    if (renewed := stored_phone_hash(phone)) != stored:
                        Shipment.objects.filter(pk=pk).update(phone_hash=renewed)
        if not batch:
            return
        last = batch[-1][0]


def _rotate_batch(
    model: type[Model], fields: list[EncryptedField], after: object, done: Rotated
) -> tuple[object, int]:
    """Rotate the rows after the primary key `after`; return the last key and the number of rows."""
    with transaction.atomic():
        found = model._base_manager.order_by("pk")
        if after is not None:
            found = found.filter(pk__gt=after)
        tokens = [Cast(field.name, BinaryField()) for field in fields]
        # With no_key, rows that refer to these can be inserted at the same time.
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
    """Store encrypted values by SQL. The ORM would encrypt them again."""
    statement = SQL("UPDATE {} SET {} WHERE {} = %s").format(
        Identifier(model._meta.db_table),
        SQL(", ").join(SQL("{} = %s").format(Identifier(field.column)) for field in fields),
        Identifier(str(model._meta.pk.column)),
    )
    with connection.cursor() as cursor:
        cursor.executemany(statement, rows)


def _reencrypted(field: EncryptedField, token: bytes | None, done: Rotated) -> bytes | None:
    """The value encrypted with the first key; unchanged where that key or no key decrypts it."""
    if token is None:
        return None
    token = bytes(token)
    done.values += 1
    keys = [Fernet(key) for key in field.fernet_keys]
    if _can_decrypt(keys[0], token):
        return token
    try:
        rotated = MultiFernet(keys).rotate(token)
    except InvalidToken:
        done.unreadable += 1
        return token
    done.rotated += 1
    return rotated


def _field(model: type[Model], name: str) -> EncryptedField:
    field: EncryptedField = model._meta.get_field(name)
    return field


def _newest(model: type[Model], field: EncryptedField) -> list[bytes]:
    """The stored values of the newest rows, still encrypted."""
    tokens = model._base_manager.order_by("-pk").values_list(Cast(field.name, BinaryField()))
    return [bytes(token) for (token,) in tokens[:NEWEST] if token is not None]


def _opens(field: EncryptedField, token: bytes) -> bool:
    return any(_can_decrypt(Fernet(key), token) for key in field.fernet_keys)


def _can_decrypt(key: Fernet, token: bytes) -> bool:
    try:
        key.decrypt(token)
    except InvalidToken:
        return False
    return True
