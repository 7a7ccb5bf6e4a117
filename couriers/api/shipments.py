"""Shipments over the API: book, list and show them, and list their scans."""

from __future__ import annotations

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from couriers.api.authentication import company_of
from couriers.api.documents import ShipmentDocuments
from couriers.api.filters import ShipmentFilter
from couriers.api.headers import IN_DOUBT, ask_later
from couriers.api.pagination import PAGING, page
from couriers.api.problem_schema import BOOKING, problems
from couriers.api.schema import extend_schema
from couriers.api.serializers import (
    ScanSerializer,
    ShipmentDraftSerializer,
    ShipmentPageSerializer,
    ShipmentSerializer,
)
from couriers.booking.answers import scan_data, shipment_data
from couriers.booking.drafts import MAX_KEY_LENGTH, clean_key
from couriers.booking.protocol import book
from couriers.booking.settling import BookingResult
from couriers.models import Scope
from couriers.models.addresses import path_of

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": MAX_KEY_LENGTH},
    OpenApiParameter.HEADER,
    description="1 to 255 characters that identify the booking. Without it the order number does.",
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
        result = book(company_of(request), serializer.draft(), key=idempotency_key(request))
        return booking_response(result)

    @extend_schema(parameters=PAGING, responses={200: ShipmentPageSerializer})
    def list(self, request: Request) -> Response:
        """A page of the company's shipments, newest first."""
        found = self.filter_queryset(self.get_queryset())
        shipments, following = page(request, found, prefix="shp")
        return Response(
            {"results": [shipment_data(shipment) for shipment in shipments], "next": following}
        )

    @extend_schema(responses={200: ShipmentSerializer})
    def retrieve(self, request: Request, pk: str) -> Response:
        """One shipment."""
        return Response(shipment_data(self.shipment(pk)))

    @extend_schema(filters=False, parameters=[], responses={200: ScanSerializer(many=True)})
    @action(detail=True, methods=["get"], filterset_class=None)
    def scans(self, request: Request, pk: str) -> Response:
        """All scans of a shipment, ordered by the courier's time."""
        return Response([scan_data(scan) for scan in self.shipment(pk).scans.all()])
