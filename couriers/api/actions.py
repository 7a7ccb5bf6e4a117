"""What a storefront may do with a shipment under way; couriers.fulfilment.actions says when."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import FileResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from couriers.api import serializers as s
from couriers.api.authentication import company_of
from couriers.api.renderers import ApiRenderer, PdfRenderer
from couriers.api.responses import CONFLICT, PROBLEMS
from couriers.booking.answers import shipment_data
from couriers.contract.types import ActionResult
from couriers.fulfilment import actions
from couriers.fulfilment.labels import get_label, get_label_data
from couriers.models import Shipment
from couriers.models.converters import PublicId


class ReattemptSerializer(s.Strict):
    """Another attempt on `date` (India time, from tomorrow on)."""

    date = serializers.DateField()
    instructions = s.optional_text(200)


class AddressChangeSerializer(s.Strict):
    """Another phone or address of the consignee, or both, for the attempt on `date`."""

    date = serializers.DateField()
    phone = s.optional_text(30)
    address = s.optional_text(500)
    instructions = s.optional_text(200)


class RtoSerializer(s.Strict):
    """Why the parcel is sent back."""

    remark = s.optional_text(200)


class DispatchDateSerializer(s.Strict):
    """The day of the pickup (India time, from tomorrow on), in a slot that the courier knows."""

    date = serializers.DateField()
    slot = s.optional_text(50)


_ANSWERS: dict[Any, Any] = {200: s.ActionSerializer, **PROBLEMS, **CONFLICT}


class ShipmentActions(viewsets.GenericViewSet[Shipment]):
    """The actions of a shipment: `done`, or `accepted` by the courier to be done later."""

    queryset = Shipment.objects.none()
    serializer_class = s.ShipmentSerializer
    lookup_value_regex = PublicId.regex

    def get_queryset(self) -> QuerySet[Shipment]:
        return Shipment.objects.filter(company=company_of(self.request))

    @extend_schema(request=None, responses=_ANSWERS)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Cancel a shipment; one that is cancelled already is done."""
        return _answer(actions.cancel(self.shipment(pk)))

    @extend_schema(request=None, responses={200: s.ShipmentSerializer, **PROBLEMS, **CONFLICT})
    @action(detail=True, methods=["post"])
    def track(self, request: Request, pk: str) -> Response:
        """Ask the courier now, and return the shipment as it stands then."""
        return Response(shipment_data(actions.refresh_tracking(self.shipment(pk))))

    @extend_schema(
        filters=False,
        parameters=[
            OpenApiParameter(
                "json_only", bool, description="True: the courier's data of the label, as JSON."
            )
        ],
        responses={
            (200, "application/pdf"): OpenApiTypes.BINARY,
            (200, "application/json"): OpenApiTypes.OBJECT,
            **PROBLEMS,
            **CONFLICT,
        },
    )
    @action(
        detail=True,
        methods=["get"],
        filterset_class=None,
        renderer_classes=[ApiRenderer, PdfRenderer],
    )
    def label(self, request: Request, pk: str) -> FileResponse | Response:
        """The packing label as a PDF. It is fetched from the courier once, and kept."""
        shipment = self.shipment(pk)
        asked = request.query_params.get("json_only", "false")
        if asked not in ("true", "false"):
            raise serializers.ValidationError({"json_only": ["must be true or false"]})
        if asked == "true":
            request.accepted_renderer = ApiRenderer()  # it was asked for by name
            return Response(get_label_data(shipment))
        stored = get_label(shipment)
        response = FileResponse(
            stored.open("rb"), filename=f"label-{shipment.pk}.pdf", content_type="application/pdf"
        )
        response["Cache-Control"] = "private, max-age=300"
        return response

    @extend_schema(request=ReattemptSerializer, responses=_ANSWERS)
    @action(detail=True, methods=["post"])
    def reattempt(self, request: Request, pk: str) -> Response:
        """Have an undelivered parcel delivered again on a day."""
        shipment, asked = self.shipment(pk), _read(ReattemptSerializer, request)
        return _answer(actions.request_reattempt(shipment, asked["date"], asked["instructions"]))

    @extend_schema(request=RtoSerializer, responses=_ANSWERS)
    @action(detail=True, methods=["post"])
    def rto(self, request: Request, pk: str) -> Response:
        """Have an undelivered parcel sent back to its origin."""
        shipment, asked = self.shipment(pk), _read(RtoSerializer, request)
        return _answer(actions.request_rto(shipment, asked["remark"]))

    @extend_schema(request=AddressChangeSerializer, responses=_ANSWERS)
    @action(detail=True, methods=["post"])
    def address(self, request: Request, pk: str) -> Response:
        """Change the consignee's address or phone for the next attempt at an undelivered parcel."""
        shipment, asked = self.shipment(pk), _read(AddressChangeSerializer, request)
        return _answer(
            actions.change_address(
                shipment,
                asked["date"],
                phone=asked["phone"],
                address=asked["address"],
                instructions=asked["instructions"],
            )
        )

    @extend_schema(request=DispatchDateSerializer, responses=_ANSWERS)
    @action(detail=True, methods=["post"], url_path="dispatch-date")
    def dispatch_date(self, request: Request, pk: str) -> Response:
        """Set the day on which a shipment that was booked without one is picked up."""
        shipment, asked = self.shipment(pk), _read(DispatchDateSerializer, request)
        return _answer(actions.set_dispatch_date(shipment, asked["date"], asked["slot"]))

    def shipment(self, pk: str) -> Shipment:
        """The company's shipment with its account and warehouse; another company's is a 404."""
        return get_object_or_404(self.get_queryset().select_related("account", "warehouse"), pk=pk)


def _read(kind: type[s.Strict], request: Request) -> dict[str, Any]:
    asked = kind(data=request.data)
    asked.is_valid(raise_exception=True)
    return dict(asked.validated_data)


def _answer(result: ActionResult) -> Response:
    return Response({"state": result.state.value, "handle": result.handle, "remark": result.remark})
