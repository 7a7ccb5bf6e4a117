"""The REST API of storefronts. Every query is scoped to the company of the key."""

from __future__ import annotations

from typing import Any, NoReturn

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import generics, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from couriers.adapter import BaseCourierAdapter
from couriers.api import serializers as s
from couriers.api.authentication import company_of
from couriers.api.filters import ShipmentFilter
from couriers.api.pagination import page
from couriers.api.problems import problem
from couriers.booking import book
from couriers.factory import CourierFactory
from couriers.models import Shipment, Warehouse
from couriers.preparation import account_of
from couriers.representation import scan_data, shipment_data
from couriers.settling import BookingResult
from couriers.statuses import CANCELLABLE, Status
from couriers.tracking import apply_tracking, mark_cancelled
from couriers.types import Direction
from couriers.validation import clean_key

PROBLEMS = {
    (status, "application/problem+json"): s.ProblemSerializer
    for status in (400, 401, 404, 422, 503)
}
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="1 to 255 characters that name the booking; without it the order number does.",
)


def booking_response(result: BookingResult) -> HttpResponse:
    """A booking's answer, in the very bytes that are kept for its key."""
    response = HttpResponse(result.body, status=result.status_code, content_type="application/json")
    response["Location"] = f"/api/v1/shipments/{result.shipment.pk}/"
    if result.replayed:
        response["Idempotent-Replayed"] = "true"
    return response


class ShipmentViewSet(viewsets.GenericViewSet[Shipment]):
    """Shipments of the company."""

    queryset = Shipment.objects.none()
    serializer_class = s.ShipmentSerializer
    filterset_class = ShipmentFilter
    pagination_class = None
    lookup_value_regex = "[a-z0-9_]{1,40}"

    def get_queryset(self) -> QuerySet[Shipment]:
        return Shipment.objects.filter(company=company_of(self.request))

    @extend_schema(
        request=s.ShipmentDraftSerializer,
        parameters=[IDEMPOTENCY_KEY],
        responses={201: s.ShipmentSerializer, 202: s.ShipmentSerializer, **PROBLEMS,
                   (409, "application/problem+json"): s.ProblemSerializer},
    )  # fmt: skip
    def create(self, request: Request) -> HttpResponse:
        """Book a shipment.

        201: booked. 202: in doubt, follow the shipment's URL and do not book again. Asked again
        with the same key, it answers in the same bytes, with `Idempotent-Replayed: true`.
        """
        draft = s.ShipmentDraftSerializer(data=request.data)
        draft.is_valid(raise_exception=True)
        key = request.headers.get("Idempotency-Key")
        result = book(
            company_of(request), draft.draft(), key=clean_key(key) if key is not None else None
        )
        return booking_response(result)

    @extend_schema(
        parameters=[
            OpenApiParameter("cursor", str, description="From `next`; leave out for the newest."),
            OpenApiParameter("page_size", int, description="1 to 200; 50 if left out."),
        ],
        responses={200: s.ShipmentPageSerializer, **PROBLEMS},
    )
    def list(self, request: Request) -> Response:
        """Shipments, the newest first, a page at a time."""
        shipments, following = page(request, self.filter_queryset(self.get_queryset()))
        return Response({"results": [shipment_data(x) for x in shipments], "next": following})

    @extend_schema(responses={200: s.ShipmentSerializer, **PROBLEMS})
    def retrieve(self, request: Request, pk: str) -> Response:
        """One shipment."""
        return Response(shipment_data(self._shipment(pk)))

    @extend_schema(
        filters=False, parameters=[], responses={200: s.ScanSerializer(many=True), **PROBLEMS}
    )
    @action(detail=True, methods=["get"], filterset_class=None)
    def scans(self, request: Request, pk: str) -> Response:
        """All scans of a shipment, in the courier's time."""
        return Response([scan_data(scan) for scan in self._shipment(pk).scans.all()])

    @extend_schema(request=None, responses={200: s.ActionSerializer, **PROBLEMS,
                   (409, "application/problem+json"): s.ProblemSerializer})  # fmt: skip
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Cancel a shipment; one that is cancelled already is done."""
        shipment = self._shipment(pk)
        if shipment.status == Status.CANCELLED:
            return Response({"state": "done", "handle": "", "remark": "already cancelled"})
        if shipment.status not in CANCELLABLE:
            return problem(
                "not-cancellable",
                "The shipment can no longer be cancelled",
                409,
                f"It is {shipment.get_status_display().lower()}.",
            )
        adapter = _adapter_of(shipment)
        cancel = (
            adapter.cancel_reverse_shipment
            if shipment.direction == Direction.REVERSE
            else adapter.cancel_shipment
        )
        result = cancel(shipment.tracking_id)
        if result.state == "done":
            mark_cancelled(shipment)
        return Response({"state": result.state, "handle": result.handle, "remark": result.remark})

    @extend_schema(request=None, responses={200: s.ShipmentSerializer, **PROBLEMS,
                   (409, "application/problem+json"): s.ProblemSerializer})  # fmt: skip
    @action(detail=True, methods=["post"])
    def track(self, request: Request, pk: str) -> Response:
        """Ask the courier now, and return the shipment as it stands then."""
        shipment = self._shipment(pk)
        if not shipment.tracking_id:
            return problem(
                "not-booked",
                "The shipment has no tracking id",
                409,
                f"It is {shipment.get_status_display().lower()}.",
            )
        tracking = _adapter_of(shipment).track_shipment(shipment.tracking_id)
        return Response(shipment_data(apply_tracking(shipment, tracking)))

    def _shipment(self, pk: str) -> Shipment:
        return get_object_or_404(self.get_queryset().select_related("account"), pk=pk)


def _adapter_of(shipment: Shipment) -> BaseCourierAdapter:
    return CourierFactory.get_adapter(shipment.account)


class RatesView(APIView):
    """Prices for a lane."""

    @extend_schema(
        request=s.RateRequestSerializer,
        responses={200: s.RateQuoteSerializer(many=True), **PROBLEMS},
    )
    def post(self, request: Request) -> Response:
        """The courier's quotes, one a service."""
        asked = s.RateRequestSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        account = account_of(company_of(request), asked.validated_data["courier"])
        quotes = CourierFactory.get_adapter(account).get_rates(asked.rate_request())
        return Response(
            [
                {
                    "courier": account.courier_id,
                    "service": quote.service,
                    "total": f"{quote.total:.2f}",
                    "parts": {name: f"{amount:.2f}" for name, amount in quote.parts.items()},
                    "zone": quote.zone,
                    "min_days": quote.min_days,
                    "max_days": quote.max_days,
                }
                for quote in quotes
            ]
        )


class ServiceabilityView(APIView):
    """What a courier does at a pincode."""

    @extend_schema(
        parameters=[s.ServiceabilityQuerySerializer],
        responses={200: s.ServiceabilitySerializer, **PROBLEMS},
    )
    def get(self, request: Request) -> Response:
        """Whether and how a courier serves a pincode."""
        asked = s.ServiceabilityQuerySerializer(data=request.query_params.dict())
        asked.is_valid(raise_exception=True)
        account = account_of(company_of(request), asked.validated_data["courier"])
        answer = CourierFactory.get_adapter(account).check_serviceability(
            asked.validated_data["pincode"]
        )
        data = s.ServiceabilitySerializer(
            {"courier": account.courier_id}
            | {name: getattr(answer, name) for name in answer.__dataclass_fields__}
        ).data
        return Response(data)


_WAREHOUSE = extend_schema(responses={200: s.WarehouseSerializer, **PROBLEMS})


@extend_schema_view(
    get=extend_schema(responses={200: s.WarehouseSerializer(many=True), **PROBLEMS}),
    post=extend_schema(responses={201: s.WarehouseSerializer, **PROBLEMS}),
)
class WarehousesView(generics.ListCreateAPIView[Warehouse]):
    """The company's pickup addresses."""

    serializer_class = s.WarehouseSerializer
    queryset = Warehouse.objects.none()
    filter_backends: list[Any] = []

    def get_queryset(self) -> QuerySet[Warehouse]:
        return Warehouse.objects.filter(company=company_of(self.request))

    def perform_create(self, serializer: Any) -> None:
        """Store it; a name or a default that exists already is the merchant's mistake."""
        existing = self.get_queryset()
        if existing.filter(name=serializer.validated_data["name"]).exists():
            _refuse("name", "is the name of another warehouse")
        if (
            serializer.validated_data.get("is_default")
            and existing.filter(is_default=True).exists()
        ):
            _refuse("is_default", "another warehouse is the default")
        serializer.save(company=company_of(self.request))


@extend_schema_view(get=_WAREHOUSE)
class WarehouseView(generics.RetrieveAPIView[Warehouse]):
    """One pickup address."""

    serializer_class = s.WarehouseSerializer
    queryset = Warehouse.objects.none()

    def get_queryset(self) -> QuerySet[Warehouse]:
        return Warehouse.objects.filter(company=company_of(self.request))


def _refuse(field: str, message: str) -> NoReturn:
    raise ValidationError({field: [message]})
