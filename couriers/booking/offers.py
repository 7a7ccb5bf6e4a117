"""What each of a company's couriers charges for a lane, side by side, and why one has no quote.

All couriers are asked at once, for ASK_SECONDS together. One that answers later is missing, and its
answer is cached when it comes: the same question then finds it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import partial

from django.db import models

from couriers.booking.permission import accounts_with_rollouts, reason_not_enabled
from couriers.contract import errors
from couriers.contract.adapter import Capability
from couriers.contract.errors import CourierError, FieldProblem, InvalidRequest
from couriers.contract.logs import get_logger
from couriers.contract.platform_errors import UnknownCourier
from couriers.contract.registry import CourierFactory
from couriers.contract.types import RateQuote, RateRequest
from couriers.models import Company, CourierAccount
from couriers.models.account import Rollout
from couriers.models.rate_policy import MerchantPrice
from couriers.rates.pricing import courier_quotes, priced_quotes, pricing_policy
from couriers.rates.serviceability import check_cod_limit
from couriers.resilience.threads import call_for

log = get_logger(__name__)

ASK_SECONDS = 2.0  # for all couriers together; then a request has its answer without the late ones
LATE_RETRY_AFTER = 3.0  # seconds after which a late answer is likely cached


class NoQuote(models.TextChoices):
    """Why a courier has no quote for a lane."""

    NOT_SERVICEABLE = "not_serviceable", "It does not serve the lane"
    BEYOND_LIMITS = "beyond_limits", "The parcel or an amount is beyond its limits"
    NOT_SUPPORTED = "not_supported", "It gives no quotes"
    NOT_ENABLED = "not_enabled", "It is not enabled for the company"
    SWITCHED_OFF = "switched_off", "It takes no new bookings"
    CIRCUIT_OPEN = "circuit_open", "It has been failing, and is not asked for a while"
    BUSY = "busy", "A limit of calls is used up"
    TIMED_OUT = "timed_out", "It did not answer in time"
    REFUSED = "refused", "It refused"
    FAILED = "failed", "It could not be asked, or its answer could not be read"


# The reason of the nearest class in the tree of errors.
_REASONS: dict[type[CourierError], NoQuote] = {
    errors.InvalidRequest: NoQuote.BEYOND_LIMITS,
    errors.NotSupported: NoQuote.NOT_SUPPORTED,
    errors.CourierNotEnabled: NoQuote.NOT_ENABLED,
    errors.CourierDisabled: NoQuote.SWITCHED_OFF,
    errors.CircuitOpen: NoQuote.CIRCUIT_OPEN,
    errors.RateLimited: NoQuote.BUSY,
    errors.TooManyInFlight: NoQuote.BUSY,
    errors.TooManyRequests: NoQuote.BUSY,
    errors.Rejected: NoQuote.REFUSED,
    CourierError: NoQuote.FAILED,
}


@dataclass(frozen=True, slots=True)
class Offer:
    """A courier's quote with the company's price, and how it compares with the other offers."""

    courier: str
    quote: RateQuote
    price: MerchantPrice
    is_cheapest: bool = False
    is_fastest: bool = False


@dataclass(frozen=True, slots=True)
class Missing:
    """A courier without a quote. `problems` are the fields that are beyond its limits.

    `retry_after` is in seconds, None where asking again does not help or no time is known.
    """

    courier: str
    reason: NoQuote
    detail: str
    problems: tuple[FieldProblem, ...] = ()
    courier_message: str = ""
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """The offers by price, the lowest first, and the couriers that have none."""

    offers: tuple[Offer, ...]
    missing: tuple[Missing, ...]


def offers_of_one(account: CourierAccount, request: RateRequest) -> Comparison:
    """Return the offers of one courier. Raises its errors.

    The fields of the account need not be loaded (`accounts_with_rollouts`).
    """
    found = [
        Offer(account.courier_id, priced.quote, priced.price)
        for priced in priced_quotes(account, request)
    ]
    return Comparison(_compared(found), () if found else (_not_served(account),))


def offers_of_all(company: Company, request: RateRequest, *, is_test: bool) -> Comparison:
    """Ask all couriers that the company has an account of the mode with, at once.

    Raises InvalidRequest naming `courier` where it has none, and ImproperlyConfigured for a wrong
    pricing policy.
    """
    accounts = accounts_of(company, is_test=is_test)
    missing = {each.pk: found for each in accounts if (found := _not_asked(each, request))}
    asked = [each for each in accounts if each.pk not in missing]
    price = pricing_policy()
    answers = call_for(
        ASK_SECONDS, [partial(courier_quotes, each, request) for each in asked], name="rates"
    )
    offers: list[Offer] = []
    for account, answer in zip(asked, answers, strict=True):
        quotes = _quotes_of(account, answer)
        if isinstance(quotes, Missing):
            missing[account.pk] = quotes
            continue
        offers += [
            Offer(account.courier_id, quote, price(company, quote, request)) for quote in quotes
        ]
    in_order = tuple(missing[each.pk] for each in accounts if each.pk in missing)
    return Comparison(_compared(offers), in_order)


def accounts_of(company: Company, *, is_test: bool) -> list[CourierAccount]:
    """Return the company's accounts of a mode. Raises InvalidRequest naming `courier` for none."""
    mine = accounts_with_rollouts().filter(company=company, is_test=is_test)
    accounts = list(mine.order_by("courier_id"))
    if not accounts:
        raise InvalidRequest(
            [FieldProblem("courier", f"{company.slug} has no account with any courier")]
        )
    return accounts


def not_asked(account: CourierAccount, capability: Capability, lacks: str) -> Missing | None:
    """Return why the courier is not asked, or None. Its adapter is made here, not in a thread.

    `lacks` says what a courier does not do that has no such capability.
    """
    if reason_not_enabled(account) is not None:
        return _missing(account, NoQuote.NOT_ENABLED, "new bookings are not enabled")
    if not account.courier.is_enabled or account.rollout == Rollout.OFF:
        return _missing(account, NoQuote.SWITCHED_OFF, "new bookings are switched off")
    try:
        if not CourierFactory.get_adapter(account).supports(capability):
            return _missing(account, NoQuote.NOT_SUPPORTED, lacks)
    except UnknownCourier:
        return _missing(account, NoQuote.NOT_SUPPORTED, "its plug-in is not installed")
    except CourierError as error:
        return missing_of(account, error)
    return None


def _not_asked(account: CourierAccount, request: RateRequest) -> Missing | None:
    """Return why the courier is not asked for quotes, or None."""
    found = not_asked(account, Capability.GET_RATES, "it gives no quotes")
    if found is None and request.cod_amount:
        try:
            check_cod_limit(account.courier_id, request.drop_pincode, request.cod_amount)
        except CourierError as error:
            return missing_of(account, error)
    return found


def late(account: CourierAccount) -> Missing:
    """Return that the courier did not answer within ASK_SECONDS."""
    detail = f"no answer within {ASK_SECONDS:g} s"
    return replace(_missing(account, NoQuote.TIMED_OUT, detail), retry_after=LATE_RETRY_AFTER)


def _quotes_of(
    account: CourierAccount, answer: Future[Sequence[RateQuote]]
) -> Sequence[RateQuote] | Missing:
    """Return a courier's quotes, or why it has none. A fault of the platform is raised."""
    if not answer.done():
        log.warning("quotes_late", account=account.pk)
        return late(account)
    try:
        return answer.result() or _not_served(account)
    except CourierError as error:
        return missing_of(account, error)


def reason_of(error: CourierError) -> NoQuote:
    """Return why a courier has no quote, from the error that it raised."""
    return next(_REASONS[kind] for kind in type(error).__mro__ if kind in _REASONS)


def missing_of(account: CourierAccount, error: CourierError) -> Missing:
    """Return why the account's courier has no answer, from the error that it raised."""
    return Missing(
        account.courier_id,
        reason_of(error),
        error.message,
        error.problems if isinstance(error, InvalidRequest) else (),
        error.courier_message,
        error.retry_after if isinstance(error, (errors.NotSent, errors.NotDone)) else None,
    )


def _not_served(account: CourierAccount) -> Missing:
    return _missing(account, NoQuote.NOT_SERVICEABLE, "no service is offered on the lane")


def _missing(account: CourierAccount, reason: NoQuote, detail: str) -> Missing:
    return Missing(account.courier_id, reason, detail)


def _compared(offers: Iterable[Offer]) -> tuple[Offer, ...]:
    """Return the offers by price, and mark all that have the lowest price or the fewest days."""
    found = sorted(offers, key=lambda each: (each.price.total, each.courier, each.quote.service))
    cheapest = min((each.price.total for each in found), default=None)
    fastest = min((days for each in found if (days := _days(each)) is not None), default=None)
    return tuple(
        replace(
            each,
            is_cheapest=each.price.total == cheapest,
            is_fastest=fastest is not None and _days(each) == fastest,
        )
        for each in found
    )


def _days(offer: Offer) -> tuple[int, int] | None:
    """Return the most and the fewest days of an offer; None where they are not known."""
    most, fewest = offer.quote.max_days, offer.quote.min_days
    return None if most is None else (most, most if fewest is None else fewest)
