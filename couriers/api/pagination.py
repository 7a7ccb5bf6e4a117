"""Keyset pagination: a page costs the same at any depth and any size of the table."""

from __future__ import annotations

from typing import Any, TypeVar

from django.conf import settings
from django.db.models import Model, QuerySet
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from couriers.conf import MAX_PAGE_SIZE, tunables

M = TypeVar("M", bound=Model)

PAGING = [
    OpenApiParameter("cursor", str, description="From `next`; leave out for the newest."),
    OpenApiParameter("page_size", int, description="1 to 200; 50 if left out."),
]


def page(request: Request, rows: QuerySet[M], *, prefix: str) -> tuple[list[M], str | None]:
    """The newest rows before `?cursor=`, and the URL of the next page or None.

    Their ids sort by time and begin with `prefix`; "" is for ids that are numbers.
    """
    size = _size(request)
    cursor = request.query_params.get("cursor", "")
    if cursor:
        number = cursor.isascii() and cursor.isdigit() and len(cursor) < 19
        ours = cursor.startswith(f"{prefix}_") if prefix else number
        if not ours or len(cursor) > 40 or not cursor.isprintable():
            raise ValidationError({"cursor": ["is not one of ours"]})
        rows = rows.filter(pk__lt=cursor)
    found = list(rows.order_by("-id")[: size + 1])
    if len(found) <= size:
        return found, None
    return found[:size], _url(request, cursor=found[size - 1].pk)


def _size(request: Request) -> int:
    text = request.query_params.get("page_size", str(tunables().PAGE_SIZE))
    number = text.isascii() and text.isdigit() and len(text) < 10
    if not number or not 1 <= int(text) <= MAX_PAGE_SIZE:
        raise ValidationError({"page_size": [f"must be 1 to {MAX_PAGE_SIZE}"]})
    return int(text)


def _url(request: Request, **changes: Any) -> str:
    params = request.query_params.copy()
    for key, value in changes.items():
        params[key] = value
    # Not by the request's own host and scheme: behind a proxy that ends TLS these are not ours.
    return f"{settings.APP_BASE_URL}{request.path_info}?{params.urlencode()}"
