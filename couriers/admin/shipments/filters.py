"""The filters of the list of shipments. Each has an index that is in the list's order."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import RangeDateFilter

from couriers.contract.india.days import day_span
from couriers.models import Shipment
from couriers.models.ids import first_shipment_id
from couriers.operations.ndr_reasons import ndr_reasons

# Ids hold milliseconds since 1970: a day outside of these is no day of a shipment.
FIRST_DAY, LAST_DAY = dt.date(2000, 1, 1), dt.date(2200, 1, 1)


class ReasonFilter(admin.SimpleListFilter):
    """The reason of the courier why the last delivery failed."""

    title = "NDR reason"
    parameter_name = "ndr_reason"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(reason, reason) for reason in ndr_reasons()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Shipment]) -> QuerySet[Shipment]:
        if not self.value():
            return queryset
        return queryset.filter(ndr_reason=self.value())


class CreatedFilter(RangeDateFilter):
    """The days in India on which the order was taken, both included.

    An id says when its shipment was made. So the days are a range of ids, which every index of the
    list ends with.
    """

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        begin, end = (_day(self.used_parameters, f"created_at_{name}") for name in ("from", "to"))
        if begin is not None:
            queryset = queryset.filter(pk__gte=first_shipment_id(day_span(begin)[0]))
        if end is not None:
            queryset = queryset.filter(pk__lt=first_shipment_id(day_span(end)[1]))
        return queryset


def _day(parameters: Mapping[str, Any], name: str) -> dt.date | None:
    """The day of a parameter as the filter's form reads it, None where it says that it is none."""
    try:
        day = forms.DateField(required=False).clean(parameters.get(name))
    except ValidationError:
        return None
    return None if day is None else min(max(day, FIRST_DAY), LAST_DAY)
