"""Whether an action may be asked for, and with what: the courier's rules as errors.

The rules are the plug-in's (couriers.contract.action_rules). Nothing here knows a courier.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from couriers.booking.shipment_actions import WITHOUT_CONSIGNEE, action_facts
from couriers.contract import india
from couriers.contract.action_rules import (
    Hindrance,
    capability_of,
    day_problem,
    field_problems,
    hindrance,
    is_offered,
    rule_for,
    slot_problem,
)
from couriers.contract.actions import ActionKind, ActionRule
from couriers.contract.adapter import BaseCourierAdapter
from couriers.contract.errors import InvalidRequest, NotSupported
from couriers.contract.field_problems import FieldProblems
from couriers.contract.platform_errors import ActionNotAllowed, ShipmentErased, UnknownCourier
from couriers.contract.registry import CourierFactory
from couriers.contract.types import Direction
from couriers.models import Shipment

# The consignee's data that an address change may change.
CHANGES = ("address", "phone", "name")
# The problem of each action that is not allowed, in the API: its name and its title.
PROBLEMS: Mapping[ActionKind, tuple[str, str]] = {
    ActionKind.CANCEL: ("not-cancellable", "The shipment can no longer be cancelled"),
    ActionKind.REATTEMPT: ("not-reattemptable", "No other attempt can be asked for"),
    ActionKind.RTO: ("not-returnable", "The parcel cannot be sent back now"),
    ActionKind.ADDRESS: ("not-reattemptable", "The address cannot be changed now"),
    ActionKind.PICKUP: ("not-awaiting-pickup", "No day of pickup can be set"),
}


def check_booked(shipment: Shipment) -> None:
    """Raise ActionNotAllowed for a shipment without a tracking id."""
    if not shipment.tracking_id:
        raise ActionNotAllowed("not-booked", "The shipment has no tracking id", _status(shipment))


def check_not_erased(shipment: Shipment) -> None:
    """Raise ShipmentErased for a shipment whose consignee has been erased."""
    if shipment.erased_at is not None:
        raise ShipmentErased(shipment.pk)


def check_action(
    adapter: BaseCourierAdapter | type[BaseCourierAdapter], shipment: Shipment, kind: ActionKind
) -> ActionRule:
    """Return the rule that allows the action on the shipment now.

    Raises NotSupported where the courier does not offer the action, ShipmentErased, and
    ActionNotAllowed with what of the shipment rules it out.
    """
    direction = Direction(shipment.direction)
    if not is_offered(adapter, kind, direction):
        operation = capability_of(kind, direction).value
        raise NotSupported(
            f"{adapter.name} does not offer {operation} for a shipment",
            courier=adapter.code,
            operation=operation,
        )
    if kind not in WITHOUT_CONSIGNEE:
        check_not_erased(shipment)
    rule = rule_for(adapter, kind, direction)
    found = hindrance(rule, kind, action_facts(shipment, adapter))
    if not shipment.tracking_id:
        found = Hindrance.STATUS
    if rule is None or found is not None:
        name, title = PROBLEMS[kind]
        raise ActionNotAllowed(name, title, _detail(shipment, rule, found))
    return rule


def why_not(shipment: Shipment, kind: ActionKind) -> str:
    """Return why the courier does not take the action on the shipment now, "" where it does.

    Makes no statement.
    """
    try:
        adapter = CourierFactory.adapter_class(shipment.courier_id)
        check_action(adapter, shipment, kind)
    except ActionNotAllowed as error:
        return error.detail
    except NotSupported:
        return f"{adapter.name} does not offer it."
    except (ShipmentErased, UnknownCourier) as error:
        return str(error)
    return ""


def check_given(
    adapter: BaseCourierAdapter,
    kind: ActionKind,
    rule: ActionRule,
    *,
    day: dt.date | None,
    slot: str = "",
    texts: Mapping[str, str],
) -> None:
    """Raise InvalidRequest, naming what the rule does not take and what it needs.

    `texts` are by name. A `remark` of an RTO is the platform's own, so no rule rules it out.
    """
    problems = FieldProblems()
    problems.refuse("date", day_problem(rule.days, day, india.today(), adapter.name))
    problems.refuse("slot", slot_problem(adapter.pickup_slots, slot, adapter.name))
    ruled = {name: value for name, value in texts.items() if name != "remark"}
    problems += field_problems(rule.fields, ruled, adapter.name)
    if kind == ActionKind.ADDRESS and not any(texts.get(name) for name in CHANGES):
        wanted = [name for name in CHANGES if name in rule.fields]
        problems.require(False, wanted[0], f"give at least one of {', '.join(wanted)}")
    if problems:
        raise InvalidRequest(problems, courier=adapter.code)


def _detail(shipment: Shipment, rule: ActionRule | None, found: Hindrance | None) -> str:
    if found == Hindrance.REASON:
        return shipment.ndr_reason or "The reason of the failed attempt is not known."
    if found == Hindrance.ATTEMPTS:
        return f"{shipment.delivery_attempts} attempts have been made."
    if found == Hindrance.OPTIONS and rule is not None:
        wanted = " and ".join(f"options.{name}" for name in sorted(rule.options))
        return f"It was not booked with {wanted}."
    if found == Hindrance.DIRECTION:
        return "It is a return." if shipment.direction == Direction.REVERSE else "It is no return."
    return _status(shipment)


def _status(shipment: Shipment) -> str:
    return f"It is {shipment.get_status_display().lower()}."
