"""Find what Ekart would refuse before any call is made. Pure.

Problems name the fields as the merchant knows them. `today` is the date in India.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal

from couriers.contract.actions import ActionKind, ActionRule, DayRange, statuses_where
from couriers.contract.errors import FieldProblem
from couriers.contract.money import amounts_of
from couriers.contract.request_checks import (
    OrderLimits,
    check_booking,
    check_ewaybill,
    check_seller,
)
from couriers.contract.statuses import AWAITING_PICKUP, Status
from couriers.contract.types import Direction, ShipmentRequest
from couriers_ekart.mapper.options import EkartOptions

SERVICES = ("SURFACE", "EXPRESS")
# The most that is collected in cash is of the schema `shipment`.
LIMITS = OrderLimits(max_cod=Decimal(49_999), max_weight_g=30_000, services=SERVICES)
EWAYBILL_ABOVE = Decimal(50_000)  # rupees

_REATTEMPT_DAYS = DayRange(1, 7)  # schema `ndr_data_v2`
_FORWARD = frozenset({Direction.FORWARD})
# Ekart schedules the pickup when a shipment is created; only one that is created with
# `delayed_dispatch` is given a day later. A change of address rides on another attempt.
ACTION_RULES: Mapping[ActionKind, ActionRule] = {
    ActionKind.CANCEL: ActionRule(statuses_where("cancellable")),
    ActionKind.REATTEMPT: ActionRule(
        frozenset({Status.UNDELIVERED}),
        days=_REATTEMPT_DAYS,
        fields=frozenset({"instructions"}),
        directions=_FORWARD,
    ),
    ActionKind.RTO: ActionRule(frozenset({Status.UNDELIVERED}), directions=_FORWARD),
    ActionKind.ADDRESS: ActionRule(
        frozenset({Status.UNDELIVERED}),
        days=_REATTEMPT_DAYS,
        fields=frozenset({"phone", "address", "instructions"}),
        directions=_FORWARD,
    ),
    ActionKind.PICKUP: ActionRule(
        AWAITING_PICKUP, days=DayRange(1, 60), options=frozenset({"delayed_dispatch"})
    ),
}


def booking_problems(request: ShipmentRequest, today: dt.date) -> list[FieldProblem]:
    """Return every problem that Ekart would refuse a booking for."""
    options, problems = check_booking(
        request,
        EkartOptions,
        forward=["packages", "open_box_delivery"],
        returns=["quality_check"],
    )
    check_seller(request.seller, problems)
    is_worth_something = amounts_of(request.items).taxable >= 1
    problems.require(is_worth_something, "items", "are worth less than ₹1 without GST")
    problems += LIMITS.problems_of(request, is_weighed=not options.packages)
    check_ewaybill(request, options.ewaybill_number, problems, EWAYBILL_ABOVE, above=True)
    dispatch = options.preferred_dispatch_date
    problems.require(
        dispatch is None or dispatch > today,
        "options.preferred_dispatch_date",
        "must be tomorrow or later, India time",
    )
    return problems
