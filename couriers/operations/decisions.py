"""Decisions of people, each with a reason, in the audit trail."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db.models import Model

from couriers.contract.errors import FieldProblem
from couriers.contract.logs import get_logger
from couriers.contract.text import make_storable
from couriers.models import Courier, Shipment, Warehouse
from couriers.models.audit import record

log = get_logger(__name__)

MAX_REASON = 500  # characters


def reason_problems(reason: str) -> list[FieldProblem]:
    """The problem of a decision's reason, in a list that is empty for a valid one."""
    if not make_storable(reason).strip() or len(reason) > MAX_REASON:
        return [FieldProblem("reason", f"must have 1 to {MAX_REASON} characters")]
    return []


def record_decision(
    about: Model | type[Model] | None,
    actor: AbstractBaseUser | None,
    action: str,
    reason: str = "",
    details: Mapping[str, Any] | None = None,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    once: str | None = None,
) -> None:
    """Add a decision to the audit trail. Call in the transaction that carries it out.

    `about` is the row, or its model where it is about many rows. `actor` is None for a decision of
    a command or an API key: the trail then names that. A value whose name or column is that of a
    secret, phone or address is written as "changed". With `once`, such as a user, an order and a
    minute in one text, a second entry with that text is not written.
    """
    record(
        about, action, actor=actor, reason=reason, details=details, before=before, after=after,
        once=once,
    )  # fmt: skip
    named = {about._meta.model_name or "": about.pk} if isinstance(about, _LOGGED) else {}
    log.warning(action, **named, actor=str(actor.pk) if actor else "")


_LOGGED = (Shipment, Warehouse, Courier)  # whose names are keys of the log
