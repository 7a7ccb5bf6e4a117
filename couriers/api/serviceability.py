"""Serviceability of a pincode, or of a lane, with one courier or all, over the API."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import PolymorphicProxySerializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from couriers.api.authentication import company_of, is_test
from couriers.api.base import ApiView
from couriers.api.client_accounts import client_account
from couriers.api.fields import checked_pincode, decimal, optional_text, pincode
from couriers.api.problem_schema import OFFER, problems
from couriers.api.rates import MissingQuoteSerializer, missing_data
from couriers.api.schema import extend_schema
from couriers.api.serializers import StrictSerializer
from couriers.booking.permission import check_company_is_enabled
from couriers.booking.served import Served, served_by_all, served_by_one
from couriers.contract.types import Serviceability


class ServiceabilityQuerySerializer(StrictSerializer):
    """The pincode to ask about, with one courier or, left out, with all of the company's.

    `origin` is the pincode that parcels come from, for couriers whose answer depends on it; left
    out, it is that of the default warehouse. With `both_ways` the way back is asked about, too:
    what the courier offers at the origin for parcels from the pincode.
    """

    courier = optional_text(30)
    pincode = pincode()
    origin = optional_text(20)
    both_ways = serializers.ChoiceField(choices=["true", "false"], required=False, default="false")

    def validate_pincode(self, value: str) -> str:
        return checked_pincode(value)

    def validate_origin(self, value: str) -> str:
        return checked_pincode(value) if value else ""


class ServedSerializer(serializers.Serializer[Any]):
    """What a courier offers at a pincode. A value that the courier does not give is null."""

    pincode = serializers.CharField()
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


class ServiceabilitySerializer(ServedSerializer):
    """What a courier offers at a pincode. A value that the courier does not give is null.

    `origin` is null where the answer holds for every origin. `back` is what it offers at the origin
    for the way back, null where `both_ways` was not asked for.
    """

    courier = serializers.CharField()
    origin = serializers.CharField(allow_null=True)
    back = ServedSerializer(allow_null=True)


class ServiceabilityOfAllSerializer(serializers.Serializer[Any]):
    """What each courier offers at the pincode, and the couriers that have no answer, with why."""

    couriers = ServiceabilitySerializer(many=True)
    missing = MissingQuoteSerializer(many=True)


# Of one courier, or of all.
ANSWER = PolymorphicProxySerializer(
    component_name="ServiceabilityAnswer",
    serializers=[ServiceabilitySerializer, ServiceabilityOfAllSerializer],
    resource_type_field_name=None,
)


class ServiceabilityView(ApiView):
    """Serviceability of a pincode, or of a lane."""

    @extend_schema(
        operation_id="check_serviceability",
        parameters=[ServiceabilityQuerySerializer],
        responses={200: ANSWER, **problems(*OFFER)},
    )
    def get(self, request: Request) -> Response:
        """Whether couriers serve a pincode, and with which services.

        With `courier` the answer is that courier's, and its failure is a problem. Without it all
        couriers of the company are asked at once: `couriers` has their answers, and `missing` those
        that have none or do not answer in time, with the reason.
        """
        serializer = ServiceabilityQuerySerializer.from_data(request.query_params.dict())
        asked = serializer.validated_data
        ends, both_ways = (asked["pincode"], asked["origin"]), asked["both_ways"] == "true"
        if not asked["courier"]:
            found = served_by_all(
                company_of(request), *ends, both_ways=both_ways, is_test=is_test(request)
            )
            return Response(
                {
                    "couriers": [_served_data(each) for each in found.answers],
                    "missing": [missing_data(each) for each in found.missing],
                }
            )
        account = client_account(request, asked["courier"])
        check_company_is_enabled(account)
        return Response(_served_data(served_by_one(account, *ends, both_ways=both_ways)))


def _served_data(served: Served) -> Any:
    return ServiceabilitySerializer(
        {
            "courier": served.courier,
            "origin": served.origin or None,
            **_fields(served.there),
            "back": None if served.back is None else _fields(served.back),
        }
    ).data


def _fields(answer: Serviceability) -> dict[str, Any]:
    return {name: getattr(answer, name) for name in answer.__dataclass_fields__}
