"""Pickups of a warehouse over the API, for couriers that are asked for a warehouse and a day."""

from __future__ import annotations

from django.shortcuts import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from couriers.api.action_bodies import (
    PickupPageSerializer,
    PickupRequestSerializer,
    PickupSerializer,
    asker_of,
    pickup_response,
)
from couriers.api.authentication import of_client
from couriers.api.base import ApiView
from couriers.api.client_accounts import client_account
from couriers.api.pagination import PAGING, page
from couriers.api.problem_schema import COURIER, problems
from couriers.api.schema import extend_schema
from couriers.fulfilment.pickups import request_pickup
from couriers.models import Scope, Warehouse


class PickupsView(ApiView):
    """List a warehouse's pickups, and ask for one."""

    @extend_schema(parameters=PAGING, responses={200: PickupPageSerializer})
    def get(self, request: Request, pk: str) -> Response:
        """A page of the pickups of a warehouse, newest first."""
        rows = self.warehouse(request, pk).pickups.select_related("account")
        found, following = page(request, rows, prefix="pck")
        return Response({"results": PickupSerializer(found, many=True).data, "next": following})

    @extend_schema(
        scope=Scope.OPERATE,
        operation_id="request_pickup",
        request=PickupRequestSerializer,
        responses={
            200: PickupSerializer,
            201: PickupSerializer,
            202: PickupSerializer,
            **problems(*COURIER),
        },
    )
    def post(self, request: Request, pk: str) -> Response:
        """Have a courier fetch all parcels that wait at a warehouse on a day.

        201: the courier comes. 202: it was asked, and has not confirmed. 200: the day has a pickup
        already, which is returned; the courier is not asked again.
        """
        warehouse = self.warehouse(request, pk)
        data = PickupRequestSerializer.from_data(request.data).validated_data
        pickup, is_new = request_pickup(
            client_account(request, data["courier"]),
            warehouse,
            data["date"],
            count=data["count"],
            slot=data["slot"],
            by=asker_of(request),
        )
        return pickup_response(pickup, is_new=is_new)

    def warehouse(self, request: Request, pk: str) -> Warehouse:
        """The company's warehouse. Raises Http404 for another company's."""
        return get_object_or_404(Warehouse, **of_client(request), pk=pk)
