"""Makes calls at once: for the price and the days of each service, or for the sides of a lane."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from couriers.contract.accounts import Account
from couriers.contract.errors import CourierError, Rejected
from couriers.contract.logs import get_logger
from couriers.contract.types import RateQuote
from couriers.resilience import bulkhead
from couriers.resilience.threads import call_in_parallel

log = get_logger(__name__)

DeliveryDays = tuple[int | None, int | None]  # fewest and most; None where they are not known


Result = TypeVar("Result")


def ask_together(
    account: Account,
    operation: str,
    prepare: Callable[[], None],
    calls: Sequence[Callable[[], Result]],
) -> list[Result]:
    """Make calls of one operation at once, and return their results in order.

    `prepare` is called first, before there are threads. Raises the first failure, in the order of
    the calls.
    """
    with bulkhead.hold_place(account, operation):
        prepare()
        return call_in_parallel(calls, name=account.courier_id)


def quote_services(
    account: Account,
    services: Sequence[str],
    *,
    prepare: Callable[[], None],
    price: Callable[[str], RateQuote],
    days: Callable[[str], DeliveryDays | None],
) -> list[RateQuote]:
    """Return a quote with days for each service that is offered.

    `days` returns None for a service that is not offered on the lane: it has no quote. If it fails,
    the price is shown without days. If one service's price is refused, the others still have their
    quotes; if all are, Rejected is raised. `prepare` is called first, before there are threads.
    """
    calls: list[Callable[[], RateQuote | Rejected | DeliveryDays | None]] = [
        partial(ask, service)
        for service in services
        for ask in (partial(_priced, account, price), partial(_with_days, account, days))
    ]
    results = ask_together(account, "get_rates", prepare, calls)
    quotes, refused = [], []
    for priced, found in zip(results[::2], results[1::2], strict=True):
        if not isinstance(found, tuple):
            continue
        if isinstance(priced, RateQuote):
            quotes.append(dataclasses.replace(priced, min_days=found[0], max_days=found[1]))
        elif isinstance(priced, Rejected):
            refused.append(priced)
    if refused and not quotes:
        raise refused[0]
    return quotes


def _priced(
    account: Account, price: Callable[[str], RateQuote], service: str
) -> RateQuote | Rejected:
    """Return the price of a service, or the error that refuses it."""
    try:
        return price(service)
    except Rejected as refusal:
        log.warning("price_refused", account=account.pk, error=str(refusal))
        return refusal


def _with_days(
    account: Account, days: Callable[[str], DeliveryDays | None], service: str
) -> DeliveryDays | None:
    """Return the days of delivery, or None if the service is not offered on the lane."""
    try:
        return days(service)
    except CourierError as error:
        # A failure must not read as "not serviceable".
        log.warning("delivery_days_failed", account=account.pk, error=str(error))
        return None, None
