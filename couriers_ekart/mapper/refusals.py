"""Find what Ekart would refuse before any call is made. Pure.

Problems name the fields as the merchant knows them. `today` is the date in India.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal

from couriers.contract.actions import ActionKind, ActionRule, DayRange, statuses_where
from couriers.contract.errors import FieldProblem
from couriers.contract.field_problems import FieldProblems
from couriers.contract.money import amounts_of
from couriers.contract.options import parse_options
from couriers.contract.request_checks import (
    OrderLimits,
    check_addresses,
    check_return,
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
    options, option_problems = parse_options(EkartOptions, request.options)
    problems = FieldProblems(option_problems)
    check_seller(request.seller, problems)
    check_addresses(request, problems)
    amounts = amounts_of(request.items)
    problems.require(amounts.taxable >= 1, "items", "are worth less than ₹1 without GST")
    problems += LIMITS.problems_of(request, is_weighed=not options.packages)
    problems.require(
        amounts.total <= EWAYBILL_ABOVE or bool(options.ewaybill_number),
        "options.ewaybill_number",
        f"is required above ₹{EWAYBILL_ABOVE:,}",
    )
    dispatch = options.preferred_dispatch_date
    problems.require(
        dispatch is None or dispatch > today,
        "options.preferred_dispatch_date",
        "must be tomorrow or later, India time",
    )
    if request.direction == Direction.REVERSE:
        check_return(request, problems)
        for name in ("packages", "open_box_delivery"):
            problems.require(
                not getattr(options, name), f"options.{name}", "is only for forward shipments"
            )
    else:
        problems.require(
            options.quality_check is None, "options.quality_check", "is only for returns"
        )
    return problems
