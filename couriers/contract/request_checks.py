"""Checks that plug-ins make of a request before any call. Pure.

Each adds its problems to a FieldProblems, with the fields as the merchant knows them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal

from couriers.contract import india
from couriers.contract.field_problems import FieldProblems
from couriers.contract.money import amounts_of
from couriers.contract.options import M, parse_options
from couriers.contract.text import latin_problem
from couriers.contract.types import Direction, RateRequest, Seller, ShipmentRequest


@dataclass(frozen=True, slots=True)
class OrderLimits:
    """What a courier takes: COD amounts in rupees, weights in grams, its services by name.

    None is no limit of this kind.
    """

    max_cod: Decimal | None = None
    max_weight_g: int | None = None
    services: tuple[str, ...] | None = None

    def problems_of(
        self, request: ShipmentRequest | RateRequest, *, is_weighed: bool = True
    ) -> FieldProblems:
        """Return what is beyond the limits. The service "" leaves the choice to the courier.

        Without `is_weighed`, the weight of the whole is not limited.
        """
        problems = FieldProblems()
        if self.max_cod is not None:
            fits = request.cod_amount <= self.max_cod
            problems.require(fits, "cod_amount", f"is more than ₹{self.max_cod:,}")
        if self.max_weight_g is not None and is_weighed:
            kilograms = f"{self.max_weight_g / 1000:g} kg"
            fits = request.parcel.weight_g <= self.max_weight_g
            problems.require(fits, "parcel.weight_g", f"is more than {kilograms}")
        if self.services is not None:
            known = ", ".join(self.services)
            fits = request.service in ("", *self.services)
            problems.require(fits, "service", f"is not one of {known}")
        return problems


def check_seller(seller: Seller, problems: FieldProblems) -> None:
    """Add what is missing or wrong of the seller, as it stands on the invoice."""
    problems.refuse("seller.gstin", india.seller_gstin_problem(seller.gstin))
    problems.require(bool(seller.name), "seller.name", "is missing")
    problems.require(bool(seller.address), "seller.address", "is missing")
    # Which tax is due depends on the state, so it is not guessed.
    problems.refuse("seller.state", india.state_problem(seller.state))


def check_addresses(request: ShipmentRequest, problems: FieldProblems) -> None:
    """Add what is missing or wrong of the consignee's and the warehouse's address."""
    for field, address in (("consignee", request.consignee), ("warehouse", request.pickup.address)):
        check_phone(address.phone, problems, f"{field}.phone")
        problems.refuse(f"{field}.pincode", india.pincode_problem(address.pincode))
        problems.refuse(f"{field}.state", india.state_problem(address.state))
        for part in ("name", "address", "city"):
            problems.require(bool(getattr(address, part)), f"{field}.{part}", "is missing")


def check_texts(
    request: ShipmentRequest, problems: FieldProblems, *, most: Mapping[str, int]
) -> None:
    """Add names, addresses and goods that are too long, or in letters that are not Latin.

    For couriers whose labels take no others. `most` are the characters of `name`, `street` and
    `city`.
    """
    for field, address in (("consignee", request.consignee), ("warehouse", request.pickup.address)):
        for part, longest in most.items():
            text, name = getattr(address, part), f"{field}.{part.replace('street', 'address')}"
            problems.require(len(text) <= longest, name, f"is longer than {longest} characters")
            problems.refuse(name, latin_problem(text))
    for place, item in enumerate(request.items):
        problems.refuse(f"items[{place}].name", latin_problem(item.name))


def check_booking(
    request: ShipmentRequest,
    kind: type[M],
    limits: OrderLimits = OrderLimits(),
    *,
    forward: Collection[str] = (),
    returns: Collection[str] = (),
) -> tuple[M, FieldProblems]:
    """Return a booking's options, and the problems that any courier has with a booking.

    They are those of the options, the addresses, the limits, and a return. `forward` are the
    options of forward shipments alone, `returns` those of returns alone.
    """
    options, option_problems = parse_options(kind, request.options)
    problems = FieldProblems(option_problems)
    check_addresses(request, problems)
    problems += limits.problems_of(request)
    is_return = request.direction == Direction.REVERSE
    if is_return:
        check_return(request, problems)
    others, travels = (forward, "forward shipments") if is_return else (returns, "returns")
    for name in others:
        problems.require(not getattr(options, name), f"options.{name}", f"is only for {travels}")
    return options, problems


def check_order_number(
    request: ShipmentRequest, problems: FieldProblems, *, most: int, refused: str = ""
) -> None:
    """Add an order number of more than `most` characters, or with one of the `refused` ones."""
    number = request.order_number
    fits, found = 0 < len(number) <= most, " ".join(sorted(set(refused) & set(number)))
    problems.require(fits, "order_number", f"must have 1 to {most} characters for this courier")
    problems.require(not found, "order_number", f"has {found}, which the courier does not take")


def check_ewaybill(
    request: ShipmentRequest, number: str, problems: FieldProblems, rupees: Decimal, *, above: bool
) -> None:
    """Add that the option `ewaybill_number` is missing for goods of at least so many rupees.

    With `above` they must be worth more.
    """
    total, limit = amounts_of(request.items).total, "above" if above else "from"
    is_needed = total > rupees if above else total >= rupees
    is_given = bool(number) or not is_needed
    problems.require(is_given, "options.ewaybill_number", f"is required {limit} ₹{rupees:,}")


def check_return(request: ShipmentRequest, problems: FieldProblems) -> None:
    """Add what a return lacks, and what it cannot have."""
    problems.require(bool(request.return_reason), "return_reason", "is required for a return")
    problems.require(request.cod_amount == 0, "cod_amount", "a return collects no money")


def check_phone(text: str, problems: FieldProblems, field: str = "phone") -> None:
    """Add a problem unless the text is a phone number of ten digits."""
    is_phone = len(text) == 10 and text.isascii() and text.isdigit() and text[0] != "0"
    problems.require(is_phone, field, "is not a ten-digit number")
