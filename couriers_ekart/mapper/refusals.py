"""Find what Ekart would refuse before any call is made. Pure.

Problems name the fields as the merchant knows them. `today` is the date in India.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal

from couriers.contract import india
from couriers.contract.actions import ActionKind, ActionRule, DayRange, statuses_where
from couriers.contract.errors import FieldProblem
from couriers.contract.field_problems import FieldProblems
from couriers.contract.money import amounts_of
from couriers.contract.statuses import AWAITING_PICKUP, Status
from couriers.contract.types import Direction, Parcel, RateRequest, ShipmentRequest
from couriers_ekart.mapper.options import EkartOptions, parse_options

MAX_COD = Decimal(49_999)  # rupees (schema `shipment`)
MAX_WEIGHT_G = 30_000
EWAYBILL_ABOVE = Decimal(50_000)  # rupees
SERVICES = ("SURFACE", "EXPRESS")

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
    options, option_problems = parse_options(request.options)
    problems = FieldProblems(option_problems)
    _check_seller(request, problems)
    _check_addresses(request, problems)
    amounts = amounts_of(request.items)
    problems.require(amounts.taxable >= 1, "items", "are worth less than ₹1 without GST")
    _check_cod(request.cod_amount, problems)
    if not options.packages:
        _check_weight(request.parcel, problems)
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
    problems += service_problems(request.service)
    if request.direction == Direction.REVERSE:
        _check_return(request, options, problems)
    else:
        problems.require(
            options.quality_check is None, "options.quality_check", "is only for returns"
        )
    return problems


def rate_problems(request: RateRequest) -> list[FieldProblem]:
    """Return the problems that Ekart would refuse a booking on the lane for."""
    problems = FieldProblems(service_problems(request.service))
    _check_cod(request.cod_amount, problems)
    _check_weight(request.parcel, problems)
    return problems


def service_problems(service: str) -> list[FieldProblem]:
    """Return a problem unless Ekart has the service; "" leaves the choice to Ekart."""
    problems = FieldProblems()
    problems.require(service in ("", *SERVICES), "service", f"is not one of {', '.join(SERVICES)}")
    return problems


def _check_cod(amount: Decimal, problems: FieldProblems) -> None:
    problems.require(amount <= MAX_COD, "cod_amount", f"is more than ₹{MAX_COD:,}")


def _check_weight(parcel: Parcel, problems: FieldProblems) -> None:
    problems.require(
        parcel.weight_g <= MAX_WEIGHT_G,
        "parcel.weight_g",
        f"is more than {MAX_WEIGHT_G // 1000} kg",
    )


def _check_seller(request: ShipmentRequest, problems: FieldProblems) -> None:
    seller = request.seller
    problems.refuse("seller.gstin", india.seller_gstin_problem(seller.gstin))
    problems.require(bool(seller.name), "seller.name", "is missing")
    problems.require(bool(seller.address), "seller.address", "is missing")
    # Which tax is due depends on the state, so it is not guessed.
    problems.refuse("seller.state", india.state_problem(seller.state))


def _check_addresses(request: ShipmentRequest, problems: FieldProblems) -> None:
    for field, address in (("consignee", request.consignee), ("warehouse", request.pickup.address)):
        problems.require(_is_phone(address.phone), f"{field}.phone", "is not a ten-digit number")
        problems.refuse(f"{field}.pincode", india.pincode_problem(address.pincode))
        problems.refuse(f"{field}.state", india.state_problem(address.state))
        for part in ("name", "address", "city"):
            problems.require(bool(getattr(address, part)), f"{field}.{part}", "is missing")


def _check_return(request: ShipmentRequest, options: EkartOptions, problems: FieldProblems) -> None:
    problems.require(bool(request.return_reason), "return_reason", "is required for a return")
    problems.require(request.cod_amount == 0, "cod_amount", "a return collects no money")
    problems.require(not options.packages, "options.packages", "are only for forward shipments")
    problems.require(
        not options.open_box_delivery,
        "options.open_box_delivery",
        "is only for forward shipments",
    )


def _is_phone(text: str) -> bool:
    return len(text) == 10 and text.isascii() and text.isdigit() and text[0] != "0"
