"""Whether the last bookings with a company's accounts all ended without a parcel, and why.

An empty wallet or the other environment's key shows in no test of a login: the courier says it when
it is asked to book. What it said is kept with the shipment, or with the attempt that is over.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from couriers.contract.masking import mask_text
from couriers.contract.statuses import Status
from couriers.models import Company, Shipment

LOOKED_AT = 200  # attempts of the company, the newest
ENOUGH = 3  # bookings without a parcel in a row: one or two may be the orders' own fault


@dataclass(frozen=True, slots=True)
class Refusals:
    """How many bookings in a row had no parcel, what the newest one's courier said, and when."""

    count: int
    reason: str
    at: dt.datetime


def refusals_of(company: Company) -> Mapping[str, Refusals]:
    """Return the accounts (ids) whose last bookings, ENOUGH or more, all had no parcel.

    One statement, by indexes.
    """
    found: dict[str, Refusals] = {}
    ended: set[str] = set()  # accounts whose row of refusals a booking has ended
    for booking in _newest_first(company):
        if booking.has_parcel:
            ended.add(booking.account)
        elif booking.account not in ended:
            first = found.get(booking.account, Refusals(0, booking.reason, booking.at))
            found[booking.account] = Refusals(first.count + 1, first.reason, first.at)
    return {account: one for account, one in found.items() if one.count >= ENOUGH}


@dataclass(frozen=True, slots=True)
class _Booking:
    """What became of one attempt to book."""

    account: str
    has_parcel: bool
    reason: str
    at: dt.datetime


def _newest_first(company: Company) -> Iterator[_Booking]:
    """Yield the newest attempts to book, without one that is under way."""
    rows = Shipment.objects.filter(company=company).order_by("-id", "-earlier_attempts__number")
    seen = ""
    for pk, account, status, failure, created_at, earlier, reason, ended_at in rows.values_list(
        "pk", "account_id", "status", "failure", "created_at", "earlier_attempts__account_id",
        "earlier_attempts__reason", "earlier_attempts__ended_at",
    )[:LOOKED_AT]:  # fmt: skip
        # The last attempt of a failed shipment is an earlier one, too.
        is_own = status != Status.BOOKING and (status != Status.FAILED or earlier is None)
        if pk != seen and is_own:
            has_parcel = status not in (Status.IN_DOUBT, Status.FAILED)
            yield _Booking(account, has_parcel, mask_text(failure), created_at)
        if earlier is not None:
            yield _Booking(earlier, False, mask_text(reason), ended_at)
        seen = pk
