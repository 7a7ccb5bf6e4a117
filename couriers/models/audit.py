"""The audit trail: what people did, through every door. It is append-only, in the database too.

`record` is the one way to write it. Secrets, phones and addresses are never in it: a value with
such a name or in an encrypted column is written as "changed".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.exceptions import FieldDoesNotExist
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from fernet_fields import EncryptedField

from couriers.contract.text import make_storable
from couriers.models.account import Courier
from couriers.models.company import Company
from couriers.models.shipment import Shipment

HIDDEN = "changed"  # in the place of a value that the trail must not hold
_SECRET_WORD = re.compile(
    r"(^|_)(phones?|mobile|address(es)?|emails?|secrets?|passwords?\d?|tokens?|login|hash(ed)?|"
    r"fingerprint|otp|codes|key)($|_)"
)
MAX_TEXT = 200  # characters of a row's name and key


class Door(models.TextChoices):
    """Through what something was done."""

    ADMIN = "admin", "admin"
    API = "api", "API"
    COMMAND = "command", "command"
    PLATFORM = "platform", "platform"


class AuditEntry(models.Model):
    """One thing that was done: who, through which door, on what, why, before and after.

    The row that it is about is named by `model`, `object_key` and `object_text`, so that the entry
    outlives the row; by `shipment`, `courier` and `company` besides, where it has them. `once` is
    set of entries of which only one is written, such as one a minute.
    """

    company = models.ForeignKey(Company, null=True, on_delete=models.PROTECT, related_name="+")
    courier = models.ForeignKey(
        Courier, null=True, on_delete=models.PROTECT, related_name="audit", db_index=False
    )
    shipment = models.ForeignKey(
        Shipment, null=True, on_delete=models.PROTECT, related_name="audit"
    )
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    actor_name = models.CharField("who", max_length=150, default="", db_default="", blank=True)
    door = models.CharField(
        max_length=10, choices=Door.choices, default="", db_default="", blank=True
    )
    action = models.CharField(max_length=50)
    model = models.CharField(max_length=100, default="", db_default="", blank=True)
    object_key = models.CharField(max_length=MAX_TEXT, default="", db_default="", blank=True)
    object_text = models.CharField(max_length=MAX_TEXT, default="", db_default="", blank=True)
    reason = models.CharField(max_length=500)
    details = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    before = models.JSONField(null=True, encoder=DjangoJSONEncoder)
    after = models.JSONField(null=True, encoder=DjangoJSONEncoder)
    once = models.CharField(max_length=300, null=True, editable=False)  # noqa: DJ001 - unique
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "audit trail"
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(
                fields=["once"], condition=Q(once__isnull=False), name="couriers_audit_once"
            )
        ]
        indexes = [
            models.Index(
                fields=["courier", "-id"],
                condition=models.Q(courier__isnull=False),
                name="couriers_audit_of_courier",
            ),
            models.Index(fields=["object_key", "model", "-id"], name="couriers_audit_of_row"),
            models.Index(fields=["actor_name", "-id"], name="couriers_audit_of_person"),
            models.Index(fields=["action", "-id"], name="couriers_audit_of_action"),
            models.Index(fields=["company", "-id"], name="couriers_audit_of_company"),
            models.Index(fields=["at"], name="couriers_audit_at"),
        ]

    def __str__(self) -> str:
        return (
            f"{self.action} {self.object_text or self.shipment_id or self.courier_id or ''}".strip()
        )

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Insert the entry. Raises TypeError for an entry that is stored already."""
        if not self._state.adding:
            raise TypeError("an audit entry is never changed")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Raise TypeError: the log is append-only."""
        raise TypeError("an audit entry is never deleted")


@dataclass(frozen=True, slots=True)
class Doer:
    """Who acts, and through which door, where no user is at hand: a command, an API key."""

    door: Door
    name: str = ""


_doer: ContextVar[Doer | None] = ContextVar("doer", default=None)


@contextmanager
def acting(door: Door, name: str = "") -> Iterator[None]:
    """Record what is done inside as done through this door, by `name` where there is no user."""
    token = _doer.set(Doer(door, name))
    try:
        yield
    finally:
        _doer.reset(token)


def name_doer(name: str) -> None:
    """Name who acts inside the innermost `acting`, once that is known."""
    current = _doer.get()
    if current is not None:
        _doer.set(Doer(current.door, name))


def record(
    about: models.Model | type[models.Model] | None,
    action: str,
    *,
    actor: Any = None,
    reason: str = "",
    details: Mapping[str, Any] | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    once: str | None = None,
) -> None:
    """Write an entry. Call it in the transaction that does the thing.

    `about` is the row, or the model where it is about many rows, or None. `actor` is a user, or
    None: then `acting` says who. With `once` nothing is written where an entry has that text.
    """
    entry = entry_of(
        about, action, actor=actor, reason=reason, details=details, before=before, after=after,
        once=once,
    )  # fmt: skip
    if once is None:
        entry.save()
    else:
        AuditEntry.objects.bulk_create([entry], ignore_conflicts=True)


def values_of(row: models.Model | None, names: Iterable[str]) -> dict[str, Any] | None:
    """Return the row's values of these names before a change, None where there is no row yet.

    A value that the trail must not hold is not read.
    """
    if row is None:
        return None
    return {name: HIDDEN if is_secret(row, name) else getattr(row, name) for name in names}


def record_change(
    row: models.Model,
    before: Mapping[str, Any] | None,
    given: Mapping[str, Any],
    *,
    actor: Any = None,
) -> None:
    """Record that a row was added (`before` is None), or what is different of a changed one.

    `actor` is as in `record`. A value that the trail must not hold counts as different, since it
    was given.
    """
    if before is None:
        record(row, "add", actor=actor, after=given)
        return
    different = {n: v for n, v in given.items() if is_secret(row, n) or before[n] != v}
    if different:
        old = {name: before[name] for name in different if not is_secret(row, name)}
        record(row, "change", actor=actor, before=old, after=different)


def entry_of(
    about: models.Model | type[models.Model] | None,
    action: str,
    *,
    actor: Any = None,
    reason: str = "",
    details: Mapping[str, Any] | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    once: str | None = None,
) -> AuditEntry:
    """Return an entry that is not stored yet, for many of them at once. See `record`."""
    doer = _doer.get() or Doer(Door.ADMIN if actor else Door.PLATFORM)
    row = about if isinstance(about, models.Model) else None
    kind: Any = about if row is None else row._meta.model
    return AuditEntry(
        company_id=_company_id(row),
        shipment_id=row.pk if isinstance(row, Shipment) else getattr(row, "shipment_id", None),
        courier_id=row.pk if isinstance(row, Courier) else None,
        actor_id=actor.pk if actor else None,
        actor_name=(actor.get_username() if actor else doer.name)[:150],
        door=doer.door,
        action=action,
        model="" if kind is None else kind._meta.label_lower,
        object_key=key_of(row)[:MAX_TEXT] if row else "",
        object_text=make_storable(str(row))[:MAX_TEXT] if row else "",
        reason=make_storable(reason).strip(),
        details=without_secrets(kind, details or {}),
        before=None if before is None else without_secrets(kind, before),
        after=None if after is None else without_secrets(kind, after),
        once=once,
    )


def key_of(row: models.Model) -> str:
    """Return the row's key as the trail names it. Of an API key it is the prefix, not the hash."""
    return str(getattr(row, "prefix", "") or row.pk)


def _company_id(row: models.Model | None) -> Any:
    """Return the id of the company that the row belongs to, None where there is none."""
    if isinstance(row, Company):
        return row.pk
    found = getattr(row, "company_id", None)
    for relation in ("shipment", "account", "warehouse", "manifest", "job"):
        if found is None and getattr(row, f"{relation}_id", None) is not None:
            found = getattr(getattr(row, relation), "company_id", None)
    return found


def without_secrets(model: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values by name, with "changed" for each that the trail must not hold."""
    return {name: HIDDEN if is_secret(model, name) else value for name, value in values.items()}


def is_secret(model: Any, name: str) -> bool:
    """Whether the trail must not hold the value of this name, which may be a column of the model.

    `model` is None for values that are of no table.
    """
    if _SECRET_WORD.search(name):
        return True
    try:
        return model is not None and isinstance(model._meta.get_field(name), EncryptedField)
    except FieldDoesNotExist:
        return False
