"""Find what Delhivery would refuse before any call is made, and when it takes which action. Pure.

Problems name the fields as the merchant knows them.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from couriers.contract.actions import ActionKind, ActionRule, DayRange
from couriers.contract.errors import FieldProblem
from couriers.contract.field_problems import FieldProblems
from couriers.contract.money import amounts_of
from couriers.contract.options import parse_options
from couriers.contract.request_checks import OrderLimits, check_addresses, check_return
from couriers.contract.statuses import AWAITING_PICKUP, Status
from couriers.contract.types import Direction, PaymentMode, ShipmentRequest
from couriers_delhivery.mapper.options import DelhiveryOptions

SERVICES = ("Surface", "Express")
LIMITS = OrderLimits(services=SERVICES)
MAX_ORDER_NUMBER = 50
# They break the vendor's own way of sending, and a comma divides the orders that are searched for.
REFUSED_IN_ORDERS = frozenset("&#%;\\,")
EWAYBILL_FROM = Decimal(50_000)  # rupees
MAX_BOXES = 20

_FORWARD, _REVERSE = frozenset({Direction.FORWARD}), frozenset({Direction.REVERSE})
# Manifested, Not Picked, In Transit and Pending; not while it is out for delivery.
_FORWARD_CHANGEABLE = (AWAITING_PICKUP - {Status.PICKUP_CANCELLED}) | {
    Status.PICKED_UP, Status.IN_TRANSIT, Status.DELAYED, Status.UNDELIVERED,
}  # fmt: skip
# Open and Scheduled.
_REVERSE_CHANGEABLE = frozenset({Status.BOOKED, Status.PICKUP_SCHEDULED})
_CHANGES = frozenset({"name", "phone", "address"})
ACTION_RULES: Mapping[ActionKind, ActionRule | tuple[ActionRule, ...]] = {
    ActionKind.CANCEL: (
        ActionRule(_FORWARD_CHANGEABLE, directions=_FORWARD),
        ActionRule(_REVERSE_CHANGEABLE, directions=_REVERSE),
    ),
    ActionKind.ADDRESS: (
        ActionRule(_FORWARD_CHANGEABLE, fields=_CHANGES, directions=_FORWARD),
        ActionRule(_REVERSE_CHANGEABLE, fields=_CHANGES, directions=_REVERSE),
    ),
    # No date and no remark. The reasons that allow it are those of the status table.
    ActionKind.REATTEMPT: ActionRule(
        frozenset({Status.UNDELIVERED}), max_attempts=2, directions=_FORWARD
    ),
    # Delhivery has no other RTO: a cancellation while the parcel is undelivered turns it back.
    ActionKind.RTO: ActionRule(frozenset({Status.UNDELIVERED}), directions=_FORWARD),
    # A warehouse's, for a day; and another pickup of a return whose pickup was called off.
    ActionKind.PICKUP: (
        ActionRule(AWAITING_PICKUP, days=DayRange(0, 7), directions=_FORWARD),
        ActionRule(frozenset({Status.PICKUP_CANCELLED}), directions=_REVERSE),
    ),
}


def booking_problems(request: ShipmentRequest) -> list[FieldProblem]:
    """Return every problem that Delhivery would refuse a booking for."""
    options, option_problems = parse_options(DelhiveryOptions, request.options)
    problems = FieldProblems(option_problems)
    _check_order_number(request.order_number, problems)
    check_addresses(request, problems)
    problems += LIMITS.problems_of(request)
    total = amounts_of(request.items).total
    problems.require(
        total < EWAYBILL_FROM or bool(options.ewaybill_number),
        "options.ewaybill_number",
        f"is required from ₹{EWAYBILL_FROM:,}",
    )
    boxes = len(options.boxes())
    problems.require(boxes <= MAX_BOXES, "options.packages", f"are more than {MAX_BOXES} boxes")
    if request.direction == Direction.REVERSE:
        check_return(request, problems)
        problems.require(not boxes, "options.packages", "is only for forward shipments")
    else:
        has_check = bool(options.quality_check)
        problems.require(not has_check, "options.quality_check", "is only for returns")
        is_cod = request.payment_mode == PaymentMode.COD
        problems.require(not is_cod or request.cod_amount > 0, "cod_amount", "is missing")
    return problems


def _check_order_number(number: str, problems: FieldProblems) -> None:
    problems.require(
        0 < len(number) <= MAX_ORDER_NUMBER,
        "order_number",
        f"must have 1 to {MAX_ORDER_NUMBER} characters for Delhivery",
    )
    found = sorted(REFUSED_IN_ORDERS & set(number))
    problems.require(
        not found, "order_number", f"has {' '.join(found)}, which Delhivery does not take"
    )
