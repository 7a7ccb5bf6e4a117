"""Rates for a lane over the API."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from couriers.api.authentication import company_of, is_test
from couriers.api.base import ApiView
from couriers.api.client_accounts import client_account
from couriers.api.fields import checked_pincode, decimal, optional_text, pincode, rupees
from couriers.api.problem_schema import OFFER, problems
from couriers.api.schema import extend_schema
from couriers.api.serializers import ParcelSerializer, ProblemFieldSerializer, StrictSerializer
from couriers.api.shipment_parts import PriceSerializer
from couriers.booking.offers import (
    Comparison,
    Missing,
    NoQuote,
    Offer,
    offers_of_all,
    offers_of_one,
)
from couriers.booking.permission import check_company_is_enabled
from couriers.contract.types import (
    MAX_SERVICE,
    Direction,
    Parcel,
    PaymentMode,
    RateRequest,
)
from couriers.models import Company, Scope
from couriers.rates.quotes import price_data, sign_quote
from couriers.rates.serviceability import check_cod_limit


class RateRequestSerializer(StrictSerializer):
    """A lane (two pincodes) and a parcel to be priced.

    Without `courier` all couriers are asked that the company has an account with.
    """

    courier = optional_text(30)
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


class RateQuoteSerializer(serializers.Serializer[Any]):
    """A courier's quote in rupees. `total` and `parts` are the courier's, `price` the company's.

    `cod_fee` is the part for collecting cash, null where the courier does not name it. `cheapest`
    has the lowest `price`, `fastest` the fewest days; of equal ones each is marked.
    """

    courier = serializers.CharField()
    service = serializers.CharField()
    quote = serializers.CharField(help_text="Book with it, to keep the price beside the booked.")
    total = decimal()
    parts = serializers.DictField(child=serializers.CharField())
    price = PriceSerializer()
    zone = serializers.CharField()
    billed_weight_g = serializers.IntegerField(allow_null=True)
    min_days = serializers.IntegerField(allow_null=True)
    max_days = serializers.IntegerField(allow_null=True)
    cod_fee = decimal(allow_null=True)
    cheapest = serializers.BooleanField()
    fastest = serializers.BooleanField()


class MissingQuoteSerializer(serializers.Serializer[Any]):
    """A courier without an answer, and why. `errors` names the fields that are beyond its limits.

    `retry_after` is in seconds, null where asking again does not help.
    """

    courier = serializers.CharField()
    reason = serializers.ChoiceField(choices=NoQuote.choices)
    detail = serializers.CharField()
    courier_message = serializers.CharField()
    errors = ProblemFieldSerializer(many=True)  # type: ignore[assignment]
    retry_after = serializers.IntegerField(allow_null=True)


class RatesSerializer(serializers.Serializer[Any]):
    """The quotes by `price`, the lowest first, and the couriers that have none."""

    quotes = RateQuoteSerializer(many=True)
    missing = MissingQuoteSerializer(many=True)


class RatesView(ApiView):
    """Rates for a lane."""

    @extend_schema(
        operation_id="get_rates",
        scope=Scope.BOOK,
        request=RateRequestSerializer,
        responses={200: RatesSerializer, **problems(*OFFER)},
    )
    def post(self, request: Request) -> Response:
        """The quotes for a lane, one for each courier and service, with the company's price.

        Without `courier` all couriers of the company are asked at once. One that has no quote, or
        does not answer in time, is in `missing` with the reason. With `courier` the failure of
        that courier is the answer.
        """
        serializer = RateRequestSerializer.from_data(request.data)
        wanted, company = serializer.rate_request(), company_of(request)
        courier = serializer.validated_data["courier"]
        if not courier:
            found = offers_of_all(company, wanted, is_test=is_test(request))
            return Response(_comparison_data(company, wanted, found))
        account = client_account(request, courier)
        check_company_is_enabled(account)
        if wanted.cod_amount:
            check_cod_limit(account.courier_id, wanted.drop_pincode, wanted.cod_amount)
        return Response(_comparison_data(company, wanted, offers_of_one(account, wanted)))


def _comparison_data(company: Company, wanted: RateRequest, found: Comparison) -> dict[str, Any]:
    return {
        "quotes": [_quote_data(company, wanted, offer) for offer in found.offers],
        "missing": [missing_data(missing) for missing in found.missing],
    }


def _quote_data(company: Company, wanted: RateRequest, offer: Offer) -> dict[str, Any]:
    quote, price = offer.quote, offer.price
    parts = {name: f"{amount:.2f}" for name, amount in quote.parts.items()}
    return {
        "courier": offer.courier,
        "service": quote.service,
        "quote": sign_quote(company.pk, offer.courier, wanted, quote, price),
        "total": f"{quote.total:.2f}",
        "parts": parts,
        "price": price_data(price),
        "zone": quote.zone,
        "billed_weight_g": quote.billed_weight_g,
        "min_days": quote.min_days,
        "max_days": quote.max_days,
        "cod_fee": parts.get("cod"),
        "cheapest": offer.is_cheapest,
        "fastest": offer.is_fastest,
    }


def missing_data(missing: Missing) -> dict[str, Any]:
    """Return what is answered of a courier without an answer."""
    seconds = missing.retry_after
    return {
        "courier": missing.courier,
        "reason": missing.reason.value,
        "detail": missing.detail,
        "courier_message": missing.courier_message,
        "errors": [{"field": p.field, "message": p.message} for p in missing.problems],
        "retry_after": None if seconds is None else max(1, math.ceil(seconds)),
    }
