"""Returns of delivered shipments over the API."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from rest_framework import serializers
from rest_framework.request import Request

from couriers.api.authentication import company_of, of_client
from couriers.api.base import ApiView
from couriers.api.fields import day, text
from couriers.api.problem_schema import BOOKING, problems
from couriers.api.schema import extend_schema
from couriers.api.serializers import (
    OptionsField,
    ParcelSerializer,
    ShipmentSerializer,
    StrictSerializer,
)
from couriers.api.shipments import IDEMPOTENCY_KEY, booking_response, idempotency_key
from couriers.booking.items import MAX_LINES, MAX_QUANTITY
from couriers.booking.returned_goods import ReturnedItem
from couriers.booking.returns import ReturnDraft, book_return
from couriers.contract.types import MAX_SERVICE, Parcel
from couriers.models import Scope, Shipment


class ReturnedItemSerializer(StrictSerializer):
    """Pieces that come back, by their SKU, or by the place of their line in the order's `items`.

    Their value is their share of what is left of the line.
    """

    sku = text(100, required=False)
    line = serializers.IntegerField(
        min_value=0, max_value=MAX_LINES, required=False, help_text="Counted from 0."
    )
    quantity = serializers.IntegerField(min_value=1, max_value=MAX_QUANTITY)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse goods that are named twice, or not at all."""
        if ("sku" in attrs) == ("line" in attrs):
            raise serializers.ValidationError({"sku": ["give either a sku or a line"]})
        return attrs


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
        child=ReturnedItemSerializer(),
        min_length=1,
        max_length=100,
        required=False,
        help_text="Without it all comes back that is on no other return.",
    )
    parcel = ParcelSerializer(required=False)
    courier = text(
        30,
        required=False,
        help_text="Without it the shipment's own carries it. `auto`: the company's rules choose.",
    )
    warehouse = text(40, required=False)
    service = text(MAX_SERVICE, required=False)
    options = OptionsField(required=False)

    def draft(self) -> ReturnDraft:
        """The validated request as booking takes it."""
        data: dict[str, Any] = dict(self.validated_data)
        data["warehouse_id"] = data.pop("warehouse", "")
        data["items"] = tuple(ReturnedItem(**item) for item in data.pop("items", ()))
        data["parcel"] = Parcel(**data["parcel"]) if "parcel" in data else None
        return ReturnDraft(**data)


class ReturnView(ApiView):
    """Book returns of one shipment."""

    @extend_schema(
        operation_id="book_return",
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
        several returns. No more comes back than was delivered and is on no other return. The
        responses are those of a booking.
        """
        company = company_of(request)
        original = get_object_or_404(Shipment, **of_client(request), pk=pk)
        serializer = ReturnSerializer.from_data(request.data)
        result = book_return(company, original, serializer.draft(), key=idempotency_key(request))
        return booking_response(result)
