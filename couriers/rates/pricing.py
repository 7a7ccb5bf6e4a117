"""The merchant's price of a lane: the courier's quote with the company's rate policy applied.

Quotes are cached in Redis for QUOTE_CACHE seconds (cache.py). Prices are not
cached, so a changed rate policy applies at once. SHIPCROWD["PRICING"] can name another pricing
policy by its dotted path.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string
from pydantic import TypeAdapter

from couriers.conf import tunables
from couriers.contract.adapter import Capability
from couriers.contract.checked_calls import call_adapter
from couriers.contract.registry import CourierFactory
from couriers.contract.types import RateQuote, RateRequest
from couriers.models import Company, CourierAccount
from couriers.models.rate_policy import MerchantPrice, RatePolicy
from couriers.rates.cache import cached

# Computes the merchant's price from the company, the courier's quote and the request.
Pricing = Callable[[Company, RateQuote, RateRequest], MerchantPrice]

_QUOTES = TypeAdapter(list[RateQuote])


@dataclass(frozen=True, slots=True)
class PricedQuote:
    """A courier's unchanged quote, and the price that the merchant pays for it."""

    quote: RateQuote
    price: MerchantPrice


def priced_quotes(account: CourierAccount, request: RateRequest) -> list[PricedQuote]:
    """Return the account's quotes for a lane, each with its company's price.

    Raises the courier's errors, and ImproperlyConfigured as `pricing_policy` does.
    """
    price = pricing_policy()
    return [
        PricedQuote(quote, price(account.company, quote, request))
        for quote in courier_quotes(account, request)
    ]


def company_price(company: Company, quote: RateQuote, request: RateRequest) -> MerchantPrice:
    """Apply the company's `rate_policy` to the courier's total; the default pricing policy."""
    return RatePolicy.from_json(company.rate_policy).price(quote.total)


def pricing_policy() -> Pricing:
    """Return the policy that SHIPCROWD["PRICING"] names.

    Raises ImproperlyConfigured where the path does not name a callable.
    """
    path = tunables().PRICING
    try:
        pricing: Pricing = import_string(path)
    except Exception as error:  # a module may raise anything when it is imported
        raise ImproperlyConfigured(
            f"SHIPCROWD['PRICING']: {type(error).__name__}: {error}"
        ) from error
    if not callable(pricing):
        raise ImproperlyConfigured(f"SHIPCROWD['PRICING']: {path!r} cannot be called")
    return pricing


def courier_quotes(account: CourierAccount, request: RateRequest) -> Sequence[RateQuote]:
    """Return the courier's quotes, from Redis where they are cached. Raises the courier's errors.

    An empty list means that no service is offered on the lane.
    """
    adapter = CourierFactory.get_adapter(account)
    return cached(
        "quotes",
        account,
        request,
        _QUOTES,
        lambda: list(call_adapter(adapter, Capability.GET_RATES, request)),
    )
