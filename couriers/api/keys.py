"""API keys over the API: a company makes, rolls and revokes its own, with a key that operates."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.core.exceptions import ValidationError as InvalidNetworks
from django.http import Http404
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from couriers.api.base import ApiView
from couriers.api.fields import moment, text
from couriers.api.problem_schema import problems
from couriers.api.schema import extend_schema
from couriers.api.serializers import StrictSerializer
from couriers.models import CompanyApiKey, Scope
from couriers.models.addresses import path_of
from couriers.models.key_format import MAX_NETWORKS, clean_networks
from couriers.operations.api_keys import NewKey, create_key, keys_for, revoke_key, roll_key

ID_PREFIX = "key_"
DAY, WEEK = 24, 168  # hours


class KeyRequestSerializer(StrictSerializer):
    """A key to make. What is left out is as the key of the request has it.

    No key gets more than the key of the request has: no other scope, network or mode, and no later
    end. A live key may make test keys.
    """

    name = text(50)
    is_test = serializers.BooleanField(required=False)
    scopes = serializers.ListField(
        child=serializers.ChoiceField(choices=Scope.choices), min_length=1, max_length=3,
        required=False,
    )  # fmt: skip
    allowed_networks = serializers.ListField(
        child=text(50), max_length=MAX_NETWORKS, required=False,
        help_text="Networks such as 203.0.113.0/24. From everywhere without any.",
    )  # fmt: skip
    expires_at = serializers.DateTimeField(
        required=False, input_formats=["iso-8601"], default_timezone=dt.UTC
    )

    def validate_expires_at(self, value: dt.datetime) -> dt.datetime:
        try:
            return value.astimezone(dt.UTC)
        except OverflowError:
            raise serializers.ValidationError("is no time of a year from 1 to 9999") from None

    def validate_allowed_networks(self, value: list[str]) -> list[str]:
        try:
            return clean_networks(value)
        except InvalidNetworks as error:
            raise serializers.ValidationError(error.messages) from None


class RollRequestSerializer(StrictSerializer):
    """How many hours the former key is still taken beside the new one; 0 ends it at once."""

    overlap_hours = serializers.IntegerField(
        required=False, min_value=0, max_value=WEEK, default=DAY
    )


class KeySerializer(serializers.Serializer[Any]):
    """A key without its secret. `last_used_at` may be a minute behind; `expires_at` may be over."""

    id = serializers.CharField()
    name = serializers.CharField()
    begins_with = serializers.CharField()
    is_test = serializers.BooleanField()
    scopes = serializers.ListField(child=serializers.ChoiceField(choices=Scope.choices))
    allowed_networks = serializers.ListField(child=serializers.CharField())
    created_at = moment()
    expires_at = moment(allow_null=True)
    last_used_at = moment(allow_null=True)


class NewKeySerializer(KeySerializer):
    """A key as made. `key` is the whole key, which is shown here and never again."""

    key = serializers.CharField()


class KeysView(ApiView):
    """List and make keys."""

    @extend_schema(scope=Scope.OPERATE, responses={200: KeySerializer(many=True)})
    def get(self, request: Request) -> Response:
        """The company's keys that are not revoked, newest first. A test key sees test keys."""
        return Response([_data(key) for key in keys_for(_own(request))])

    @extend_schema(
        scope=Scope.OPERATE,
        operation_id="create_key",
        request=KeyRequestSerializer,
        responses={201: NewKeySerializer},
    )
    def post(self, request: Request) -> Response:
        """Make a key, which is in this answer alone. A repeated request makes another one."""
        asked = KeyRequestSerializer.from_data(request.data).validated_data
        made = create_key(
            _own(request),
            name=asked["name"],
            is_test=asked.get("is_test"),
            scopes=asked.get("scopes"),
            networks=asked.get("allowed_networks"),
            expires_at=asked.get("expires_at"),
        )
        return _created(made)


class KeyView(ApiView):
    """Show and revoke one key."""

    @extend_schema(scope=Scope.OPERATE, responses={200: KeySerializer})
    def get(self, request: Request, pk: str) -> Response:
        """One key, without its secret."""
        return Response(_data(_find(request, pk)))

    @extend_schema(scope=Scope.OPERATE, operation_id="revoke_key", responses={204: None})
    def delete(self, request: Request, pk: str) -> Response:
        """Revoke a key: it is refused from now on. It may be the key of the request itself."""
        revoke_key(_find(request, pk))
        return Response(status=204)


class RollView(ApiView):
    """Put a new key in the place of one."""

    @extend_schema(
        scope=Scope.OPERATE,
        operation_id="roll_key",
        request=RollRequestSerializer,
        responses={201: NewKeySerializer, **problems("scope-missing")},
    )
    def post(self, request: Request, pk: str) -> Response:
        """Make a key like this one, which then ends after `overlap_hours`.

        A key that has more than the key of the request is not rolled.
        """
        key = _find(request, pk)
        asked = RollRequestSerializer.from_data(request.data).validated_data
        overlap = dt.timedelta(hours=asked["overlap_hours"])
        return _created(roll_key(_own(request), key, overlap=overlap))


def _own(request: Request) -> CompanyApiKey:
    """The key of the request."""
    key: Any = request.auth
    assert isinstance(key, CompanyApiKey)
    return key


def _find(request: Request, pk: str) -> CompanyApiKey:
    """The key with an id, of those that the request's key sees. Raises Http404 for any other."""
    if not pk.startswith(ID_PREFIX):
        raise Http404
    found = keys_for(_own(request)).filter(prefix=pk.removeprefix(ID_PREFIX)).first()
    if found is None:
        raise Http404
    return found


def _created(made: NewKey) -> Response:
    body = NewKeySerializer(_data(made.row) | {"key": made.secret}).data
    response = Response(body, status=201)
    response["Location"] = path_of("couriers_api:key", f"{ID_PREFIX}{made.row.prefix}")
    response["Cache-Control"] = "no-store"
    return response


def _data(key: CompanyApiKey) -> dict[str, Any]:
    return {
        "id": f"{ID_PREFIX}{key.prefix}",
        "name": key.name,
        "begins_with": key.begins_with,
        "is_test": key.is_test,
        "scopes": key.scopes,
        "allowed_networks": key.allowed_networks,
        "created_at": key.created,
        "expires_at": key.expiry_date,
        "last_used_at": key.last_used_at,
    }
