"""Which of a company's couriers serve a pincode, side by side, and why one has no answer.

Couriers whose list of pincodes is loaded and fresh answer from it. The others are asked at once,
for ASK_SECONDS together, as they are for quotes (offers.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial

from couriers.booking.offers import ASK_SECONDS, Missing, accounts_of, late, missing_of, not_asked
from couriers.contract.adapter import Capability
from couriers.contract.errors import CourierError
from couriers.contract.logs import get_logger
from couriers.contract.registry import CourierFactory
from couriers.contract.types import Serviceability
from couriers.models import Company, CourierAccount
from couriers.rates.serviceability import check_pincode, default_origin, stored_answers
from couriers.resilience.threads import call_for

log = get_logger(__name__)

_LACKS = "it does not say which pincodes it serves"
Answer = Future[tuple[Serviceability, str]]


@dataclass(frozen=True, slots=True)
class Served:
    """What a courier offers at a pincode. `origin` is "" where the answer holds for every origin.

    `back` is what it offers at the origin for the way back; None where that was not asked for.
    """

    courier: str
    there: Serviceability
    origin: str
    back: Serviceability | None = None


@dataclass(frozen=True, slots=True)
class ServedComparison:
    """The answers by courier, and the couriers that have none."""

    answers: tuple[Served, ...]
    missing: tuple[Missing, ...]


def served_by_one(account: CourierAccount, pincode: str, origin: str, *, both_ways: bool) -> Served:
    """Return what the account's courier offers. Raises its errors, and as `check_pincode` does."""
    there, asked_from = check_pincode(account, pincode, origin)
    if not both_ways:
        return Served(account.courier_id, there, asked_from)
    back, _ = check_pincode(account, origin or default_origin(account), pincode)
    return Served(account.courier_id, there, asked_from, back)


def served_by_all(
    company: Company, pincode: str, origin: str, *, both_ways: bool, is_test: bool
) -> ServedComparison:
    """Ask all couriers that the company has an account of the mode with, at once.

    `origin` "" stands for the default warehouse's pincode. Raises InvalidRequest naming `courier`
    where the company has no account, and `origin` where there is none to ask from.
    """
    accounts = accounts_of(company, is_test=is_test)
    missing = {
        each.pk: found
        for each in accounts
        if (found := not_asked(each, Capability.CHECK_SERVICEABILITY, _LACKS))
    }
    asked = [each for each in accounts if each.pk not in missing]
    if not origin and (both_ways or any(map(_serves_lanes, asked))):
        origin = default_origin(accounts[0])
    ends = [(pincode, origin), (origin, pincode)] if both_ways else [(pincode, origin)]
    listed = stored_answers(
        [each.courier_id for each in asked if not _serves_lanes(each)], {end for end, _ in ends}
    )
    answers = _ask(asked, ends, listed)
    answered: list[Served] = []
    for account in asked:
        served = _served(account, ends, answers, listed)
        if isinstance(served, Missing):
            missing[account.pk] = served
        else:
            answered.append(served)
    in_order = tuple(missing[each.pk] for each in accounts if each.pk in missing)
    return ServedComparison(tuple(answered), in_order)


def _serves_lanes(account: CourierAccount) -> bool:
    return CourierFactory.adapter_class(account.courier_id).serves_lanes


def _ask(
    asked: list[CourierAccount],
    ends: list[tuple[str, str]],
    listed: Mapping[tuple[str, str], Serviceability],
) -> dict[tuple[str, str], Answer]:
    """Ask each courier about the ends that its list lacks. Returns futures by courier and end."""
    questions = [
        (account, end, origin)
        for account in asked
        for end, origin in ends
        if (account.courier_id, end) not in listed
    ]
    futures = call_for(
        ASK_SECONDS,
        [partial(check_pincode, account, end, origin) for account, end, origin in questions],
        name="serviceability",
    )
    return {
        (account.courier_id, end): future
        for (account, end, _), future in zip(questions, futures, strict=True)
    }


def _served(
    account: CourierAccount,
    ends: list[tuple[str, str]],
    answers: Mapping[tuple[str, str], Answer],
    listed: Mapping[tuple[str, str], Serviceability],
) -> Served | Missing:
    """Return a courier's answers, or why it lacks one. A fault of the platform is raised."""
    found = []
    for end, _ in ends:
        key = (account.courier_id, end)
        if key in listed:
            found.append((listed[key], ""))
            continue
        if not answers[key].done():
            log.warning("serviceability_late", account=account.pk)
            return late(account)
        try:
            found.append(answers[key].result())
        except CourierError as error:
            return missing_of(account, error)
    there, origin = found[0]
    return Served(account.courier_id, there, origin, found[1][0] if found[1:] else None)
