"""Orders of the list of shipments, each paged by a key: no page costs more than the first."""

from __future__ import annotations

import datetime as dt
import enum
import re
from typing import Any

from django.db.models import F, QuerySet
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan, TupleLessThan
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from couriers.api.pagination import next_page_url, page, page_size
from couriers.models import Shipment

EXACT_TOTAL = 10_000  # rows that are counted at most
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)
_CURSOR = re.compile(r"([0-9]{1,18})\.(shp_[0-9a-z]{1,36})", re.ASCII)


class Sort(enum.StrEnum):
    """The orders. A shipment's id says when it was created."""

    NEWEST = "-created_at"
    OLDEST = "created_at"
    LATEST_CHANGE = "-updated_at"
    EARLIEST_CHANGE = "updated_at"


SORTING = [
    OpenApiParameter(
        "sort",
        {"type": "string", "enum": list(Sort)},
        description="The order of the list; by default the newest come first.",
    ),
    OpenApiParameter(
        "total",
        {"type": "string", "enum": ["true", "false"]},
        description=f"Whether to count all that the filters leave, up to {EXACT_TOTAL:,}.",
    ),
]


def sorted_page(request: Request, rows: QuerySet[Shipment]) -> tuple[list[Shipment], str | None]:
    """The page of the shipments that the query asks for, and the next page's URL or None.

    Raises ValidationError naming `sort`, `cursor` or `page_size`.
    """
    sort = _choice(request, "sort", list(Sort), Sort.NEWEST)
    if sort in (Sort.NEWEST, Sort.OLDEST):
        return page(request, rows, prefix="shp", ascending=sort == Sort.OLDEST)
    size = page_size(request)
    ascending = sort == Sort.EARLIEST_CHANGE
    if cursor := request.query_params.get("cursor", ""):
        rows = rows.filter(_after(cursor, ascending=ascending))
    order = ("updated_at", "id") if ascending else ("-updated_at", "-id")
    found = list(rows.order_by(*order)[: size + 1])
    if len(found) <= size:
        return found, None
    last = found[size - 1]
    at = (last.updated_at - _EPOCH) // _MICROSECOND
    return found[:size], next_page_url(request, cursor=f"{at}.{last.pk}")


def total_of(request: Request, rows: QuerySet[Shipment]) -> dict[str, int | bool] | None:
    """Return how many rows there are, if the query asks for it. Raises ValidationError.

    More than EXACT_TOTAL are not counted, which would take long.
    """
    if _choice(request, "total", ["true", "false"], "false") == "false":
        return None
    count = rows.order_by()[: EXACT_TOTAL + 1].count()
    return {"count": min(count, EXACT_TOTAL), "exact": count <= EXACT_TOTAL}


def _choice(request: Request, name: str, choices: list[str], default: str) -> str:
    value = request.query_params.get(name, default)
    if value not in choices:
        raise ValidationError({name: [f"must be one of {', '.join(choices)}"]})
    return value


def _after(cursor: str, *, ascending: bool) -> Any:
    """The condition for rows behind the cursor, which the index answers. Raises ValidationError."""
    found = _CURSOR.fullmatch(cursor)
    try:
        at = _EPOCH + int(found[1]) * _MICROSECOND if found else None
    except OverflowError:
        at = None
    if found is None or at is None:
        raise ValidationError({"cursor": ["is not a cursor of this list in this order"]})
    behind = TupleGreaterThan if ascending else TupleLessThan
    return behind(Tuple(F("updated_at"), F("id")), (at, found[2]))
