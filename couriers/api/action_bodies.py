"""Bodies of actions and pickups over the API: requests, and the rows as they are answered."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from couriers.api.fields import day, moment, optional_text, text
from couriers.api.headers import ACTION, ask_later
from couriers.api.serializers import StrictSerializer
from couriers.contract.actions import ActionKind
from couriers.contract.statuses import Status
from couriers.models import CompanyApiKey, ShipmentAction, WarehousePickup
from couriers.models.addresses import path_of
from couriers.models.asked import AskedState, Asker

MAX_PARCELS = 100_000  # of one pickup


def asker_of(request: Request) -> Asker:
    """Who asks with this request: the company, by its API key."""
    key = request.auth
    return Asker(key_prefix=key.prefix) if isinstance(key, CompanyApiKey) else Asker()


def _optional_day() -> serializers.DateField:
    return day(required=False, allow_null=True, default=None)


class ReattemptSerializer(StrictSerializer):
    """Another delivery attempt, on the day `date` in India where the courier takes one."""

    date = _optional_day()
    instructions = optional_text(200)


class AddressChangeSerializer(StrictSerializer):
    """A new phone, address or name of the consignee, for the attempt on `date` where one is taken.

    The courier's rules say which of them it takes.
    """

    date = _optional_day()
    phone = optional_text(30)
    address = optional_text(500)
    name = optional_text(200)
    instructions = optional_text(200)


class RtoSerializer(StrictSerializer):
    """The return of an undelivered parcel to its origin (RTO), with the reason as `remark`."""

    remark = optional_text(200)


class DispatchDateSerializer(StrictSerializer):
    """The pickup on the day `date` in India, in one of the courier's slots."""

    date = _optional_day()
    slot = optional_text(50)


class PickupRequestSerializer(StrictSerializer):
    """A pickup of `count` parcels on the day `date` in India, in one of the courier's slots."""

    courier = text(30)
    date = day()
    slot = optional_text(50)
    count = serializers.IntegerField(min_value=1, max_value=MAX_PARCELS)


class AskedSerializer(serializers.Serializer[Any]):
    """What was asked of a courier. `remark` is in the courier's own words, masked.

    `requested` is under way, `accepted` will be done later, and `done`, `refused` and `unknown` are
    ends. `handle` is the courier's reference.
    """

    id = serializers.CharField()
    state = serializers.ChoiceField(choices=AskedState.choices)
    handle = serializers.CharField()
    remark = serializers.CharField(source="words")
    slot = serializers.CharField()
    asked_by = serializers.ChoiceField(
        choices=["api_key", "operator", "platform"], source="asker_kind"
    )
    asked_at = moment()
    answered_at = moment(allow_null=True)
    ended_at = moment(allow_null=True)


class ActionSerializer(AskedSerializer):
    """An action on a shipment. `status` is the shipment's that follows, null where it is not known.

    A cancellation that is done has ended the shipment (`cancelled`), or it travels back (`rto_…`).
    """

    kind = serializers.ChoiceField(choices=ActionKind.choices)
    date = day(allow_null=True, source="day")
    reason = serializers.CharField()
    status = serializers.ChoiceField(choices=Status.choices, allow_null=True, source="followed_by")


class ActionPageSerializer(serializers.Serializer[Any]):
    """A page of a shipment's actions, newest first. `next` is null on the last page."""

    results = ActionSerializer(many=True)
    next = serializers.URLField(allow_null=True)


class PickupSerializer(AskedSerializer):
    """A pickup of a warehouse on a day."""

    warehouse = serializers.CharField(source="warehouse_id")
    courier = serializers.CharField(source="account.courier_id")
    date = day(source="day")
    count = serializers.IntegerField()


class PickupPageSerializer(serializers.Serializer[Any]):
    """A page of a warehouse's pickups, newest first. `next` is null on the last page."""

    results = PickupSerializer(many=True)
    next = serializers.URLField(allow_null=True)


def action_response(action: ShipmentAction) -> Response:
    """The response of an action: 202 where it has not ended."""
    response = Response(ActionSerializer(action).data, status=202 if action.is_open else 200)
    if action.is_open:
        response["Location"] = path_of("couriers_api:shipment-actions", action.shipment_id)
    ask_later(response, ACTION)
    return response


def pickup_response(pickup: WarehousePickup, *, is_new: bool) -> Response:
    """The response of a pickup: 200 for one that the day has already, 202 while it is open."""
    status = 200 if not is_new else 202 if pickup.is_open else 201
    response = Response(PickupSerializer(pickup).data, status=status)
    if is_new:
        response["Location"] = path_of("couriers_api:pickups", pickup.warehouse_id)
    ask_later(response, ACTION)
    return response
