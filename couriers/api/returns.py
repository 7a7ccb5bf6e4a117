"""Returns of delivered shipments over the API."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from rest_framework import serializers
from rest_framework.request import Request

from couriers.api.authentication import company_of
from couriers.api.base import ApiView
from couriers.api.fields import day, text
from couriers.api.problem_schema import BOOKING, problems
from couriers.api.schema import extend_schema
from couriers.api.serializers import (
    ItemSerializer,
    OptionsField,
    ParcelSerializer,
    ShipmentSerializer,
    StrictSerializer,
)
from couriers.api.shipments import IDEMPOTENCY_KEY, booking_response, idempotency_key
from couriers.booking.returns import ReturnDraft, book_return
from couriers.contract.types import MAX_SERVICE, Item, Parcel
from couriers.models import Scope, Shipment


class ReturnSerializer(StrictSerializer):
    """A return to book. A field that is left out is taken from the delivered shipment."""

    return_reason = text(300)
    order_number = text(
        100,
        required=False,
        help_text="The return's own number. With an Idempotency-Key it may be left out: it is then "
        "the order's number with a counter.",
    )
    order_date = day(required=False)
    items = serializers.ListField(
        child=ItemSerializer(), min_length=1, max_length=100, required=False
    )
    parcel = ParcelSerializer(required=False)
    warehouse = text(40, required=False)
    service = text(MAX_SERVICE, required=False)
    options = OptionsField(required=False)

    def draft(self) -> ReturnDraft:
        """The validated request as booking takes it."""
        data: dict[str, Any] = dict(self.validated_data)
        data["warehouse_id"] = data.pop("warehouse", "")
        data["items"] = tuple(Item(**item) for item in data.pop("items", ()))
        data["parcel"] = Parcel(**data["parcel"]) if "parcel" in data else None
        return ReturnDraft(**data)


class ReturnView(ApiView):
    """Book returns of one shipment."""

    @extend_schema(
        scope=Scope.BOOK,
        request=ReturnSerializer,
        parameters=[IDEMPOTENCY_KEY],
        responses={
            201: ShipmentSerializer,
            202: ShipmentSerializer,
            **problems(*BOOKING, "not-returnable"),
        },
    )
    def post(self, request: Request, pk: str) -> HttpResponse:
        """Book a return of a delivered shipment.

        It needs an `order_number` of its own or an Idempotency-Key, since one order may have
        several returns. The responses are those of a booking.
        """
        company = company_of(request)
        original = get_object_or_404(Shipment, company=company, pk=pk)
        serializer = ReturnSerializer.from_data(request.data)
        result = book_return(company, original, serializer.draft(), key=idempotency_key(request))
        return booking_response(result)
