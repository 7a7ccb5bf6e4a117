"""Which couriers did best on a lane, by the figures of the last months (models/performance.py)."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping

from django.db.models import Q

from couriers.contract import india
from couriers.models import Company, CourierPerformance
from couriers.models.performance import PerformanceSums, region_of

BEST_MONTHS = 3  # the current month, and the two before it
# Fewer shipments than these are too few: one return more or less moves the share of deliveries by
# more than 3 per cent, which is as much as couriers usually differ.
MIN_ENDED = 30


def best_couriers(
    company: Company, pickup_pincode: str, drop_pincode: str, couriers: Iterable[str]
) -> list[str]:
    """Return those of the couriers (codes) whose figures suffice, the best first.

    A courier is better that delivers a larger share of what has ended (in whole per cent), then one
    that is faster from booking to delivery, then one with a larger share of first attempts. At
    least MIN_ENDED shipments must have ended in the last BEST_MONTHS months. Where fewer than two
    couriers have as many on the lane, all lanes of the company are compared instead. A courier with
    too few of them is left out, so the list may be empty: the caller then has another order. One
    statement, over live shipments alone.
    """
    codes = sorted(set(couriers))
    on_lane, everywhere = _figures(
        company, region_of(pickup_pincode), region_of(drop_pincode), codes
    )
    known = _with_enough(on_lane)
    if len(known) < min(2, len(codes)):
        known = _with_enough(everywhere)
    return sorted(known, key=lambda code: (_order(known[code]), code))


def last_months(count: int, last: dt.date | None = None) -> list[dt.date]:
    """Return the first days of `last` and of the months before it, the newest first.

    `last` is the first day of a month, by default of this one in India.
    """
    months = [last or india.today().replace(day=1)]
    while len(months) < count:
        months.append((months[-1] - dt.timedelta(days=1)).replace(day=1))
    return months


def _figures(
    company: Company, pickup: str, drop: str, codes: list[str]
) -> tuple[Mapping[str, PerformanceSums], Mapping[str, PerformanceSums]]:
    """Return the sums by courier on the lane, and on all lanes."""
    found: dict[str, dict[str, PerformanceSums]] = defaultdict(dict)
    rows = CourierPerformance.objects.filter(
        Q(pickup_region="") | Q(pickup_region=pickup, drop_region=drop),
        company=company,
        month__in=last_months(BEST_MONTHS),
        courier__in=codes,
    )
    for (region, code), sums in rows.sums_by("pickup_region", "courier_id"):
        found[region][code] = sums
    return found[pickup], found[""]


def _with_enough(figures: Mapping[str, PerformanceSums]) -> dict[str, PerformanceSums]:
    return {code: sums for code, sums in figures.items() if sums.ended >= MIN_ENDED}


def _order(sums: PerformanceSums) -> tuple[float, ...]:
    """The best first: the share of deliveries in whole per cent, then days, then first attempts."""
    if not sums.delivered:
        return (0.0,)
    share = round(100 * sums.delivered / sums.ended)
    return (
        -share,
        sums.delivery_seconds / sums.delivered,
        -sums.first_attempt / sums.delivered,
    )
