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

from couriers.api.action_bodies import (
    ActionPageSerializer,
    ActionSerializer,
    AddressChangeSerializer,
    DispatchDateSerializer,
    ReattemptSerializer,
    RtoSerializer,
    action_response,
    asker_of,
)
from couriers.api.authentication import of_client
from couriers.api.base import ApiView
from couriers.api.pagination import PAGING, page
from couriers.api.problem_schema import COURIER, problems
from couriers.api.schema import extend_schema
from couriers.api.serializers import ShipmentSerializer
from couriers.booking.answers import shipment_data
from couriers.fulfilment import actions
from couriers.models import Scope, Shipment
from couriers.models.converters import PublicId


def _result_or(*refusals: str) -> dict[Any, Any]:
    """The responses of an action. `refusals` are the problems before the courier is called."""
    return {
        200: ActionSerializer,
        202: ActionSerializer,
        **problems(*COURIER, "action-open", *refusals),
    }


class ShipmentActions(ApiView, viewsets.GenericViewSet[Shipment]):
    """The actions of a shipment. Each is a row: `done`, or `accepted` to be done later (202)."""

    queryset = Shipment.objects.none()
    serializer_class = ShipmentSerializer
    filter_backends = (DjangoFilterBackend,)
    pagination_class = None
    lookup_value_regex = PublicId.regex

    def get_queryset(self) -> QuerySet[Shipment]:
        return Shipment.objects.filter(**of_client(self.request))

    @extend_schema(scope=Scope.OPERATE, request=None, responses=_result_or("not-cancellable"))
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Cancel a shipment. One that is already cancelled is `done`.

        `status` says what follows: the shipment has ended, or it travels back. Its order is free
        only once it has ended.
        """
        return action_response(actions.cancel(self.shipment(pk), by=asker_of(request)))

    @extend_schema(filters=False, parameters=PAGING, responses={200: ActionPageSerializer})
    @action(detail=True, methods=["get"], filterset_class=None)
    def actions(self, request: Request, pk: str) -> Response:
        """A page of what was asked of the courier about a shipment, newest first."""
        found, following = page(request, self.shipment(pk).actions.all(), prefix="act")
        results = ActionSerializer(found, many=True).data
        return Response({"results": results, "next": following})

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
        operation_id="reattempt_delivery",
        scope=Scope.OPERATE,
        request=ReattemptSerializer,
        responses=_result_or("not-reattemptable", "shipment-erased"),
    )
    @action(detail=True, methods=["post"])
    def reattempt(self, request: Request, pk: str) -> Response:
        """Ask the courier to attempt the delivery of an undelivered parcel again.

        Some couriers take a day, and some take none.
        """
        shipment = self.shipment(pk)
        data = ReattemptSerializer.from_data(request.data).validated_data
        return action_response(
            actions.request_reattempt(
                shipment, data["date"], data["instructions"], by=asker_of(request)
            )
        )

    @extend_schema(
        operation_id="return_to_origin",
        scope=Scope.OPERATE,
        request=RtoSerializer,
        responses=_result_or("not-returnable", "shipment-erased"),
    )
    @action(detail=True, methods=["post"])
    def rto(self, request: Request, pk: str) -> Response:
        """Ask the courier to send an undelivered parcel back to its origin (RTO)."""
        shipment = self.shipment(pk)
        data = RtoSerializer.from_data(request.data).validated_data
        return action_response(actions.request_rto(shipment, data["remark"], by=asker_of(request)))

    @extend_schema(
        operation_id="change_address",
        scope=Scope.OPERATE,
        request=AddressChangeSerializer,
        responses=_result_or("not-reattemptable", "shipment-erased"),
    )
    @action(detail=True, methods=["post"])
    def address(self, request: Request, pk: str) -> Response:
        """Change the consignee's address, phone or name, as far as the courier takes it."""
        shipment = self.shipment(pk)
        data = AddressChangeSerializer.from_data(request.data).validated_data
        changes = {name: data[name] for name in ("phone", "address", "name", "instructions")}
        return action_response(
            actions.change_address(shipment, data["date"], **changes, by=asker_of(request))
        )

    @extend_schema(
        operation_id="set_dispatch_date",
        scope=Scope.OPERATE,
        request=DispatchDateSerializer,
        responses=_result_or("not-awaiting-pickup", "shipment-erased"),
    )
    @action(detail=True, methods=["post"], url_path="dispatch-date")
    def dispatch_date(self, request: Request, pk: str) -> Response:
        """Set the day of the pickup of a shipment that was booked without one."""
        shipment = self.shipment(pk)
        data = DispatchDateSerializer.from_data(request.data).validated_data
        return action_response(
            actions.set_dispatch_date(shipment, data["date"], data["slot"], by=asker_of(request))
        )

    def shipment(self, pk: str) -> Shipment:
        """The shipment with its account and warehouse. Raises Http404 for another company's."""
        return get_object_or_404(self.get_queryset().select_related("account", "warehouse"), pk=pk)
