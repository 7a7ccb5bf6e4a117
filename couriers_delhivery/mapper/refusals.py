"""Find what Delhivery would refuse before any call, and say when it takes which action. Pure."""

from collections.abc import Mapping
from decimal import Decimal

from couriers.contract import request_checks as checks
from couriers.contract.actions import ActionKind, ActionRule, DayRange
from couriers.contract.errors import FieldProblem
from couriers.contract.statuses import AWAITING_PICKUP, Status
from couriers.contract.types import Direction, PaymentMode, ShipmentRequest
from couriers_delhivery.mapper.options import UNWANTED, DelhiveryOptions

LIMITS = checks.OrderLimits(services=("Surface", "Express"))
EWAYBILL_FROM = Decimal(50_000)  # rupees
MAX_BOXES = 20

_FORWARD, _REVERSE = frozenset({Direction.FORWARD}), frozenset({Direction.REVERSE})
_UNDELIVERED = frozenset({Status.UNDELIVERED})
# Manifested, Not Picked, In Transit and Pending; not while it is out for delivery.
_ON_ITS_WAY = {Status.PICKED_UP, Status.IN_TRANSIT, Status.DELAYED, *_UNDELIVERED}
_OPEN = {
    _FORWARD: (AWAITING_PICKUP - {Status.PICKUP_CANCELLED}) | _ON_ITS_WAY,
    _REVERSE: frozenset({Status.BOOKED, Status.PICKUP_SCHEDULED}),
}
_CHANGES = frozenset({"name", "phone", "address"})
ACTION_RULES: Mapping[ActionKind, ActionRule | tuple[ActionRule, ...]] = {
    ActionKind.CANCEL: tuple(ActionRule(_OPEN[way], directions=way) for way in _OPEN),
    ActionKind.ADDRESS: tuple(
        ActionRule(_OPEN[way], fields=_CHANGES, directions=way) for way in _OPEN
    ),
    # Without date and remark. The status table says which reasons allow it.
    ActionKind.REATTEMPT: ActionRule(_UNDELIVERED, max_attempts=2, directions=_FORWARD),
    ActionKind.RTO: ActionRule(_UNDELIVERED, directions=_FORWARD),
    # A warehouse's, for a day; and another one of a return whose pickup was called off.
    ActionKind.PICKUP: (
        ActionRule(AWAITING_PICKUP, days=DayRange(0, 7), directions=_FORWARD),
        ActionRule(frozenset({Status.PICKUP_CANCELLED}), directions=_REVERSE),
    ),
}


def booking_problems(request: ShipmentRequest) -> list[FieldProblem]:
    """Return every problem that Delhivery would refuse a booking for, by the merchant's fields."""
    options, problems = checks.check_booking(
        request, DelhiveryOptions, LIMITS, forward=["packages"], returns=["quality_check"]
    )
    # A comma divides the orders that are searched for.
    checks.check_order_number(request, problems, most=50, refused=f"{UNWANTED},")
    checks.check_ewaybill(request, options.ewaybill_number, problems, EWAYBILL_FROM, above=False)
    fits = options.box_count <= MAX_BOXES
    problems.require(fits, "options.packages", f"are more than {MAX_BOXES} boxes")
    is_cod = request.payment_mode == PaymentMode.COD and request.direction == Direction.FORWARD
    problems.require(not is_cod or request.cod_amount > 0, "cod_amount", "is missing")
    return problems
