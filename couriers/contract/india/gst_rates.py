"""The GST rates that a line of goods can carry, by date. The list is data, because it changes.

A rate is the whole tax: IGST, or CGST and SGST together. Sources: notifications 1/2017, 2/2017,
40/2017, 1/2022 and 6/2022 CT(R), 9/2025, 14/2025 and 19/2025. A change of rates is a line here.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from couriers.contract.india.remarks import Remark

GST_BEGAN = dt.date(2017, 7, 1)
_REFORM = dt.date(2025, 9, 22)
_TOBACCO_CHANGE = dt.date(2026, 2, 1)

_BRICKS = ("6815", "69010010", "69041000", "69051000")
_DIAMONDS = ("7102", "7104")
_TOBACCO = ("21069020", "24")  # pan masala, and the chapter of tobacco


@dataclass(frozen=True, slots=True)
class RatePeriod:
    """A rate in per cent that held from `first`, before `end` (None: still).

    `goods` are the beginnings of the HSN codes that it is for; () for no particular goods.
    """

    percent: Decimal
    first: dt.date
    end: dt.date | None = None
    goods: tuple[str, ...] = ()

    def holds_on(self, day: dt.date) -> bool:
        """Whether the rate was in force on a day."""
        return self.first <= day and (self.end is None or day < self.end)

    def is_for(self, hsn_code: str) -> bool:
        """Whether goods with this HSN code can have the rate. A short code may be one of them."""
        return not self.goods or any(
            hsn_code.startswith(code) or (hsn_code and code.startswith(hsn_code))
            for code in self.goods
        )


RATES = (
    RatePeriod(Decimal("0"), GST_BEGAN),
    RatePeriod(Decimal("0.1"), dt.date(2017, 10, 23)),
    RatePeriod(Decimal("0.25"), GST_BEGAN),
    RatePeriod(Decimal("1.5"), dt.date(2022, 7, 18), goods=_DIAMONDS),
    RatePeriod(Decimal("3"), GST_BEGAN),
    RatePeriod(Decimal("5"), GST_BEGAN),
    RatePeriod(Decimal("6"), dt.date(2022, 4, 1), goods=_BRICKS),
    RatePeriod(Decimal("12"), GST_BEGAN, end=_REFORM),
    RatePeriod(Decimal("12"), _REFORM, goods=_BRICKS),
    RatePeriod(Decimal("18"), GST_BEGAN),
    RatePeriod(Decimal("28"), GST_BEGAN, end=_REFORM),
    RatePeriod(Decimal("28"), _REFORM, end=_TOBACCO_CHANGE, goods=_TOBACCO),
    RatePeriod(Decimal("40"), _REFORM),
)


def gst_rate_problem(rate: Decimal, day: dt.date) -> str | None:
    """Return why no goods can have had the rate in per cent by a day, or None.

    A rate that was withdrawn before the day is no problem but a remark (`gst_rate_remark`): goods
    that were invoiced or paid for before a change keep the former rate, and so do their returns.
    """
    if rate.is_finite() and any(p.percent == rate and p.first <= day for p in RATES):
        return None
    return (
        f"is not a GST rate on {day}{_hint(rate, day)}"
        f" (the rates are {_in_force(day)}; *: of certain goods only)"
    )


def gst_rate_remark(rate: Decimal, day: dt.date, hsn_code: str) -> Remark | None:
    """Return a remark on a rate that is withdrawn, or that is only for other goods."""
    periods = [p for p in RATES if p.percent == rate and p.first <= day]
    current = [p for p in periods if p.holds_on(day)]
    if not periods or any(p.is_for(hsn_code) for p in current):
        return None
    ended = max((p.end for p in periods if p.end and p.is_for(hsn_code)), default=None)
    if ended:
        return Remark(
            "gst_rate_withdrawn", f"was withdrawn on {ended}: on {day} goods have another GST rate"
        )
    codes = ", ".join(code for period in periods for code in period.goods)
    return Remark("gst_rate_of_other_goods", f"is the GST rate of HSN codes {codes} only")


def _in_force(day: dt.date) -> str:
    """Return the rates of a day, each that is not for all goods marked with a star."""
    all_goods = {p.percent for p in RATES if p.holds_on(day) and not p.goods}
    rates = sorted({p.percent for p in RATES if p.holds_on(day)})
    return ", ".join(f"{rate}" if rate in all_goods else f"{rate}*" for rate in rates)


def _hint(rate: Decimal, day: dt.date) -> str:
    """Return a guess of what was meant by a fraction of 1, or by one half of the tax."""
    if not rate.is_finite() or rate <= 0 or rate >= 100:
        return ""
    known = {p.percent for p in RATES if p.first <= day}
    if rate < 1 and rate * 100 in known:
        return f": was {(rate * 100).normalize():f} meant?"
    if rate * 2 in known:
        return f": it is half of {(rate * 2).normalize():f}, as CGST and SGST each have it"
    return ""
