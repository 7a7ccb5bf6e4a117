"""The couriers over the API: what each can do, and whether the company may book with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import Http404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from couriers.api.authentication import of_client
from couriers.api.base import ApiView
from couriers.api.fields import decimal
from couriers.api.schema import extend_schema
from couriers.booking.permission import accounts_with_rollouts, reason_not_enabled
from couriers.contract.actions import PickupScope
from couriers.contract.adapter import BaseCourierAdapter, Capability
from couriers.contract.registry import CourierFactory
from couriers.models import Courier, CourierAccount
from couriers.models.account import Rollout


class CourierLimitsSerializer(serializers.Serializer[Any]):
    """What one order may have, and how many shipments one call to the courier takes.

    `max_cod_amount` is in rupees, `max_weight_g` in grams; null is no limit that is known.
    """

    max_cod_amount = decimal(allow_null=True)
    max_weight_g = serializers.IntegerField(allow_null=True)
    labels_per_call = serializers.IntegerField()
    shipments_per_manifest = serializers.IntegerField()
    tracked_per_call = serializers.IntegerField()


class CourierPickupsSerializer(serializers.Serializer[Any]):
    """What a pickup is asked for (a shipment, or a warehouse and a day), and the slots of a day."""

    scope = serializers.ChoiceField(choices=[(each.value, each.name) for each in PickupScope])
    slots = serializers.ListField(child=serializers.CharField())


class CourierOfAccountSerializer(serializers.Serializer[Any]):
    """The company's account with a courier. A `canary` takes `canary_percent` of its orders."""

    id = serializers.CharField()
    state = serializers.ChoiceField(choices=Rollout.choices)
    canary_percent = serializers.IntegerField(allow_null=True)


@extend_schema_field(OpenApiTypes.OBJECT)
class JsonSchemaField(serializers.DictField):
    """A JSON Schema."""


class CourierSerializer(serializers.Serializer[Any]):
    """A courier of the platform.

    `enabled` is whether it takes new bookings at all, `enabled_for_company` whether the roll-out
    includes the company. `takes_bookings` is whether a booking of the company may be sent to it
    now: both, and an account that is not off. `services` is null where the quotes of `rates/` alone
    name them. `options` is the JSON Schema of a booking's `options`.
    """

    code = serializers.CharField()
    name = serializers.CharField()
    enabled = serializers.BooleanField()
    enabled_for_company = serializers.BooleanField(allow_null=True)
    takes_bookings = serializers.BooleanField()
    account = CourierOfAccountSerializer(allow_null=True)
    capabilities = serializers.ListField(
        child=serializers.ChoiceField(choices=[each.value for each in Capability])
    )
    services = serializers.ListField(child=serializers.CharField(), allow_null=True)
    limits = CourierLimitsSerializer()
    pickups = CourierPickupsSerializer()
    serves_lanes = serializers.BooleanField()
    options = JsonSchemaField()


class CouriersView(ApiView):
    """List the couriers."""

    @extend_schema(operation_id="list_couriers", responses={200: CourierSerializer(many=True)})
    def get(self, request: Request) -> Response:
        """All couriers of the platform, by their code, and the company's account with each."""
        rows = Courier.objects.filter(code__in=CourierFactory.codes()).order_by("code")
        return Response(_couriers_data(of_client(request), list(rows)))


class CourierView(ApiView):
    """Show one courier."""

    @extend_schema(operation_id="get_courier", responses={200: CourierSerializer})
    def get(self, request: Request, code: str) -> Response:
        """One courier: what it can do, and whether the company may book with it."""
        if code not in CourierFactory.codes():
            raise Http404
        found = _couriers_data(of_client(request), list(Courier.objects.filter(code=code)))
        if not found:
            raise Http404
        return Response(found[0])


def _couriers_data(client: Mapping[str, Any], rows: list[Courier]) -> list[Any]:
    mine = accounts_with_rollouts().filter(**client, courier__in=rows)
    accounts = {account.courier_id: account for account in mine}
    return [
        CourierSerializer(
            _data(row, CourierFactory.adapter_class(row.code), accounts.get(row.code))
        ).data
        for row in rows
    ]


def _data(
    row: Courier, adapter: type[BaseCourierAdapter], account: CourierAccount | None
) -> dict[str, Any]:
    limits = adapter.order_limits
    reached = account is not None and reason_not_enabled(account) is None
    is_off = account is None or account.rollout == Rollout.OFF
    return {
        "code": row.code,
        "name": row.name,
        "enabled": row.is_enabled,
        "enabled_for_company": None if account is None else reached,
        "takes_bookings": row.is_enabled and reached and not is_off,
        "account": None if account is None else _account_data(account),
        "capabilities": sorted(adapter.capabilities),
        "services": None if limits.services is None else list(limits.services),
        "limits": {
            "max_cod_amount": limits.max_cod,
            "max_weight_g": limits.max_weight_g,
            "labels_per_call": adapter.label_size,
            "shipments_per_manifest": adapter.manifest_size,
            "tracked_per_call": adapter.track_size,
        },
        "pickups": {
            "scope": adapter.pickup_scope.value,
            "slots": list(adapter.pickup_slots),
        },
        "serves_lanes": adapter.serves_lanes,
        "options": adapter.options_schema(),
    }


def _account_data(account: CourierAccount) -> dict[str, Any]:
    is_canary = account.rollout == Rollout.CANARY
    return {
        "id": account.pk,
        "state": account.rollout,
        "canary_percent": account.canary_percent if is_canary else None,
    }
