"""The performance of a company's couriers by month, and by lane where that is asked."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import F, QuerySet
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan
from django.http import HttpResponse
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from couriers.api.authentication import company_of, is_test
from couriers.api.base import ApiView
from couriers.api.fields import moment
from couriers.api.filters import CourierFilter, filtered
from couriers.api.pagination import PAGING_IN_ORDER, next_page_url, page_size
from couriers.api.renderers import ApiRenderer, CsvRenderer
from couriers.api.schema import extend_schema
from couriers.booking.answers import time_text
from couriers.contract import india
from couriers.models import CourierPerformance
from couriers.models.performance import region_of
from couriers.operations.exports import csv_line
from couriers.rates.performance import last_months

DEFAULT_MONTHS = 6  # the current month and those before it, where none is asked for
MAX_MONTHS = 36
_MONTH = re.compile(r"(20[0-9]{2})-(0[1-9]|1[0-2])", re.ASCII)
_CURSOR = re.compile(
    r"(20[0-9]{2}-[0-9]{2})\.([-a-zA-Z0-9_]{1,30})\.([0-9]{2})?\.([0-9]{2})?", re.ASCII
)
_KEY = ("month", "courier", "pickup_region", "drop_region")

_MONTH_SCHEMA = {"type": "string", "pattern": "^20[0-9]{2}-(0[1-9]|1[0-2])$"}
FILTERS = [
    OpenApiParameter(
        "month_from", _MONTH_SCHEMA,
        description=f"The first month, such as 2026-09; by default {DEFAULT_MONTHS - 1} months "
        "before the last one.",
    ),
    OpenApiParameter(
        "month_to", _MONTH_SCHEMA,
        description=f"The last month, by default this one. At most {MAX_MONTHS} months.",
    ),
    OpenApiParameter(
        "courier", {"type": "string", "maxLength": 30}, description="This courier alone."
    ),
    OpenApiParameter(
        "lanes", {"type": "string", "enum": ["true", "false"]},
        description="Whether to answer a row for each lane in the place of one for all lanes.",
    ),
    OpenApiParameter(
        "pickup_pincode", {"type": "string", "maxLength": 20},
        description="Lanes that begin in the region of this pincode.",
    ),
    OpenApiParameter(
        "drop_pincode", {"type": "string", "maxLength": 20},
        description="Lanes that end in the region of this pincode.",
    ),
]  # fmt: skip


class PerformanceSerializer(serializers.Serializer[Any]):
    """What became of the shipments that were booked in a month with a courier, returns apart.

    A region is the first two digits of a pincode; it is null in a row of all lanes. `ended` are
    the `delivered`, `rto` (back, or on the way back) and `lost` (or damaged) ones. The shares of
    these are per cent of `ended`, `first_attempt_percent` is per cent of `delivered`.
    `average_days` is from booking to delivery. `average_attempts` is that of delivered and returned
    ones. Where there are none to divide by, it is null. `counted_at` is when it was counted.
    """

    month = serializers.CharField()
    courier = serializers.CharField()
    pickup_region = serializers.CharField(allow_null=True)
    drop_region = serializers.CharField(allow_null=True)
    booked = serializers.IntegerField()
    ended = serializers.IntegerField()
    delivered = serializers.IntegerField()
    rto = serializers.IntegerField()
    lost = serializers.IntegerField()
    delivered_percent = serializers.FloatField(allow_null=True)
    rto_percent = serializers.FloatField(allow_null=True)
    first_attempt_percent = serializers.FloatField(allow_null=True)
    average_days = serializers.FloatField(allow_null=True)
    average_attempts = serializers.FloatField(allow_null=True)
    counted_at = moment()


class PerformancePageSerializer(serializers.Serializer[Any]):
    """A page by month, the oldest first, then by courier and lane."""

    results = PerformanceSerializer(many=True)
    next = serializers.URLField(allow_null=True)


class PerformanceFilter(filters.FilterSet):
    """The filter by courier. The others are read in `_wanted`."""

    courier = CourierFilter()

    class Meta:
        model = CourierPerformance
        fields = ()


COLUMNS = tuple(PerformanceSerializer().fields)


class PerformanceView(ApiView):
    """Compare couriers."""

    renderer_classes = (ApiRenderer, CsvRenderer)

    @extend_schema(
        operation_id="list_courier_performance",
        parameters=[*PAGING_IN_ORDER, *FILTERS],
        responses={
            (200, "application/json"): PerformancePageSerializer,
            (200, "text/csv"): OpenApiTypes.STR,
        },
    )
    def get(self, request: Request) -> HttpResponse:
        """How the company's couriers did in each month, on all lanes or by lane.

        A month is that of the booking, in India. It is counted again every hour, and from the
        third on every day. Test shipments are not counted, so a test key sees none. With
        `Accept: text/csv` a page is CSV, and the URL of the next page is in `Link`.
        """
        found, following = _page(request, _wanted(request))
        rows = [_data(row) for row in found]
        if isinstance(request.accepted_renderer, CsvRenderer):
            response = HttpResponse(_csv(rows), content_type=CsvRenderer.content_type)
            if following:
                response["Link"] = f'<{following}>; rel="next"'
            return response
        return Response({"results": rows, "next": following})


def _wanted(request: Request) -> QuerySet[CourierPerformance]:
    """Return the company's rows that the query chooses. Raises ValidationError."""
    given = request.query_params
    first, last = _months(request)
    rows: Any = CourierPerformance.objects.filter(
        company=company_of(request), month__gte=first, month__lte=last
    )
    if is_test(request):
        rows = rows.none()
    rows = filtered(request, PerformanceFilter, rows)
    regions = {
        f"{end}_region": region_of(_pincode(request, f"{end}_pincode"))
        for end in ("pickup", "drop")
        if f"{end}_pincode" in given
    }
    lanes = given.get("lanes", "true" if regions else "false")
    if lanes not in ("true", "false"):
        raise ValidationError({"lanes": ["must be one of true, false"]})
    if lanes == "false" and regions:
        raise ValidationError({"lanes": ["must be true for the lanes of a pincode"]})
    return rows.lanes().filter(**regions) if lanes == "true" else rows.totals()


def _months(request: Request) -> tuple[dt.date, dt.date]:
    last = _month(request, "month_to") or last_months(1)[0]
    first = _month(request, "month_from") or last_months(DEFAULT_MONTHS, last)[-1]
    if first > last:
        raise ValidationError({"month_from": ["is after the last month"]})
    if first < last_months(MAX_MONTHS, last)[-1]:
        raise ValidationError({"month_from": [f"begins more than {MAX_MONTHS} months"]})
    return first, last


def _month(request: Request, name: str) -> dt.date | None:
    """Return the first day of the month that a parameter names; None where it is not given."""
    text = request.query_params.get(name)
    if text is None:
        return None
    if not _MONTH.fullmatch(text):
        raise ValidationError({name: ["is not a month like 2026-11"]})
    return dt.date.fromisoformat(f"{text}-01")


def _pincode(request: Request, name: str) -> str:
    pincode = india.clean_pincode(request.query_params[name])
    if problem := india.pincode_problem(pincode):
        raise ValidationError({name: [problem]})
    return pincode


def _page(
    request: Request, rows: QuerySet[CourierPerformance]
) -> tuple[list[CourierPerformance], str | None]:
    """Return the page and the next page's URL, whose cursor is the key of the page's last row.

    A row has no lasting id. Raises ValidationError naming `cursor` or `page_size`.
    """
    size = page_size(request)
    if cursor := request.query_params.get("cursor", ""):
        key = _CURSOR.fullmatch(cursor)
        month = _MONTH.fullmatch(key[1]) if key else None
        if key is None or month is None or bool(key[3]) != bool(key[4]):
            raise ValidationError({"cursor": ["is not a cursor of this list"]})
        after = (f"{key[1]}-01", key[2], key[3] or "", key[4] or "")
        rows = rows.filter(TupleGreaterThan(Tuple(*map(F, _KEY)), after))
    found = list(rows.order_by(*_KEY)[: size + 1])
    if len(found) <= size:
        return found, None
    last = found[size - 1]
    cursor = f"{last.month:%Y-%m}.{last.courier_id}.{last.pickup_region}.{last.drop_region}"
    return found[:size], next_page_url(request, cursor=cursor)


def _data(row: CourierPerformance) -> dict[str, Any]:
    plain = {name: getattr(row, name) for name in COLUMNS[4:]}
    return {
        "month": f"{row.month:%Y-%m}",
        "courier": row.courier_id,
        "pickup_region": row.pickup_region or None,
        "drop_region": row.drop_region or None,
        **plain,
    }


def _csv(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """Return the rows as CSV below a heading. What is null is empty."""
    lines = [csv_line(COLUMNS)]
    for row in rows:
        values = (
            time_text(value) if isinstance(value, dt.datetime) else value
            for value in (row[name] for name in COLUMNS)
        )  # fmt: skip
        lines.append(csv_line("" if value is None else str(value) for value in values))
    return "".join(lines).encode()
