"""Switching new bookings off and on at once: of a courier, and of one company with it.

Shipments that exist are served whatever the switches say. A switch carries what its operator saw:
where somebody else was first, nothing is done and the operator is told who it was.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils.formats import date_format
from django.utils.timezone import localtime

from couriers.contract.errors import FieldProblem, InvalidRequest
from couriers.models import AuditEntry, Courier, CourierAccount
from couriers.models.account import Rollout
from couriers.operations.decisions import reason_problems, record_decision
from couriers.operations.rollouts import SWITCHED

SWITCHED_ACCOUNT = "switch_account"  # the action of the audit entry


class DecidedBefore(Exception):
    """Somebody else has decided since the page was opened. The message says who, and what."""


def switch_courier(code: str, *, on: bool, actor: AbstractBaseUser, reason: str) -> Courier:
    """Let the courier take new bookings, or none of any company. Its roll-out stays as it is.

    Raises DecidedBefore where it is switched so already, InvalidRequest naming `reason`, and
    Courier.DoesNotExist.
    """
    _check(reason)
    with transaction.atomic():
        courier = Courier.objects.select_for_update(no_key=True).get(pk=code)
        if courier.is_enabled == on:
            last = AuditEntry.objects.filter(courier=courier, action=SWITCHED).first()
            raise DecidedBefore(_told(f"{courier.name} is {_state(on)} already", last))
        courier.is_enabled = on
        courier.save(update_fields=["is_enabled", "updated_at"])
        details = {"before": {"is_enabled": not on}, "after": {"is_enabled": on}}
        record_decision(courier, actor, SWITCHED, reason, details)
    return courier


def seen_of(account: CourierAccount) -> str:
    """Return what a page about the account's switch was made of, to compare it later."""
    return f"{account.rollout}:{account.canary_percent}"


def switch_account(
    account_id: str,
    rollout: Rollout,
    *,
    percent: int | None = None,
    actor: AbstractBaseUser,
    reason: str,
    seen: str,
) -> CourierAccount:
    """Set whether the account takes none, `percent` or all of its company's new orders.

    `seen` is `seen_of` the account as the operator was shown it. Raises DecidedBefore, and
    InvalidRequest naming `percent` or `reason`.
    """
    _check(reason)
    if rollout == Rollout.CANARY and not (percent is not None and 1 <= percent <= 100):
        raise InvalidRequest([FieldProblem("percent", "must be 1 to 100")])
    with transaction.atomic():
        rows = CourierAccount.objects.select_for_update(no_key=True, of=("self",))
        account = rows.select_related("company", "courier").get(pk=account_id)
        if seen_of(account) != seen:
            last = last_switch_of(account)
            raise DecidedBefore(_told(f"The {account} is {_share(account)} now", last))
        before = _as_details(account)
        account.rollout = rollout
        if rollout == Rollout.CANARY:
            account.canary_percent = percent or 0
        if (after := _as_details(account)) != before:
            account.save(update_fields=["rollout", "canary_percent", "updated_at"])
            details = {"account": account.pk, "before": before, "after": after}
            record_decision(account, actor, SWITCHED_ACCOUNT, reason, details)
    return account


def last_switch_of(account: CourierAccount) -> AuditEntry | None:
    """Return the last decision about the account's switch."""
    found = AuditEntry.objects.filter(
        company_id=account.company_id, action=SWITCHED_ACCOUNT, details__account=account.pk
    )
    return found.select_related("actor").first()


def decided(entry: AuditEntry | None) -> str:
    """Return who decided when and why, in one sentence; "" where nothing is in the audit log."""
    if entry is None:
        return ""
    at = localtime(entry.at)
    by = f" by {entry.actor}" if entry.actor else ""
    return f"Decided{by} on {date_format(at, 'j M Y, H:i')} {at.tzname()}: {entry.reason}"


def _check(reason: str) -> None:
    if problems := reason_problems(reason):
        raise InvalidRequest(problems)


def _state(on: bool) -> str:
    return "switched on" if on else "switched off"


def _share(account: CourierAccount) -> str:
    if account.rollout == Rollout.CANARY:
        return f"on for {account.canary_percent} per cent of the orders"
    return "switched off" if account.rollout == Rollout.OFF else "on for all orders"


def _as_details(account: CourierAccount) -> dict[str, Any]:
    return {"rollout": str(account.rollout), "canary_percent": account.canary_percent}


def _told(state: str, last: AuditEntry | None) -> str:
    return f"{state}. Nothing was changed. {decided(last)}".strip()
