"""Rates for a lane, and serviceability of a pincode, over the API."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from couriers.api.authentication import company_of
from couriers.api.base import ApiView
from couriers.api.fields import checked_pincode, decimal, optional_text, pincode, rupees, text
from couriers.api.problem_schema import COURIER, problems
from couriers.api.schema import extend_schema
from couriers.api.serializers import ParcelSerializer, StrictSerializer
from couriers.booking.preparation import account_of
from couriers.contract.types import (
    MAX_SERVICE,
    Direction,
    Parcel,
    PaymentMode,
    RateRequest,
)
from couriers.models import Scope
from couriers.rates.pricing import PricedQuote, priced_quotes
from couriers.rates.serviceability import check_cod_limit, check_pincode


class RateRequestSerializer(StrictSerializer):
    """A lane (two pincodes) and a parcel to be priced."""

    courier = text(30)
    pickup_pincode = pincode()
    drop_pincode = pincode()
    parcel = ParcelSerializer()
    payment_mode = serializers.ChoiceField(choices=PaymentMode.choices)
    invoice_amount = rupees()
    cod_amount = rupees(required=False, default=Decimal(0))
    direction = serializers.ChoiceField(
        choices=Direction.choices, required=False, default=Direction.FORWARD
    )
    service = optional_text(MAX_SERVICE)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse the amounts that a booking refuses."""
        cod = attrs["cod_amount"]
        problem = None
        if attrs["payment_mode"] != PaymentMode.COD:
            problem = "must be left out for a prepaid order" if cod else None
        elif attrs["direction"] == Direction.REVERSE:
            problem = "a return collects no money" if cod else None
        elif cod <= 0:
            problem = "must be more than 0 for COD"
        elif cod > attrs["invoice_amount"]:
            problem = "is more than the invoice amount"
        if problem:
            raise serializers.ValidationError({"cod_amount": [problem]})
        return attrs

    def validate_pickup_pincode(self, value: str) -> str:
        return checked_pincode(value)

    def validate_drop_pincode(self, value: str) -> str:
        return checked_pincode(value)

    def rate_request(self) -> RateRequest:
        """The validated request as adapters take it."""
        data = dict(self.validated_data)
        data.pop("courier")
        data["parcel"] = Parcel(**data["parcel"])
        data["payment_mode"] = PaymentMode(data["payment_mode"])
        data["direction"] = Direction(data["direction"])
        return RateRequest(**data)


class PriceSerializer(serializers.Serializer[Any]):
    """The company's price in rupees: base + markup + fee + gst + rounding = total."""

    base = decimal()
    markup = decimal()
    fee = decimal()
    gst = decimal()
    rounding = decimal()
    total = decimal()


class RateQuoteSerializer(serializers.Serializer[Any]):
    """A courier's quote in rupees. `total` and `parts` are the courier's, `price` the company's."""

    courier = serializers.CharField()
    service = serializers.CharField()
    total = decimal()
    parts = serializers.DictField(child=serializers.CharField())
    price = PriceSerializer()
    zone = serializers.CharField()
    billed_weight_g = serializers.IntegerField(allow_null=True)
    min_days = serializers.IntegerField(allow_null=True)
    max_days = serializers.IntegerField(allow_null=True)


class ServiceabilityQuerySerializer(StrictSerializer):
    """The courier and the pincode to ask about.

    `origin` is the pincode that parcels come from, for couriers whose answer depends on it; left
    out, it is that of the default warehouse.
    """

    courier = text(30)
    pincode = pincode()
    origin = optional_text(20)

    def validate_pincode(self, value: str) -> str:
        return checked_pincode(value)

    def validate_origin(self, value: str) -> str:
        return checked_pincode(value) if value else ""


class ServiceabilitySerializer(serializers.Serializer[Any]):
    """What a courier offers at a pincode. A value that the courier does not give is null.

    `origin` is null where the answer holds for every origin.
    """

    courier = serializers.CharField()
    pincode = serializers.CharField()
    origin = serializers.CharField(allow_null=True)
    serviceable = serializers.BooleanField()
    cod = serializers.BooleanField(allow_null=True)
    max_cod_amount = decimal(allow_null=True)
    forward_pickup = serializers.BooleanField(allow_null=True)
    forward_drop = serializers.BooleanField(allow_null=True)
    reverse_pickup = serializers.BooleanField(allow_null=True)
    reverse_drop = serializers.BooleanField(allow_null=True)
    city = serializers.CharField()
    state = serializers.CharField()
    remark = serializers.CharField()


class RatesView(ApiView):
    """Rates for a lane."""

    @extend_schema(
        operation_id="rates_quote",
        scope=Scope.BOOK,
        request=RateRequestSerializer,
        responses={200: RateQuoteSerializer(many=True), **problems(*COURIER)},
    )
    def post(self, request: Request) -> Response:
        """The courier's quotes for a lane, one for each service, with the company's price."""
        serializer = RateRequestSerializer.from_data(request.data)
        account = account_of(company_of(request), serializer.validated_data["courier"])
        wanted = serializer.rate_request()
        if wanted.cod_amount:
            check_cod_limit(account.courier_id, wanted.drop_pincode, wanted.cod_amount)
        quotes = priced_quotes(account, wanted)
        return Response([_quote_data(account.courier_id, priced) for priced in quotes])


class ServiceabilityView(ApiView):
    """Serviceability of a pincode, or of a lane."""

    @extend_schema(
        operation_id="serviceability_check",
        parameters=[ServiceabilityQuerySerializer],
        responses={200: ServiceabilitySerializer, **problems(*COURIER)},
    )
    def get(self, request: Request) -> Response:
        """Whether a courier serves a pincode, and with which services."""
        serializer = ServiceabilityQuerySerializer.from_data(request.query_params.dict())
        account = account_of(company_of(request), serializer.validated_data["courier"])
        asked = serializer.validated_data
        answer, origin = check_pincode(account, asked["pincode"], asked["origin"])
        data = ServiceabilitySerializer(
            {"courier": account.courier_id, "origin": origin or None}
            | {name: getattr(answer, name) for name in answer.__dataclass_fields__}
        ).data
        return Response(data)


def _quote_data(courier: str, priced: PricedQuote) -> dict[str, Any]:
    quote, price = priced.quote, priced.price
    return {
        "courier": courier,
        "service": quote.service,
        "total": f"{quote.total:.2f}",
        "parts": {name: f"{amount:.2f}" for name, amount in quote.parts.items()},
        "price": {
            name: f"{getattr(price, name):.2f}"
            for name in ("base", "markup", "fee", "gst", "rounding", "total")
        },
        "zone": quote.zone,
        "billed_weight_g": quote.billed_weight_g,
        "min_days": quote.min_days,
        "max_days": quote.max_days,
    }
