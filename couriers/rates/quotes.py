"""Quotes that a merchant may book with: signed, so that nobody changes the price, and not stored.

A quote is for one company, courier, service, parcel and lane, and holds for QUOTE_DAYS.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any

from django.core import signing

from couriers.contract.errors import FieldProblem, InvalidRequest
from couriers.contract.types import RateQuote, RateRequest, ShipmentDraft
from couriers.models.rate_policy import MerchantPrice

QUOTE_DAYS = 7
MAX_LENGTH = 1000  # characters of a signed quote
_SALT = "couriers.rates.quotes"


@dataclass(frozen=True, slots=True)
class Quoted:
    """What a quote was for: the service, and the company's price, as decimal strings in rupees."""

    service: str
    price: dict[str, str]


def price_data(price: MerchantPrice) -> dict[str, str]:
    """Return a company's price as it is stored and answered, as decimal strings in rupees."""
    return {one.name: f"{getattr(price, one.name):.2f}" for one in fields(price)}


def sign_quote(
    company_id: int, courier: str, request: RateRequest, quote: RateQuote, price: MerchantPrice
) -> str:
    """Return a quote as a text to book with, or "" where its service's name is too long."""
    lane = _lane(
        company_id, courier, request.pickup_pincode, request.drop_pincode, request.payment_mode,
        request.direction, request.cod_amount, request.parcel.weight_g,
    )  # fmt: skip
    data = {"for": lane, "service": quote.service, "price": price_data(price)}
    signed = signing.dumps(data, salt=_SALT, compress=True)
    return signed if len(signed) <= MAX_LENGTH else ""


def read_quote(company_id: int, draft: ShipmentDraft, pickup_pincode: str) -> Quoted | None:
    """Return the quote that an order is to be booked with, None where it names none.

    Raises InvalidRequest for one that is not ours or too old, or that was for something else.
    """
    if not draft.quote:
        return None
    try:
        age = dt.timedelta(days=QUOTE_DAYS)
        data: dict[str, Any] = signing.loads(draft.quote, salt=_SALT, max_age=age)
    except signing.SignatureExpired:
        raise _refusal(f"is older than {QUOTE_DAYS} days: ask for rates again") from None
    except signing.BadSignature:
        raise _refusal("is no quote of this platform") from None
    wanted = _lane(
        company_id, draft.courier, pickup_pincode, draft.consignee.pincode, draft.payment_mode,
        draft.direction, draft.cod_amount, draft.parcel.weight_g,
    )  # fmt: skip
    if different := [name for name in wanted if data["for"].get(name) != wanted[name]]:
        raise _refusal(f"was for another {', '.join(different)}")
    if draft.service not in ("", data["service"]):
        raise _refusal("was for another service")
    return Quoted(data["service"], data["price"])


def _lane(
    company_id: int, courier: str, pickup: str, drop: str, payment_mode: str, direction: str,
    cod_amount: Decimal, weight_g: int,
) -> dict[str, str | int]:  # fmt: skip
    return {
        "company": company_id,
        "courier": courier,
        "pickup pincode": pickup,
        "drop pincode": drop,
        "payment mode": str(payment_mode),
        "direction": str(direction),
        "COD amount": f"{cod_amount:.2f}",
        "weight": weight_g,
    }


def _refusal(message: str) -> InvalidRequest:
    return InvalidRequest([FieldProblem("quote", message)])
