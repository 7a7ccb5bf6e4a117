"""The performance of couriers: charts by month, and below them the rows by company or lane."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.contrib import admin
from django.db.models import Min, QuerySet
from django.http import HttpRequest
from django.utils.formats import date_format
from unfold.decorators import display

from couriers.admin.base import ReadOnlyAdmin
from couriers.admin.drawing import Chart, draw
from couriers.admin.registration import page
from couriers.models import CourierPerformance
from couriers.models.performance import PerformanceSums
from couriers.rates.performance import last_months

CHARTED_MONTHS = 6
LISTED_MONTHS = 36

Value = Callable[[PerformanceSums], float | None]
# By courier and month.
Figures = Mapping[str, Mapping[dt.date, PerformanceSums]]


class RowsFilter(admin.SimpleListFilter):
    """Shows the rows of all lanes together, which are not to be added to those of lanes."""

    title = "rows"
    parameter_name = "rows"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("lanes", "By lane")]

    def choices(self, changelist: Any) -> Any:
        """The choices. What Django names All is the rows of all lanes together."""
        for choice in super().choices(changelist):
            yield choice | {"display": "All lanes"} if choice["display"] == "All" else choice

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.lanes() if self.value() == "lanes" else queryset.totals()


class MonthFilter(admin.SimpleListFilter):
    """Filters by a month of booking."""

    title = "month"
    parameter_name = "month"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(f"{one:%Y-%m}", date_format(one, "F Y")) for one in last_months(LISTED_MONTHS)]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        months = {f"{one:%Y-%m}": one for one in last_months(LISTED_MONTHS)}
        chosen = months.get(self.value() or "")
        return queryset if chosen is None else queryset.filter(month=chosen)


@page(CourierPerformance)
class CourierPerformanceAdmin(ReadOnlyAdmin):
    """Couriers side by side. The filters hold for the charts, too."""

    company_path = "company"
    list_before_template = "admin/shipcrowd_couriers/performance.html"
    # The order of an index, backwards.
    ordering = ("-pickup_region", "-month", "-company", "-courier", "-drop_region")
    list_display = (
        "shown_month", "company", "courier", "lane", "booked", "ended", "shown_delivered",
        "shown_rto", "shown_lost", "shown_days", "shown_attempts", "shown_first",
    )  # fmt: skip
    list_filter = (RowsFilter, MonthFilter, "courier", "company")
    list_select_related = ("company", "courier")
    search_fields = ("=company__slug",)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """The list, with charts of the last months for the rows that the filters leave."""
        response = super().changelist_view(request, extra_context)
        context = getattr(response, "context_data", None)
        if context and "cl" in context:
            context |= _charts(context["cl"].queryset)
        return response

    @display(description="Month")
    def shown_month(self, row: CourierPerformance) -> str:
        return date_format(row.month, "M Y")

    @display(description="Lane")
    def lane(self, row: CourierPerformance) -> str:
        return f"{row.pickup_region} to {row.drop_region}" if row.pickup_region else "all"

    @display(description="Delivered")
    def shown_delivered(self, row: CourierPerformance) -> str:
        return _shown(row.delivered_percent, "%")

    @display(description="RTO")
    def shown_rto(self, row: CourierPerformance) -> str:
        return _shown(row.rto_percent, "%")

    @display(description="Lost")
    def shown_lost(self, row: CourierPerformance) -> str:
        return str(row.lost)

    @display(description="Days")
    def shown_days(self, row: CourierPerformance) -> str:
        return _shown(row.average_days)

    @display(description="Attempts")
    def shown_attempts(self, row: CourierPerformance) -> str:
        return _shown(row.average_attempts)

    @display(description="First attempt")
    def shown_first(self, row: CourierPerformance) -> str:
        return _shown(row.first_attempt_percent, "%")


def _shown(value: float | None, suffix: str = "") -> str:
    return "-" if value is None else f"{value}{suffix}"


def _charts(rows: QuerySet[Any]) -> dict[str, Any]:
    """Return the charts of the rows' last months, and when the oldest of them was counted."""
    months = sorted(last_months(CHARTED_MONTHS))
    recent: Any = rows.filter(month__in=months)
    figures: dict[str, dict[dt.date, PerformanceSums]] = defaultdict(dict)
    for (name, month), sums in recent.sums_by("courier__name", "month"):
        figures[name][month] = sums
    as_of = recent.order_by().aggregate(oldest=Min("counted_at"))["oldest"]
    shown = [
        _chart(figures, months, "RTO", "Of the shipments that have ended, the share that turned "
               "back", lambda one: one.rto_percent, "%"),
        _chart(figures, months, "Days to delivery", "From booking to delivery, on average",
               lambda one: one.average_days, " days"),
        _chart(figures, months, "First attempt", "Of the delivered, those delivered at the "
               "first attempt", lambda one: one.first_attempt_percent, "%"),
        _chart(figures, months, "Booked", "Shipments that were booked in the month",
               lambda one: one.booked, ""),
    ]  # fmt: skip
    return {"charts": shown, "as_of": as_of}


def _chart(
    figures: Figures,
    months: Sequence[dt.date],
    title: str,
    meaning: str,
    value: Value,
    suffix: str,
) -> Chart:
    none = PerformanceSums()
    series = {
        name: [value(by_month.get(month, none)) for month in months]
        for name, by_month in figures.items()
    }
    sums = PerformanceSums.of(one for by_month in figures.values() for one in by_month.values())
    labels = [date_format(month, "M Y") for month in months]
    kind = "line" if suffix else "bar"
    return draw(title, meaning, kind, labels, series, total=value(sums), suffix=suffix)
