"""Find what Velocity, or the carriers behind it, would refuse before any call is made. Pure.

Problems name the fields as the merchant knows them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from couriers.contract.actions import ActionKind, ActionRule
from couriers.contract.errors import FieldProblem
from couriers.contract.money import amounts_of
from couriers.contract.request_checks import OrderLimits, check_booking, check_texts
from couriers.contract.statuses import AWAITING_PICKUP, Status
from couriers.contract.types import Direction, PaymentMode, ShipmentRequest
from couriers_velocity.mapper.options import VelocityOptions

# A carrier's own limit for cash is 20,000 to 50,000 rupees.
LIMITS = OrderLimits(max_cod=Decimal(50_000))
LONGEST = {"name": 100, "street": 255, "city": 50}  # characters
MAX_CHECKED_PRODUCTS = 2  # of a return with a quality check

_FORWARD = frozenset({Direction.FORWARD})
_RETURN = ActionRule(frozenset({Status.UNDELIVERED}), directions=_FORWARD)
_ATTEMPT = replace(_RETURN, max_attempts=1, fields=frozenset({"instructions"}))
# The carrier chooses the day of another attempt, and makes none after two that failed. Pickups come
# with the booking. Whether a return can be cancelled is not known.
ACTION_RULES: Mapping[ActionKind, ActionRule] = {
    ActionKind.CANCEL: ActionRule(AWAITING_PICKUP, directions=_FORWARD),
    ActionKind.RTO: _RETURN,
    ActionKind.REATTEMPT: _ATTEMPT,
    ActionKind.ADDRESS: replace(_ATTEMPT, fields=frozenset({"phone", "address", "instructions"})),
}


def booking_problems(request: ShipmentRequest) -> list[FieldProblem]:
    """Return every problem that a booking would be refused for."""
    options, problems = check_booking(request, VelocityOptions, LIMITS, returns=["quality_check"])
    check_texts(request, problems, most=LONGEST)
    problems.require(amounts_of(request.items).total > 0, "items", "are worth nothing")
    if request.direction == Direction.REVERSE:
        fits = options.quality_check is None or len(request.items) <= MAX_CHECKED_PRODUCTS
        message = f"is for at most {MAX_CHECKED_PRODUCTS} products"
        problems.require(fits, "options.quality_check", message)
    else:
        is_cod = request.payment_mode == PaymentMode.COD
        problems.require(not is_cod or request.cod_amount >= 1, "cod_amount", "is less than ₹1")
    if request.pickup.reference:
        problems.refuse("warehouse.reference", reference_problem(request.pickup.reference))
    else:
        problems.require(bool(request.pickup.email), "warehouse.email", "is required by Velocity")
    return problems


def reference_problem(reference: str) -> str | None:
    """Return what is wrong with a warehouse's reference, or None."""
    number, _, name = reference.partition("/")
    if number.strip() and name.strip():
        return None
    return "must be the warehouse's id and name in Velocity's panel, as WH1/Main gate"
