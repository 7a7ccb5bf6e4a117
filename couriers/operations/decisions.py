"""Operators' decisions, about shipments and warehouses: the check of the reason, the audit log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import AbstractBaseUser
from django.db.models import QuerySet

from couriers.contract.errors import FieldProblem
from couriers.contract.logs import get_logger
from couriers.contract.text import make_storable
from couriers.models import AuditEntry, Shipment, Warehouse

log = get_logger(__name__)

MAX_REASON = 500  # characters


def reason_problems(reason: str) -> list[FieldProblem]:
    """The problem of a decision's reason, in a list that is empty for a valid one."""
    if not make_storable(reason).strip() or len(reason) > MAX_REASON:
        return [FieldProblem("reason", f"must have 1 to {MAX_REASON} characters")]
    return []


def record_decision(
    about: Shipment | Warehouse,
    actor: AbstractBaseUser,
    action: str,
    reason: str,
    details: Mapping[str, Any],
) -> None:
    """Add a decision to the audit log. Call in the transaction that carries it out."""
    shipment = about if isinstance(about, Shipment) else None
    AuditEntry.objects.create(
        company_id=about.company_id,
        shipment=shipment,
        actor_id=actor.pk,
        action=action,
        reason=make_storable(reason).strip(),
        details=dict(details),
    )
    log.warning(action, **{about._meta.model_name or "": about.pk}, actor=str(actor.pk))


def record_in_history(rows: QuerySet[Any], actor: AbstractBaseUser, message: str) -> None:
    """Add the message to the admin's history of the rows."""
    LogEntry.objects.log_actions(
        user_id=actor.pk, queryset=rows, action_flag=CHANGE, change_message=message
    )
