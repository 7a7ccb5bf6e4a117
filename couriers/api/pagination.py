"""Keyset pagination: a page costs the same at any depth and any size of the table."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from couriers.conf import tunables
from couriers.models import Shipment

LARGEST_PAGE = 200


def page(request: Request, shipments: QuerySet[Shipment]) -> tuple[list[Shipment], str | None]:
    """The newest shipments before `?cursor=`, and the URL of the next page or None."""
    size = _size(request)
    cursor = request.query_params.get("cursor", "")
    if cursor:
        if not cursor.startswith("shp_") or len(cursor) > 40:
            raise ValidationError({"cursor": ["is not one of ours"]})
        shipments = shipments.filter(pk__lt=cursor)
    found = list(shipments.order_by("-id")[: size + 1])
    if len(found) <= size:
        return found, None
    return found[:size], _url(request, cursor=found[size - 1].pk)


def _size(request: Request) -> int:
    text = request.query_params.get("page_size", str(tunables().PAGE_SIZE))
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= LARGEST_PAGE):
        raise ValidationError({"page_size": [f"must be 1 to {LARGEST_PAGE}"]})
    return int(text)


def _url(request: Request, **changes: Any) -> str:
    params = request.query_params.copy()
    for key, value in changes.items():
        params[key] = value
    return str(request.build_absolute_uri(f"{request.path}?{params.urlencode()}"))
