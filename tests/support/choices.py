"""Couriers for the rules to choose among: each books in memory, and quotes what it is told to."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from couriers.contract.adapter import Capability
from couriers.contract.types import Booking, RateQuote, RateRequest, ShipmentRequest
from couriers.models import Company, CourierAccount, CourierRule
from tests.support.quoting import courier, quote

BOOKS = frozenset(
    {Capability.GET_RATES, Capability.CREATE_SHIPMENT, Capability.CREATE_REVERSE_SHIPMENT}
)
_numbers = itertools.count(1)


@contextmanager
def booking_courier(
    company: Company,
    code: str,
    price: str | Callable[[RateRequest], Sequence[RateQuote]] = "80",
    days: int = 3,
    **declared: Any,
) -> Iterator[CourierAccount]:
    """Register a courier that quotes a price in rupees for STANDARD, and books every order."""

    def quotes(request: RateRequest) -> Sequence[RateQuote]:
        return [quote("STANDARD", price, days)] if isinstance(price, str) else price(request)

    def book(self: Any, request: ShipmentRequest) -> Booking:
        return Booking(f"{code.upper()}{next(_numbers):06}", order_number=request.order_number)

    members: dict[str, Any] = {
        "capabilities": BOOKS,
        "create_shipment": book,
        "create_reverse_shipment": book,
        **declared,
    }
    with courier(company, code, quotes, **members) as account:
        yield account


def rule(company: Company, *codes: str, **fields: Any) -> CourierRule:
    """Store a checked rule that asks these couriers in this order."""
    position = fields.pop("position", company.courier_rules.count() + 1)
    couriers = fields.pop("couriers", [{"courier": code} for code in codes])
    made = CourierRule(
        company=company,
        position=position,
        name=fields.pop("name", f"rule {position}"),
        strategy=fields.pop("strategy", "priority"),
        couriers=couriers,
        **fields,
    )
    assert not made.problems()
    made.save()
    return made
