"""What Ekart would refuse, found before any call and named in the merchant's vocabulary. Pure."""

from __future__ import annotations

import datetime as dt

from couriers.contract import india
from couriers.contract.errors import FieldProblem
from couriers.contract.money import amounts_of
from couriers.contract.text import has_control_characters
from couriers.contract.types import Direction, ReattemptRequest, ShipmentRequest
from couriers_ekart.mapper import EWAYBILL_ABOVE, MAX_COD, MAX_WEIGHT_G, REATTEMPT_DAYS, SERVICES
from couriers_ekart.mapper.options import EkartOptions, options_from


class Problems(list[FieldProblem]):
    """Problems found so far."""

    def demand(self, holds: bool, field: str, message: str) -> None:
        """Note a problem unless it holds."""
        if not holds:
            self.append(FieldProblem(field, message))


def check(request: ShipmentRequest, today: dt.date) -> list[FieldProblem]:
    """Everything that Ekart would refuse in a booking; `today` is the date in India."""
    options, wrong = options_from(request.options)
    problems = Problems(wrong)
    _check_seller(request, problems)
    _check_places(request, problems)
    amounts = amounts_of(request.items)
    problems.demand(amounts.taxable >= 1, "items", "are worth less than ₹1 without GST")
    problems.demand(request.cod_amount <= MAX_COD, "cod_amount", f"is more than ₹{MAX_COD:,}")
    problems.demand(
        bool(options.packages) or request.parcel.weight_g <= MAX_WEIGHT_G,
        "parcel.weight_g",
        f"is more than {MAX_WEIGHT_G // 1000} kg",
    )
    problems.demand(
        amounts.total <= EWAYBILL_ABOVE or bool(options.ewaybill_number),
        "options.ewaybill_number",
        f"is required above ₹{EWAYBILL_ABOVE:,}",
    )
    dispatch = options.preferred_dispatch_date
    problems.demand(
        dispatch is None or dispatch > today,
        "options.preferred_dispatch_date",
        "must be tomorrow or later, India time",
    )
    problems.demand(
        request.service in ("", *SERVICES), "service", f"is not one of {', '.join(SERVICES)}"
    )
    if request.direction == Direction.REVERSE:
        _check_return(request, options, problems)
    else:
        problems.demand(
            options.quality_check is None, "options.quality_check", "is for returns alone"
        )
    return problems


def check_dispatch_date(day: dt.date, today: dt.date) -> list[FieldProblem]:
    """A pickup is fetched tomorrow at the earliest, India time."""
    problems = Problems()
    problems.demand(day > today, "date", "must be tomorrow or later, India time")
    return problems


def check_reattempt(request: ReattemptRequest, today: dt.date) -> list[FieldProblem]:
    """What the NDR call would refuse of another attempt."""
    problems = Problems()
    problems.demand(
        dt.timedelta(0) < request.date - today <= dt.timedelta(days=REATTEMPT_DAYS),
        "date",
        f"must be tomorrow to {REATTEMPT_DAYS} days ahead, India time",
    )
    problems.demand(
        not request.phone or _is_phone(request.phone), "phone", "is not a ten-digit number"
    )
    for field in ("address", "instructions"):
        text = getattr(request, field)
        problems.demand(len(text) <= 500, field, "is longer than 500 characters")
        problems.demand(not has_control_characters(text), field, "contains control characters")
    return problems


def _check_seller(request: ShipmentRequest, problems: Problems) -> None:
    seller = request.seller
    if trouble := india.gstin_problem(seller.gstin):
        problems.demand(False, "seller.gstin", trouble)
    problems.demand(bool(seller.name), "seller.name", "is missing")
    problems.demand(bool(seller.address), "seller.address", "is missing")
    # Which tax is due depends on it, so it is not guessed.
    problems.demand(
        india.state_name(seller.state) is not None, "seller.state", "is not a state of India"
    )


def _check_places(request: ShipmentRequest, problems: Problems) -> None:
    for field, place in (("consignee", request.consignee), ("warehouse", request.pickup.address)):
        problems.demand(_is_phone(place.phone), f"{field}.phone", "is not a ten-digit number")
        problems.demand(
            india.is_pincode(place.pincode), f"{field}.pincode", "is not a six-digit pincode"
        )
        problems.demand(
            india.state_name(place.state) is not None, f"{field}.state", "is not a state of India"
        )
        for part in ("name", "address", "city"):
            problems.demand(bool(getattr(place, part)), f"{field}.{part}", "is missing")


def _check_return(request: ShipmentRequest, options: EkartOptions, problems: Problems) -> None:
    problems.demand(bool(request.return_reason), "return_reason", "is required for a return")
    problems.demand(request.cod_amount == 0, "cod_amount", "a return collects no money")
    problems.demand(not options.packages, "options.packages", "are for forward shipments alone")
    problems.demand(
        not options.open_box_delivery,
        "options.open_box_delivery",
        "is for forward shipments alone",
    )


def _is_phone(text: str) -> bool:
    return len(text) == 10 and text.isascii() and text.isdigit() and text[0] != "0"
