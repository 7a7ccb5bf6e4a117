"""Changing the roll-out of a courier: which companies may book with it (models/rollout.py).

A change is written to the audit log with the state before and after it. One that changes nothing
writes nothing, so it can be made again without harm.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import Count, Q

from couriers.booking.permission import accounts_with_rollouts, reason_not_enabled
from couriers.contract.errors import FieldProblem, InvalidRequest
from couriers.models import AuditEntry, Company, Courier, CourierAccount
from couriers.models.account import Rollout
from couriers.models.rollout import CourierRollout
from couriers.operations.decisions import reason_problems, record_decision

PERMISSION = "shipcrowd_couriers.change_rollout"
CHANGED = "change_rollout"  # the action of the audit entry
SWITCHED = "switch_courier"  # that of the switch, which leaves the roll-out as it is
MAX_NAMED = 1000  # companies; more are enabled by a percentage
MAX_SHOWN = 5  # slugs that a sentence names
_CHANGED_MEANWHILE = "was changed by somebody else meanwhile: open the page again"


@dataclass(frozen=True, slots=True)
class RolloutState:
    """The roll-out of a courier. `percentage` counts with PERCENTAGE alone, and is else 0.

    `companies` are the slugs of the named companies, in their order.
    """

    rollout: CourierRollout
    percentage: int
    companies: tuple[str, ...]

    def as_details(self) -> dict[str, Any]:
        """The state as JSON."""
        return {
            "rollout": self.rollout.value,
            "percentage": self.percentage,
            "companies": list(self.companies),
        }

    def __str__(self) -> str:
        named = _some(self.companies) or "none"
        match self.rollout:
            case CourierRollout.PERCENTAGE if self.percentage == 0:
                return "no company (0 per cent)"
            case CourierRollout.PERCENTAGE:
                return f"{self.percentage} per cent of all companies, and those named: {named}"
            case CourierRollout.COMPANIES:
                return f"the named companies: {named}"
        return self.rollout.label.lower()


@dataclass(frozen=True, slots=True)
class RolloutChange:
    """A roll-out before and after it was asked to be changed."""

    before: RolloutState
    after: RolloutState

    @property
    def changed(self) -> bool:
        """Whether anything is different."""
        return self.before != self.after


def state_of(courier: Courier) -> RolloutState:
    """Return the courier's roll-out."""
    slugs = courier.rollout_companies.order_by("slug").values_list("slug", flat=True)
    return RolloutState(CourierRollout(courier.rollout), courier.rollout_percentage, tuple(slugs))


def change_rollout(
    code: str,
    rollout: CourierRollout,
    *,
    percentage: int = 0,
    companies: Collection[str] | None = None,
    actor: AbstractBaseUser | None,
    reason: str,
    given_by: Mapping[str, Any] | None = None,
    seen: str | None = None,
) -> RolloutChange:
    """Set the roll-out of the courier with this code; return it before and after.

    `percentage` is 0 to 100 and counts with PERCENTAGE alone. `companies` are slugs, which replace
    the named companies; None keeps them. `given_by` are facts about who gave a command without an
    `actor`, for the audit log. With `seen`, the JSON of RolloutState.as_details, the roll-out must
    still be that one. Bookings that are reserved already go on.

    Raises Courier.DoesNotExist, and InvalidRequest naming `rollout`, `percentage`, `companies` or
    `reason`.
    """
    problems = reason_problems(reason)
    if not 0 <= percentage <= 100:
        problems.append(FieldProblem("percentage", "must be 0 to 100"))
    found, company_problems = _named(rollout, companies)
    if problems := [*problems, *company_problems]:
        raise InvalidRequest(problems, courier=code)
    with transaction.atomic():
        courier = Courier.objects.select_for_update(no_key=True).get(pk=code)
        before = state_of(courier)
        if seen is not None and json.dumps(before.as_details()) != seen:
            raise InvalidRequest([FieldProblem("rollout", _CHANGED_MEANWHILE)], courier=code)
        courier.rollout = rollout
        courier.rollout_percentage = percentage if rollout == CourierRollout.PERCENTAGE else 0
        if found is not None:
            courier.rollout_companies.set(found)
        change = RolloutChange(before, state_of(courier))
        if change.changed:
            courier.save(update_fields=["rollout", "rollout_percentage", "updated_at"])
            details = {
                "before": change.before.as_details(),
                "after": change.after.as_details(),
                **(given_by or {}),
            }
            record_decision(courier, actor, CHANGED, reason, details)
    return change


@dataclass(frozen=True, slots=True)
class Restriction:
    """A courier that takes new bookings of no company, or not of all, and who decided so.

    `what` names no company. `since` is None, and `by` and `reason` are "", where the decision is
    not in the audit log. `by` is a user's name, or that of a command.
    """

    courier: Courier
    is_off: bool
    what: str
    since: dt.datetime | None
    by: str
    reason: str


def restrictions() -> list[Restriction]:
    """Return the couriers that are switched off or limited. Makes one statement, or two."""
    limited = Courier.objects.filter(Q(is_enabled=False) | ~Q(rollout=CourierRollout.ALL))
    couriers = list(limited.annotate(named=Count("rollout_companies")))
    if not couriers:
        return []
    decided = AuditEntry.objects.filter(courier__in=couriers, action__in=(CHANGED, SWITCHED))
    last = {
        (entry.courier_id, entry.action): entry
        for entry in decided.order_by("courier_id", "action", "-id")
        .distinct("courier_id", "action")
        .select_related("actor")
    }
    return [
        _restriction(courier, last.get((courier.pk, CHANGED if courier.is_enabled else SWITCHED)))
        for courier in couriers
    ]


def _restriction(courier: Courier, decision: AuditEntry | None) -> Restriction:
    is_off, what = _reach(courier)
    return Restriction(
        courier,
        is_off,
        what,
        decision.at if decision else None,
        _decided_by(decision) if decision else "",
        decision.reason if decision else "",
    )


def _reach(courier: Courier) -> tuple[bool, str]:
    """Return whether no company may book, and what the courier takes, in one phrase."""
    rollout, percentage = CourierRollout(courier.rollout), courier.rollout_percentage
    is_none = rollout == CourierRollout.PERCENTAGE and percentage == 0
    if not courier.is_enabled or rollout == CourierRollout.OFF or is_none:
        return True, "takes no new bookings"
    named: int = courier.named  # type: ignore[attr-defined]
    companies = f"{named} named {'company' if named == 1 else 'companies'}"
    if rollout == CourierRollout.COMPANIES:
        return False, f"takes new bookings of {companies} only"
    return False, f"takes new bookings of {percentage} per cent of all companies and {companies}"


def _decided_by(decision: AuditEntry) -> str:
    if decision.actor is not None:
        return str(decision.actor)
    return " ".join(
        str(decision.details.get(key, "")) for key in ("system_user", "command")
    ).strip()


def _named(
    rollout: CourierRollout, slugs: Collection[str] | None
) -> tuple[list[Company] | None, list[FieldProblem]]:
    """Return the companies with these slugs, None to keep those named, and what is wrong."""
    if slugs is None:
        return None, []
    found = list(Company.objects.filter(slug__in=set(slugs)).only("pk", "slug"))
    unknown = sorted(set(slugs) - {company.slug for company in found})
    problems = []
    if unknown:
        text = f"{_some([repr(slug) for slug in unknown])}: no company has this slug"
        problems.append(FieldProblem("companies", text))
    elif len(found) > MAX_NAMED:
        text = f"must be {MAX_NAMED} at the most: enable more of them by a percentage"
        problems.append(FieldProblem("companies", text))
    elif rollout == CourierRollout.COMPANIES and not found:
        problems.append(FieldProblem("companies", "name at least one, or choose no company"))
    return found, problems


def _some(names: Sequence[str]) -> str:
    """Return the first names in one phrase, and how many more there are."""
    more = f" and {len(names) - MAX_SHOWN} more" if len(names) > MAX_SHOWN else ""
    return ", ".join(names[:MAX_SHOWN]) + more


@dataclass(frozen=True, slots=True)
class CompanyAtCourier:
    """A company's account with a courier, and what keeps the company from booking with it."""

    account: CourierAccount
    obstacles: Sequence[str]


def couriers_of(company: Company, *, with_secrets: bool = False) -> list[CompanyAtCourier]:
    """Return the company's accounts, and what keeps each of them from booking.

    Their secrets are read at once only where they are asked for.
    """
    accounts = accounts_with_rollouts().filter(company=company).order_by("courier")
    if with_secrets:
        accounts = accounts.defer(None)
    return [CompanyAtCourier(account, _obstacles(account)) for account in accounts]


def _obstacles(account: CourierAccount) -> list[str]:
    """Return why the company may not book: the roll-out, the courier's and the account's switch."""
    reason = reason_not_enabled(account)
    obstacles = [reason.label] if reason else []
    if not account.courier.is_enabled:
        obstacles.append("all new bookings are switched off")
    if account.rollout == Rollout.OFF:
        obstacles.append("its account is off")
    return obstacles


def count_enabled(code: str) -> tuple[int, int]:
    """Return how many companies with an account the roll-out includes, and how many there are."""
    accounts = accounts_with_rollouts().filter(courier=code).only("company", "courier")
    reasons = [reason_not_enabled(account) for account in accounts.iterator()]
    return sum(reason is None for reason in reasons), len(reasons)
