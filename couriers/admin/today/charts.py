"""The charts of the first page, by day and courier, each with a table of the same numbers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Min, Q, Sum
from django.utils.formats import date_format

from couriers.admin.drawing import Chart, draw
from couriers.models import DayFigure
from couriers.operations.day_figures import COUNTS, last_days
from couriers.operations.staff import companies_of

WINDOWS = {1: "Today", 7: "7 days", 30: "30 days"}
DEFAULT_WINDOW = 7
Figures = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Charts:
    """The charts of a window. `as_of` is when its oldest count was made, None where days lack."""

    days: int
    as_of: dt.datetime | None
    shown: Sequence[Chart]
    windows: Sequence[tuple[int, str]] = tuple(WINDOWS.items())


@dataclass(slots=True)
class _Counted:
    """The figures by day and courier, with the couriers' names and the days' time of counting."""

    days: list[dt.date]
    figures: dict[tuple[dt.date, str], Figures] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    counted_at: dict[dt.date, dt.datetime] = field(default_factory=dict)

    def of(self, day: dt.date, courier: str) -> Figures:
        return self.figures.get((day, courier), dict.fromkeys(COUNTS, 0))

    def sums(self) -> Figures:
        return {name: sum(one[name] for one in self.figures.values()) for name in COUNTS}


Value = Callable[[Figures], float | None]


def window_of(given: str | None) -> int:
    """Return the number of days that was asked for, or the default one."""
    return next((days for days in WINDOWS if str(days) == given), DEFAULT_WINDOW)


def charts_for(user: Any, days: int) -> Charts:
    """Return the charts of the last days, of the companies that the user may see."""
    counted = _read(user, sorted(last_days(days)))
    times = [counted.counted_at.get(day) for day in counted.days]
    known = [at for at in times if at is not None]
    as_of = min(known) if len(known) == len(times) else None
    shown = [
        _chart(
            counted, "Bookings", "Shipments that were booked on the day", "bar", _count("booked"),
        ),
        _chart(
            counted, "Delivered", "Shipments that were delivered on the day", "bar",
            _count("delivered"),
        ),
        _chart(
            counted, "NDR rate",
            "Of the shipments that a courier tried to deliver on the day, the share with a failed "
            "attempt", "line", _share("undelivered"),
        ),
        _chart(
            counted, "RTO rate",
            "Of the shipments that were delivered or turned back on the day, the share that turned "
            "back", "line", _share("returned"),
        ),
    ]  # fmt: skip
    return Charts(days, as_of, shown)


def _read(user: Any, days: list[dt.date]) -> _Counted:
    """Read the figures in one statement, with those rows that say when a day was counted."""
    ids = companies_of(user)
    visible = Q() if ids is None else Q(company=None) | Q(company__in=ids)
    rows = (
        DayFigure.objects.filter(visible, day__gte=days[0], day__lte=days[-1])
        .order_by("courier__name")
        .values_list("day", "courier_id", "courier__name")
        .annotate(Min("counted_at"), *(Sum(name) for name in COUNTS))
    )
    counted = _Counted(days)
    for day, courier, name, counted_at, *sums in rows:
        if courier is None:
            counted.counted_at[day] = counted_at
        else:
            counted.names[courier] = name
            counted.figures[day, courier] = dict(zip(COUNTS, sums, strict=True))
    return counted


def _count(name: str) -> Value:
    return lambda figures: figures[name]


def _share(name: str) -> Value:
    """The share, in per cent, of those with `name` among them and the delivered."""

    def share(figures: Figures) -> float | None:
        among = figures["delivered"] + figures[name]
        return round(100 * figures[name] / among, 1) if among else None

    return share


def _chart(counted: _Counted, title: str, meaning: str, kind: str, value: Value) -> Chart:
    labels = [date_format(day, "j M") for day in counted.days]
    series = {
        name: [value(counted.of(day, code)) for day in counted.days]
        for code, name in counted.names.items()
    }
    suffix = "%" if kind == "line" else ""
    return draw(title, meaning, kind, labels, series, total=value(counted.sums()), suffix=suffix)
