"""Find what Delhivery would refuse before any call, and say when it takes which action. Pure."""

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
# Delhivery wants the first five left out; a comma divides the orders that are searched for.
REFUSED_IN_ORDERS = frozenset("&#%;\\,")
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
    options, option_problems = parse_options(DelhiveryOptions, request.options)
    problems = FieldProblems(option_problems)
    check_addresses(request, problems)
    problems += LIMITS.problems_of(request)
    number, boxes = request.order_number, len(options.boxes())
    refused = " ".join(sorted(REFUSED_IN_ORDERS & set(number)))
    is_dear = amounts_of(request.items).total >= EWAYBILL_FROM
    is_return = request.direction == Direction.REVERSE
    is_cod = request.payment_mode == PaymentMode.COD and not is_return
    for is_wrong, field, message in (
        (not 0 < len(number) <= 50, "order_number", "must have 1 to 50 characters for Delhivery"),
        (refused, "order_number", f"has {refused}, which Delhivery does not take"),
        (is_dear and not options.ewaybill_number, "options.ewaybill_number",
         f"is required from ₹{EWAYBILL_FROM:,}"),
        (boxes > MAX_BOXES, "options.packages", f"are more than {MAX_BOXES} boxes"),
        (boxes and is_return, "options.packages", "is only for forward shipments"),
        (options.quality_check and not is_return, "options.quality_check", "is only for returns"),
        (is_cod and not request.cod_amount, "cod_amount", "is missing"),
    ):  # fmt: skip
        problems.require(not is_wrong, field, message)
    if is_return:
        check_return(request, problems)
    return problems
