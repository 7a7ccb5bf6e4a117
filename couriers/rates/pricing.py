"""The merchant's price of a lane: the courier's quote with the company's rate policy applied.

Quotes are cached in Redis for QUOTE_CACHE seconds, under a hash of all their inputs. Prices are not
cached, so a changed rate policy applies at once. SHIPCROWD["PRICING"] can name another pricing
policy by its dotted path.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
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
from couriers.resilience.shared import RedisUnavailable, with_redis

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
        for quote in _cached_quotes(account, request)
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


def _cached_quotes(account: CourierAccount, request: RateRequest) -> Sequence[RateQuote]:
    """Return the courier's quotes, from Redis where they are cached."""
    key = _cache_key(account, request)
    try:
        cached = with_redis(lambda redis: redis.get(key))
    except RedisUnavailable:
        cached = None
    if cached is not None:
        return _QUOTES.validate_json(cached)
    adapter = CourierFactory.get_adapter(account)
    quotes: list[RateQuote] = list(call_adapter(adapter, Capability.GET_RATES, request))
    milliseconds = max(1, round(tunables().QUOTE_CACHE * 1000))
    with suppress(RedisUnavailable):  # the next request then asks the courier again
        with_redis(lambda redis: redis.set(key, _QUOTES.dump_json(quotes), px=milliseconds))
    return quotes


def _cache_key(account: CourierAccount, request: RateRequest) -> str:
    """Return a hash of all inputs of a quote: the request, and the account with its settings."""
    inputs = json.dumps(
        [account.pk, account.updated_at.isoformat(), dataclasses.asdict(request)],
        default=str,
        sort_keys=True,
    )
    return f"shipcrowd:quotes:{hashlib.sha256(inputs.encode()).hexdigest()}"
