"""Shipments over the API: book, list and show them, and list their scans."""

from __future__ import annotations

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.decorators import action
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from couriers.api.authentication import company_of, is_test
from couriers.api.conditional import (
    ETAG,
    IF_MATCH,
    IF_NONE_MATCH,
    JSON,
    conditional_response,
    refuse_changed,
    tag_of,
)
from couriers.api.documents import ShipmentDocuments
from couriers.api.expansion import (
    CONSIGNEE,
    EXPAND,
    EXPAND_LIST,
    ShipmentDetailSerializer,
    expanded,
    words_of,
)
from couriers.api.filters import ShipmentFilter
from couriers.api.headers import IN_DOUBT, ask_later
from couriers.api.pagination import PAGING
from couriers.api.problem_schema import BOOKING, problems
from couriers.api.renderers import CsvRenderer
from couriers.api.schema import extend_schema
from couriers.api.serializers import (
    ScanSerializer,
    ShipmentDraftSerializer,
    ShipmentPageSerializer,
    ShipmentSerializer,
)
from couriers.api.shipment_changes import ShipmentChangeSerializer
from couriers.api.shipment_csv import shipments_csv
from couriers.api.sorting import SORTING, sorted_page, total_of
from couriers.booking.answers import (
    ENCRYPTED_CONSIGNEE,
    prefetch_attempts,
    scan_data,
    shipment_data,
    shipment_json,
    to_json,
)
from couriers.booking.drafts import MAX_KEY_LENGTH, clean_key
from couriers.booking.metadata import MAX_KEYS, MAX_VALUE
from couriers.booking.protocol import book
from couriers.booking.settling import BookingResult
from couriers.models import Scope
from couriers.models.addresses import path_of
from couriers.operations.merchant_changes import change_shipment

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": MAX_KEY_LENGTH},
    OpenApiParameter.HEADER,
    description="1 to 255 characters that identify the booking. Without it the order number does.",
)

Renderers = list[BaseRenderer]  # the view set has a method of this name
# Of the list's parameters, those that filter nothing. Without others no filters are made.
_NO_FILTERS = frozenset({"cursor", "page_size", "sort", "total", "expand"})
METADATA = OpenApiParameter(
    "metadata",
    {
        "type": "object",
        "maxProperties": MAX_KEYS,
        "additionalProperties": {"type": "string", "minLength": 1, "maxLength": MAX_VALUE},
    },
    OpenApiParameter.QUERY,
    style="deepObject",
    explode=True,
    description="Values that the metadata must have, as in `metadata[cart]=c-77`.",
)
NEXT_PAGE = OpenApiParameter(
    "Link",
    {"type": "string"},
    OpenApiParameter.HEADER,
    response=[200],
    description="The URL of the next page (`rel=next`), for CSV.",
)


def idempotency_key(request: Request) -> str | None:
    """The request's Idempotency-Key, or None without one. Raises InvalidRequest for a bad one."""
    key = request.headers.get("Idempotency-Key")
    return None if key is None else clean_key(key)


def booking_response(result: BookingResult) -> HttpResponse:
    """The response of a booking, in the same bytes that are stored for its key."""
    response = HttpResponse(result.body, status=result.status_code, content_type="application/json")
    response["Location"] = path_of("couriers_api:shipment-detail", result.shipment.pk)
    ask_later(response, IN_DOUBT)
    if result.replayed:
        response["Idempotent-Replayed"] = "true"
    return response


class ShipmentViewSet(ShipmentDocuments):
    """The company's shipments."""

    filterset_class = ShipmentFilter

    @extend_schema(
        operation_id="book_shipment",
        scope=Scope.BOOK,
        request=ShipmentDraftSerializer,
        parameters=[IDEMPOTENCY_KEY],
        responses={201: ShipmentSerializer, 202: ShipmentSerializer, **problems(*BOOKING)},
    )
    def create(self, request: Request) -> HttpResponse:
        """Book a shipment.

        201: booked. 202: in doubt; ask for the shipment at `Location`, and do not book again. A
        repeated request with the same key gets the same bytes, with `Idempotent-Replayed: true`.
        """
        serializer = ShipmentDraftSerializer.from_data(request.data)
        result = book(
            company_of(request),
            serializer.draft(),
            key=idempotency_key(request),
            is_test=is_test(request),
        )
        return booking_response(result)

    def get_renderers(self) -> Renderers:
        """The list has a second format: a page of it as CSV."""
        found = super().get_renderers()
        return [*found, CsvRenderer()] if getattr(self, "action", "") == "list" else found

    @extend_schema(
        parameters=[*PAGING, *SORTING, METADATA, EXPAND_LIST, IF_NONE_MATCH, ETAG, NEXT_PAGE],
        responses={
            (200, JSON): ShipmentPageSerializer,
            (200, CsvRenderer.media_type): OpenApiTypes.STR,
            304: None,
        },
    )
    def list(self, request: Request) -> HttpResponse:
        """A page of the company's shipments, newest first, or as `sort` says.

        With `Accept: text/csv` it is CSV, and the URL of the next page is in `Link`.
        """
        found = self.get_queryset()
        if request.query_params.keys() - _NO_FILTERS:
            found = self.filter_queryset(found)
        total = total_of(request, found)
        is_csv = request.accepted_renderer.format == CsvRenderer.format
        whole = CONSIGNEE in words_of(request, (CONSIGNEE,)) or is_csv
        if not whole:
            found = found.defer(*ENCRYPTED_CONSIGNEE)
        shipments, following = sorted_page(request, found)
        prefetch_attempts(shipments)
        rows = [shipment_data(shipment, with_consignee=whole) for shipment in shipments]
        if is_csv:
            response = conditional_response(
                request, shipments_csv(rows), content_type=CsvRenderer.content_type
            )
            if following:
                response["Link"] = f'<{following}>; rel="next"'
            return response
        page = {"results": rows, "next": following, "total": total}
        return conditional_response(request, to_json(page))

    @extend_schema(
        parameters=[EXPAND, IF_NONE_MATCH, ETAG],
        responses={200: ShipmentDetailSerializer, 304: None},
    )
    def retrieve(self, request: Request, pk: str) -> HttpResponse:
        """One shipment, with its scans, actions or calls where `expand` asks for them."""
        shipment = self.shipment(pk)
        more = expanded(request, shipment)
        plain = shipment_json(shipment)
        content = plain.removesuffix(b"}") + b"," + to_json(more).removeprefix(b"{")
        # If-Match compares the tag with the shipment's own, so it must not have the members' names.
        own = tag_of(content if any(rows is not None for rows in more.values()) else plain)
        return conditional_response(request, content, tag=own)

    @extend_schema(
        scope=Scope.OPERATE,
        request=ShipmentChangeSerializer,
        parameters=[IF_MATCH, ETAG],
        responses={200: ShipmentSerializer, **problems("precondition-failed", "shipment-erased")},
    )
    def partial_update(self, request: Request, pk: str) -> HttpResponse:
        """Change what is the company's own of a shipment: its metadata, the consignee's e-mail.

        A name of the metadata that is left out stays, and one that is null is removed. What
        belongs to the courier is refused: the answer names the path that asks for it.
        """
        found = self.shipment(pk)
        change = ShipmentChangeSerializer.from_data(request.data).change()
        changed = change_shipment(
            found, change, check=lambda now: refuse_changed(request, shipment_json(now))
        )
        content = shipment_json(changed)
        response = HttpResponse(content, content_type=JSON)
        response["ETag"] = tag_of(content)
        return response

    @extend_schema(filters=False, parameters=[], responses={200: ScanSerializer(many=True)})
    @action(detail=True, methods=["get"], filterset_class=None)
    def scans(self, request: Request, pk: str) -> Response:
        """All scans of a shipment, ordered by the courier's time."""
        return Response([scan_data(scan) for scan in self.shipment(pk).scans.all()])
