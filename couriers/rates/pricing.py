"""What a merchant pays: the courier's quote with the company's rate policy on top.

The courier's own numbers stay beside the merchant's. Quotes are kept for minutes by everything
that makes them; prices are made afresh, so a changed policy holds at once. The policy can be
another callable, by its dotted path in SHIPCROWD["PRICING"].
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
from couriers.contract.registry import CourierFactory
from couriers.contract.types import RateQuote, RateRequest
from couriers.models import Company, CourierAccount
from couriers.models.rate_policy import MerchantPrice, RatePolicy
from couriers.resilience.shared import RedisUnavailable, with_redis

# How a company, a courier's quote and what was asked make a price.
Pricing = Callable[[Company, RateQuote, RateRequest], MerchantPrice]

_QUOTES = TypeAdapter(list[RateQuote])


@dataclass(frozen=True, slots=True)
class PricedQuote:
    """A courier's quote as it was given, and what the merchant pays for it."""

    quote: RateQuote
    price: MerchantPrice


def priced_quotes(account: CourierAccount, request: RateRequest) -> list[PricedQuote]:
    """The account's quotes for a lane, each with its company's price.

    Raises what the courier says; ImproperlyConfigured where SHIPCROWD["PRICING"] names nothing.
    """
    price = pricing_policy()
    return [
        PricedQuote(quote, price(account.company, quote, request))
        for quote in _quotes(account, request)
    ]


def company_price(company: Company, quote: RateQuote, request: RateRequest) -> MerchantPrice:
    """The default policy: what the company's `rate_policy` says, on the courier's total."""
    return RatePolicy.from_json(company.rate_policy).price(quote.total)


def pricing_policy() -> Pricing:
    """The policy that is set. Raises ImproperlyConfigured where its path leads to none."""
    path = tunables().PRICING
    try:
        pricing: Pricing = import_string(path)
    except ImportError as error:
        raise ImproperlyConfigured(f"SHIPCROWD['PRICING']: {error}") from error
    if not callable(pricing):
        raise ImproperlyConfigured(f"SHIPCROWD['PRICING']: {path!r} cannot be called")
    return pricing


def _quotes(account: CourierAccount, request: RateRequest) -> Sequence[RateQuote]:
    """The courier's quotes, from Redis where the same was asked a moment ago."""
    key = _key(account, request)
    try:
        kept = with_redis(lambda redis: redis.get(key))
    except RedisUnavailable:
        kept = None
    if kept is not None:
        return _QUOTES.validate_json(kept)
    quotes = list(CourierFactory.get_adapter(account).get_rates(request))
    life = max(1, round(tunables().QUOTE_CACHE * 1000))
    with suppress(RedisUnavailable):  # asked again next time
        with_redis(lambda redis: redis.set(key, _QUOTES.dump_json(quotes), px=life))
    return quotes


def _key(account: CourierAccount, request: RateRequest) -> str:
    """Every input of a quote: the request's, and the account with its settings."""
    inputs = json.dumps(
        [account.pk, account.updated_at.isoformat(), dataclasses.asdict(request)],
        default=str,
        sort_keys=True,
    )
    return f"shipcrowd:quotes:{hashlib.sha256(inputs.encode()).hexdigest()}"
