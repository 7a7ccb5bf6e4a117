"""Whether a courier takes an action is decided by the rules that its plug-in declares."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from couriers.contract.action_rules import (
    ActionFacts,
    Hindrance,
    allowed_actions,
    day_problem,
    field_problems,
    hindrance,
    slot_problem,
)
from couriers.contract.actions import ActionKind, ActionRule, DayRange, PickupScope
from couriers.contract.adapter import BaseCourierAdapter, Capability
from couriers.contract.statuses import AWAITING_PICKUP, ReasonFacts, Status
from couriers.contract.types import Direction

TODAY = dt.date(2026, 11, 28)
UNDELIVERED = frozenset({Status.UNDELIVERED})
FORWARD, REVERSE = Direction.FORWARD, Direction.REVERSE
# Another attempt as Delhivery takes it: for some reasons, up to the second attempt, without a day.
REATTEMPT = ActionRule(
    UNDELIVERED,
    reasons=frozenset({"address_issue"}),
    max_attempts=2,
    directions=frozenset({FORWARD}),
)


def facts(status: Status = Status.UNDELIVERED, **more: Any) -> ActionFacts:
    more = {"direction": FORWARD, "reason": ReasonFacts("address_issue"), "attempts": 1, **more}
    return ActionFacts(status=status, **more)


@pytest.mark.parametrize(
    ("rule", "of", "expected"),
    [
        (REATTEMPT, facts(), None),
        (REATTEMPT, facts(attempts=None), None),
        (None, facts(direction=REVERSE), Hindrance.DIRECTION),
        (REATTEMPT, facts(Status.IN_TRANSIT), Hindrance.STATUS),
        (REATTEMPT, facts(reason=ReasonFacts("refused")), Hindrance.REASON),
        (REATTEMPT, facts(reason=None), Hindrance.REASON),
        (REATTEMPT, facts(attempts=3), Hindrance.ATTEMPTS),
    ],
)
def test_statuses_reasons_and_attempts_rule_an_action_out(
    rule: ActionRule | None, of: ActionFacts, expected: Hindrance | None
) -> None:
    assert hindrance(rule, ActionKind.REATTEMPT, of) == expected


def test_a_rule_without_reasons_leaves_a_reattempt_to_the_reason_itself() -> None:
    rule, final = ActionRule(UNDELIVERED), ReasonFacts("refused", reattemptable=False)
    assert hindrance(rule, ActionKind.REATTEMPT, facts(reason=final)) == Hindrance.REASON
    assert hindrance(rule, ActionKind.REATTEMPT, facts(reason=None)) is None
    assert hindrance(rule, ActionKind.RTO, facts(reason=final)) is None


def test_an_option_of_the_booking_may_be_needed() -> None:
    rule = ActionRule(AWAITING_PICKUP, options=frozenset({"delayed_dispatch"}))
    for options, expected in (
        (None, Hindrance.OPTIONS),
        ({"delayed_dispatch": False}, Hindrance.OPTIONS),
        ({"delayed_dispatch": True}, None),
    ):
        found = hindrance(rule, ActionKind.PICKUP, facts(Status.BOOKED, options=options))
        assert found == expected


class Courier(BaseCourierAdapter):
    """A courier with a rule of its own for the cancellation of returns."""

    code = "acme"
    name = "Acme"
    capabilities = frozenset(
        {
            Capability.CANCEL_SHIPMENT,
            Capability.CANCEL_REVERSE_SHIPMENT,
            Capability.SCHEDULE_PICKUP,
            Capability.REQUEST_RTO,
        }
    )
    action_rules = {
        ActionKind.CANCEL: (
            ActionRule(
                frozenset({Status.BOOKED, Status.IN_TRANSIT}), directions=frozenset({FORWARD})
            ),
            ActionRule(frozenset({Status.BOOKED}), directions=frozenset({REVERSE})),
        ),
        ActionKind.PICKUP: ActionRule(AWAITING_PICKUP, days=DayRange(0, 7)),
        ActionKind.REATTEMPT: ActionRule(UNDELIVERED),
    }


def test_an_action_needs_its_operation_and_its_rule() -> None:
    allowed = {
        (direction, status): allowed_actions(Courier, facts(status, direction=direction))
        for direction in Direction
        for status in (Status.BOOKED, Status.IN_TRANSIT, Status.UNDELIVERED)
    }
    assert allowed == {
        (FORWARD, Status.BOOKED): [ActionKind.CANCEL, ActionKind.PICKUP],
        (FORWARD, Status.IN_TRANSIT): [ActionKind.CANCEL],
        (FORWARD, Status.UNDELIVERED): [],
        (REVERSE, Status.BOOKED): [ActionKind.CANCEL],
        (REVERSE, Status.IN_TRANSIT): [],
        (REVERSE, Status.UNDELIVERED): [],
    }


def test_a_pickup_of_the_warehouse_is_no_action_on_a_shipment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Courier, "pickup_scope", PickupScope.WAREHOUSE)
    assert allowed_actions(Courier, facts(Status.BOOKED)) == [ActionKind.CANCEL]


@pytest.mark.parametrize(
    ("days", "ahead", "problem"),
    [
        (None, None, None),
        (None, 1, "is not taken: Acme chooses the day itself"),
        (DayRange(1, 7), None, "is required: tomorrow to 7 days ahead, India time"),
        (DayRange(1, 7), 0, "must be tomorrow to 7 days ahead, India time"),
        (DayRange(1, 7), 1, None),
        (DayRange(1, 7), 7, None),
        (DayRange(1, 7), 8, "must be tomorrow to 7 days ahead, India time"),
        (DayRange(0, 1), -1, "must be today to tomorrow, India time"),
        (DayRange(1, 1), 2, "must be tomorrow, India time"),
    ],
)
def test_a_day_is_taken_only_within_the_rules_range(
    days: DayRange | None, ahead: int | None, problem: str | None
) -> None:
    day = None if ahead is None else TODAY + dt.timedelta(days=ahead)
    assert day_problem(days, day, TODAY, "Acme") == problem


def test_a_slot_must_be_one_of_the_couriers() -> None:
    assert slot_problem(("10-14", "14-18"), "14-18", "Acme") is None
    assert slot_problem(("10-14", "14-18"), "", "Acme") is None
    assert slot_problem(("10-14", "14-18"), "9", "Acme") == "must be one of 10-14, 14-18"
    assert slot_problem((), "9", "Acme") == "is not taken: Acme has no slots"


def test_what_the_rule_does_not_name_is_refused_by_name() -> None:
    given = {"phone": "9845012345", "name": "Asha", "address": ""}
    assert [p.field for p in field_problems({"phone"}, given, "Acme")] == ["name"]
