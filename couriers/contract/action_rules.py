"""Whether a courier takes an action on a shipment now, by the ActionRule that its adapter declares.

The API, the admin and the platform itself ask these functions. Pure, without a call.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from couriers.contract.actions import ActionKind, ActionRule, DayRange, PickupScope
from couriers.contract.adapter import BaseCourierAdapter, Capability
from couriers.contract.errors import FieldProblem
from couriers.contract.field_problems import FieldProblems
from couriers.contract.statuses import ReasonFacts, Status
from couriers.contract.types import Direction

Adapter = BaseCourierAdapter | type[BaseCourierAdapter]

_FORWARD: Mapping[ActionKind, Capability] = {
    ActionKind.CANCEL: Capability.CANCEL_SHIPMENT,
    ActionKind.REATTEMPT: Capability.REQUEST_REATTEMPT,
    ActionKind.RTO: Capability.REQUEST_RTO,
    ActionKind.ADDRESS: Capability.UPDATE_DELIVERY_ADDRESS,
    ActionKind.PICKUP: Capability.SCHEDULE_PICKUP,
}
_REVERSE: Mapping[ActionKind, Capability] = {
    **_FORWARD,
    ActionKind.CANCEL: Capability.CANCEL_REVERSE_SHIPMENT,
    ActionKind.PICKUP: Capability.SCHEDULE_REVERSE_PICKUP,
}


class Hindrance(enum.StrEnum):
    """What of a shipment rules an action out."""

    DIRECTION = "direction"
    STATUS = "status"
    REASON = "reason"
    ATTEMPTS = "attempts"
    OPTIONS = "options"


@dataclass(frozen=True, slots=True)
class ActionFacts:
    """What rules read of a shipment. `attempts` is None where they are not known."""

    status: Status
    direction: Direction
    reason: ReasonFacts | None = None
    attempts: int | None = None
    options: Mapping[str, Any] | None = None


def capability_of(kind: ActionKind, direction: Direction) -> Capability:
    """Return the adapter's operation for an action on a shipment of this direction."""
    return (_REVERSE if direction == Direction.REVERSE else _FORWARD)[kind]


def rules_of(adapter: Adapter, kind: ActionKind) -> tuple[ActionRule, ...]:
    """Return the courier's rules for an action, () where it does not offer the action."""
    found = adapter.action_rules.get(kind, ())
    return found if isinstance(found, tuple) else (found,)


def rule_for(adapter: Adapter, kind: ActionKind, direction: Direction) -> ActionRule | None:
    """Return the rule for an action on shipments of this direction, None where there is none."""
    found = (rule for rule in rules_of(adapter, kind) if direction in rule.directions)
    return next(found, None)


def is_offered(adapter: Adapter, kind: ActionKind, direction: Direction) -> bool:
    """Whether the courier has the operation, and takes it for a single shipment.

    An action that it has for the other direction alone counts as offered: the shipment is what
    rules it out.
    """
    by_warehouse = (
        kind == ActionKind.PICKUP
        and direction == Direction.FORWARD
        and adapter.pickup_scope == PickupScope.WAREHOUSE
    )
    has_it = capability_of(kind, direction) in adapter.capabilities
    return has_it and not by_warehouse and bool(rules_of(adapter, kind))


def hindrance(rule: ActionRule | None, kind: ActionKind, facts: ActionFacts) -> Hindrance | None:
    """Return what of the shipment rules the action out, None where nothing does."""
    if rule is None:
        return Hindrance.DIRECTION
    if facts.status not in rule.statuses:
        return Hindrance.STATUS
    if not _reason_allows(rule, kind, facts.reason):
        return Hindrance.REASON
    if rule.max_attempts is not None and (facts.attempts or 0) > rule.max_attempts:
        return Hindrance.ATTEMPTS
    if not all((facts.options or {}).get(name) for name in rule.options):
        return Hindrance.OPTIONS
    return None


def allowed_actions(adapter: Adapter, facts: ActionFacts) -> list[ActionKind]:
    """Return the actions that the courier takes on the shipment now."""
    return [
        kind
        for kind in ActionKind
        if is_offered(adapter, kind, facts.direction)
        and hindrance(rule_for(adapter, kind, facts.direction), kind, facts) is None
    ]


def day_problem(
    days: DayRange | None, day: dt.date | None, today: dt.date, courier: str
) -> str | None:
    """Return what is wrong with the day that an action is asked for. `today` is India's."""
    if days is None:
        return None if day is None else f"is not taken: {courier} chooses the day itself"
    if day is None:
        return f"is required: {_range_text(days)}, India time"
    if not days.first <= (day - today).days <= days.last:
        return f"must be {_range_text(days)}, India time"
    return None


def slot_problem(slots: Iterable[str], slot: str, courier: str) -> str | None:
    """Return what is wrong with the slot of a pickup; "" leaves it to the courier."""
    known = list(slots)
    if not slot or slot in known:
        return None
    if not known:
        return f"is not taken: {courier} has no slots"
    return f"must be one of {', '.join(known)}"


def field_problems(
    fields: Iterable[str], given: Mapping[str, str], courier: str
) -> list[FieldProblem]:
    """Return a problem for each value that the courier's rule does not take."""
    problems = FieldProblems()
    for name, value in given.items():
        problems.require(not value or name in fields, name, f"is not taken by {courier}")
    return problems


def _reason_allows(rule: ActionRule, kind: ActionKind, reason: ReasonFacts | None) -> bool:
    if rule.reasons is not None:
        return reason is not None and reason.code in rule.reasons
    return kind != ActionKind.REATTEMPT or reason is None or reason.reattemptable


def _range_text(days: DayRange) -> str:
    if days.first == days.last:
        return _day_text(days.first)
    return f"{_day_text(days.first)} to {_day_text(days.last)}"


def _day_text(ahead: int) -> str:
    return {0: "today", 1: "tomorrow"}.get(ahead, f"{ahead} days ahead")
