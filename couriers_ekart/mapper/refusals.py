"""Find what Ekart would refuse before any call is made. Pure.

Problems name the fields as the merchant knows them. `today` is the date in India.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from couriers.contract.actions import ReattemptRequest
from couriers.contract.errors import FieldProblem
from couriers.contract.field_problems import FieldProblems
from couriers.contract.money import amounts_of
from couriers.contract.options import parse_options
from couriers.contract.request_checks import (
    OrderLimits,
    check_addresses,
    check_phone,
    check_return,
    check_seller,
)
from couriers.contract.text import character_problem
from couriers.contract.types import Direction, ShipmentRequest
from couriers_ekart.mapper.options import EkartOptions

SERVICES = ("SURFACE", "EXPRESS")
# The most that is collected in cash is of the schema `shipment`.
LIMITS = OrderLimits(max_cod=Decimal(49_999), max_weight_g=30_000, services=SERVICES)
EWAYBILL_ABOVE = Decimal(50_000)  # rupees
MAX_REATTEMPT_DAYS = 7  # ahead of today (schema `ndr_data_v2`)


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


def dispatch_date_problems(day: dt.date, today: dt.date) -> list[FieldProblem]:
    """Return a problem unless the day is tomorrow or later, India time."""
    problems = FieldProblems()
    problems.require(day > today, "date", "must be tomorrow or later, India time")
    return problems


def reattempt_problems(request: ReattemptRequest, today: dt.date) -> list[FieldProblem]:
    """Return every problem that the NDR call would refuse another attempt for."""
    problems = FieldProblems()
    problems.require(
        request.date is not None
        and dt.timedelta(0) < request.date - today <= dt.timedelta(days=MAX_REATTEMPT_DAYS),
        "date",
        f"must be tomorrow to {MAX_REATTEMPT_DAYS} days ahead, India time",
    )
    if request.phone:
        check_phone(request.phone, problems)
    for field in ("address", "instructions"):
        text = getattr(request, field)
        problems.require(len(text) <= 500, field, "is longer than 500 characters")
        problems.refuse(field, character_problem(text))
    return problems
