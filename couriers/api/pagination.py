"""Keyset pagination: the last page costs as little as the first, whatever the table's size."""

from __future__ import annotations

from typing import TypeVar

from django.db.models import Model, QuerySet
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from couriers.conf import MAX_PAGE_SIZE, tunables
from couriers.models.addresses import public_url

M = TypeVar("M", bound=Model)

MAX_ID_LENGTH = 40
MAX_CURSOR_LENGTH = 64  # of a list in the order of a time

PAGING = [
    OpenApiParameter(
        "cursor",
        {"type": "string", "maxLength": MAX_CURSOR_LENGTH},
        description="The cursor in the URL of `next`. Without it the page has the newest.",
    ),
    OpenApiParameter(
        "page_size",
        {"type": "integer", "minimum": 1, "maximum": MAX_PAGE_SIZE},
        description="Rows of a page, 50 by default.",
    ),
]


PAGING_IN_ORDER = [
    OpenApiParameter(
        "cursor",
        {"type": "string", "maxLength": MAX_CURSOR_LENGTH},
        description="The cursor in the URL of `next`. Without it the page has the first.",
    ),
    PAGING[1],
]


def page(
    request: Request, rows: QuerySet[M], *, prefix: str, ascending: bool = False
) -> tuple[list[M], str | None]:
    """The rows of the page that the query asks for, newest first, and the next page's URL or None.

    The rows' ids must sort by time. They begin with `prefix`, or are numbers where it is "". With
    `ascending` the oldest come first. Raises ValidationError naming `cursor` or `page_size`.
    """
    size = page_size(request)
    cursor = request.query_params.get("cursor", "")
    if cursor:
        is_number = cursor.isascii() and cursor.isdigit() and len(cursor) < 19
        is_id = cursor.startswith(f"{prefix}_") if prefix else is_number
        if not is_id or len(cursor) > MAX_ID_LENGTH or not cursor.isprintable():
            raise ValidationError({"cursor": ["is not a cursor of this list"]})
        rows = rows.filter(pk__gt=cursor) if ascending else rows.filter(pk__lt=cursor)
    found = list(rows.order_by("id" if ascending else "-id")[: size + 1])
    if len(found) <= size:
        return found, None
    return found[:size], next_page_url(request, cursor=str(found[size - 1].pk))


def page_in_order(request: Request, rows: QuerySet[M], *, by: str) -> tuple[list[M], str | None]:
    """Return the rows as `page` does, but by a number that each has once, the lowest first.

    Raises ValidationError naming `cursor` or `page_size`.
    """
    size = page_size(request)
    cursor = request.query_params.get("cursor", "")
    if cursor:
        if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 10):
            raise ValidationError({"cursor": ["is not a cursor of this list"]})
        rows = rows.filter(**{f"{by}__gt": int(cursor)})
    found = list(rows.order_by(by)[: size + 1])
    if len(found) <= size:
        return found, None
    return found[:size], next_page_url(request, cursor=str(getattr(found[size - 1], by)))


def page_size(request: Request) -> int:
    """The number of rows of a page that the query asks for. Raises ValidationError."""
    text = request.query_params.get("page_size", str(tunables().PAGE_SIZE))
    is_number = text.isascii() and text.isdigit() and len(text) < 10
    if not is_number or not 1 <= int(text) <= MAX_PAGE_SIZE:
        raise ValidationError({"page_size": [f"must be 1 to {MAX_PAGE_SIZE}"]})
    return int(text)


def next_page_url(request: Request, cursor: str) -> str:
    """The public URL of the request with another cursor."""
    params = request.query_params.copy()
    params["cursor"] = cursor
    # Behind a proxy that ends TLS, the request's host and scheme are not the public ones.
    return public_url(f"{request.path_info}?{params.urlencode()}")
