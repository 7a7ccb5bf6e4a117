"""Actions on a shipment over the API. couriers.fulfilment.actions checks when each is allowed."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework import viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from couriers.api.authentication import company_of
from couriers.api.base import ApiView
from couriers.api.fields import day, optional_text
from couriers.api.problem_schema import COURIER, problems
from couriers.api.schema import extend_schema
from couriers.api.serializers import ActionSerializer, ShipmentSerializer, StrictSerializer
from couriers.booking.answers import shipment_data
from couriers.contract.actions import ActionResult
from couriers.fulfilment import actions
from couriers.models import Scope, Shipment
from couriers.models.converters import PublicId


class ReattemptSerializer(StrictSerializer):
    """Another delivery attempt on `date`, a day in India from tomorrow on."""

    date = day()
    instructions = optional_text(200)


class AddressChangeSerializer(StrictSerializer):
    """A new phone or address of the consignee, or both, for the delivery attempt on `date`."""

    date = day()
    phone = optional_text(30)
    address = optional_text(500)
    instructions = optional_text(200)


class RtoSerializer(StrictSerializer):
    """The return of an undelivered parcel to its origin (RTO), with the reason as `remark`."""

    remark = optional_text(200)


class DispatchDateSerializer(StrictSerializer):
    """The pickup on `date`, a day in India from tomorrow on, in one of the courier's slots."""

    date = day()
    slot = optional_text(50)


def _result_or(*refusals: str) -> dict[Any, Any]:
    """The responses of an action. `refusals` are the problems before the courier is called."""
    return {200: ActionSerializer, **problems(*COURIER, *refusals)}


class ShipmentActions(ApiView, viewsets.GenericViewSet[Shipment]):
    """The actions of a shipment. Each is `done`, or `accepted` by the courier to be done later."""

    queryset = Shipment.objects.none()
    serializer_class = ShipmentSerializer
    filter_backends = (DjangoFilterBackend,)
    pagination_class = None
    lookup_value_regex = PublicId.regex

    def get_queryset(self) -> QuerySet[Shipment]:
        return Shipment.objects.filter(company=company_of(self.request))

    @extend_schema(scope=Scope.OPERATE, request=None, responses=_result_or("not-cancellable"))
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Cancel a shipment. One that is already cancelled is `done`."""
        return _response(actions.cancel(self.shipment(pk)))

    @extend_schema(
        scope=Scope.READ,
        request=None,
        responses={200: ShipmentSerializer, **problems(*COURIER, "not-booked")},
    )
    @action(detail=True, methods=["post"])
    def track(self, request: Request, pk: str) -> Response:
        """Ask the courier for the latest scans, and return the updated shipment."""
        return Response(shipment_data(actions.refresh_tracking(self.shipment(pk))))

    @extend_schema(
        scope=Scope.OPERATE,
        request=ReattemptSerializer,
        responses=_result_or("not-reattemptable", "shipment-erased"),
    )
    @action(detail=True, methods=["post"])
    def reattempt(self, request: Request, pk: str) -> Response:
        """Ask the courier to attempt the delivery of an undelivered parcel again, on a day."""
        shipment = self.shipment(pk)
        data = ReattemptSerializer.from_data(request.data).validated_data
        return _response(actions.request_reattempt(shipment, data["date"], data["instructions"]))

    @extend_schema(
        scope=Scope.OPERATE,
        request=RtoSerializer,
        responses=_result_or("not-returnable", "shipment-erased"),
    )
    @action(detail=True, methods=["post"])
    def rto(self, request: Request, pk: str) -> Response:
        """Ask the courier to send an undelivered parcel back to its origin (RTO)."""
        shipment = self.shipment(pk)
        data = RtoSerializer.from_data(request.data).validated_data
        return _response(actions.request_rto(shipment, data["remark"]))

    @extend_schema(
        scope=Scope.OPERATE,
        request=AddressChangeSerializer,
        responses=_result_or("not-reattemptable", "shipment-erased"),
    )
    @action(detail=True, methods=["post"])
    def address(self, request: Request, pk: str) -> Response:
        """Change the consignee's address or phone for the next attempt to deliver a parcel."""
        shipment = self.shipment(pk)
        data = AddressChangeSerializer.from_data(request.data).validated_data
        return _response(
            actions.change_address(
                shipment,
                data["date"],
                phone=data["phone"],
                address=data["address"],
                instructions=data["instructions"],
            )
        )

    @extend_schema(
        scope=Scope.OPERATE,
        request=DispatchDateSerializer,
        responses=_result_or("not-awaiting-pickup", "shipment-erased"),
    )
    @action(detail=True, methods=["post"], url_path="dispatch-date")
    def dispatch_date(self, request: Request, pk: str) -> Response:
        """Set the day of the pickup of a shipment that was booked without one."""
        shipment = self.shipment(pk)
        data = DispatchDateSerializer.from_data(request.data).validated_data
        return _response(actions.set_dispatch_date(shipment, data["date"], data["slot"]))

    def shipment(self, pk: str) -> Shipment:
        """The shipment with its account and warehouse. Raises Http404 for another company's."""
        return get_object_or_404(self.get_queryset().select_related("account", "warehouse"), pk=pk)


def _response(result: ActionResult) -> Response:
    return Response({"state": result.state.value, "handle": result.handle, "remark": result.remark})
