"""Warehouses over the API: the company's pickup addresses and their state at each courier."""

from __future__ import annotations

import copy
from typing import Any

from django.core.validators import validate_email
from django.db import transaction
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema_view
from rest_framework import generics, serializers
from rest_framework.exceptions import ValidationError

from couriers.api.authentication import of_client
from couriers.api.base import ApiView
from couriers.api.fields import checked_pincode, optional_text, pincode, text
from couriers.api.problem_schema import problems
from couriers.api.schema import extend_schema
from couriers.api.serializers import StrictSerializer
from couriers.contract import india
from couriers.contract.text import character_problem, clean_line
from couriers.models import Company, Scope, Warehouse, WarehouseRegistration
from couriers.models.addresses import path_of
from couriers.models.audit import record_change, values_of
from couriers.models.fields import readable_or
from couriers.models.warehouse import NEEDS_DEFAULT
from couriers.operations.unused_warehouses import delete_unused

MAX_WAREHOUSES = 500  # of one company
_PLACE = ("state", "pincode")


class RegistrationSerializer(serializers.ModelSerializer[WarehouseRegistration]):
    """The warehouse at one courier. `reference` is the courier's name for it."""

    courier = serializers.CharField(source="account.courier_id")

    class Meta:
        model = WarehouseRegistration
        fields = ("courier", "reference", "state", "reason")


class WarehouseSerializer(StrictSerializer, serializers.ModelSerializer[Warehouse]):
    """A pickup address. Setting `is_default` makes it the company's only default warehouse."""

    phone = text(30)
    email = optional_text(254)
    pincode = pincode()
    state = text(100)
    registrations = RegistrationSerializer(many=True, read_only=True)

    class Meta:
        model = Warehouse
        fields = (
            "id", "name", "contact_name", "phone", "email", "address", "city", "state",
            "pincode", "is_default", "registrations",
        )  # fmt: skip
        read_only_fields = ("id",)

    def to_representation(self, instance: Warehouse) -> dict[str, Any]:
        """Return the warehouse; a phone, e-mail or address that no key opens is empty."""
        shown = copy.copy(instance)
        for name in ("phone", "email", "address"):
            setattr(shown, name, readable_or(instance, name, ""))
        return super().to_representation(shown)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs |= {name: clean_line(v) for name, v in attrs.items() if isinstance(v, str)}
        wrong = {
            name: [problem]
            for name, value in attrs.items()
            if isinstance(value, str) and (problem := _text_problem(name, value))
        }
        if {"state", "pincode"} & set(attrs):
            state, code = (attrs.get(n, getattr(self.instance, n, "")) for n in _PLACE)
            if problem := india.state_contradiction(code, state):
                wrong["state"] = [problem]
        if wrong:
            raise ValidationError(wrong)
        return attrs

    def validate_phone(self, value: str) -> str:
        if problem := india.single_phone_problem(value):
            raise ValidationError(problem)
        return india.parse_phone(value) or ""

    def validate_email(self, value: str) -> str:
        if value:
            validate_email(value)
        return value

    def validate_pincode(self, value: str) -> str:
        return checked_pincode(value)

    def validate_state(self, value: str) -> str:
        if problem := india.state_problem(value):
            raise ValidationError(problem)
        return india.state_name(value) or ""


def _text_problem(name: str, value: str) -> str | None:
    if not value:
        return None if name == "email" else "is missing"
    return character_problem(value)


class _WarehouseViewBase(ApiView, generics.GenericAPIView[Warehouse]):
    """The queries and checks of both views."""

    serializer_class = WarehouseSerializer
    filter_backends = ()
    pagination_class = None
    queryset = Warehouse.objects.none()

    def get_queryset(self) -> QuerySet[Warehouse]:
        found = Warehouse.objects.filter(**of_client(self.request))
        return found.prefetch_related("registrations__account")

    def _save(self, serializer: Any) -> None:
        """Store a warehouse. If it is the default, the company's other default ceases to be one.

        Raises ValidationError for a name that another warehouse of the company has, for one
        warehouse too many, and where the company would be left without its default.
        """
        mine = of_client(self.request)
        name = serializer.validated_data.get("name")
        with transaction.atomic():
            # The lock on the company makes the checks hold until the commit.
            Company.objects.select_for_update(no_key=True).get(pk=mine["company"].pk)
            others = Warehouse.objects.filter(**mine)
            if serializer.instance is not None:
                others = others.exclude(pk=serializer.instance.pk)
            elif others.count() >= MAX_WAREHOUSES:
                raise ValidationError({"name": [f"there are {MAX_WAREHOUSES} warehouses already"]})
            if name is not None and others.filter(name=name).exists():
                raise ValidationError({"name": ["is the name of another warehouse"]})
            undone = serializer.validated_data.get("is_default") is False
            if undone and serializer.instance and serializer.instance.is_stored_default():
                raise ValidationError({"is_default": [NEEDS_DEFAULT]})
            given = serializer.validated_data
            before = values_of(serializer.instance, given)
            serializer.save(**mine)
            record_change(serializer.instance, before, given)


@extend_schema_view(
    get=extend_schema(
        description="All warehouses of the company.",
        responses={200: WarehouseSerializer(many=True)},
    ),
    post=extend_schema(
        scope=Scope.OPERATE,
        description="Add a warehouse. It is registered with a courier when it is first used there.",
        responses={201: WarehouseSerializer},
    ),
)
class WarehousesView(_WarehouseViewBase, generics.ListCreateAPIView[Warehouse]):
    """List and add warehouses."""

    def perform_create(self, serializer: Any) -> None:
        self._save(serializer)

    def get_success_headers(self, data: Any) -> dict[str, str]:
        return {"Location": path_of("couriers_api:warehouse", data["id"])}


_RESPONSES: dict[Any, Any] = {200: WarehouseSerializer}


@extend_schema_view(
    get=extend_schema(description="One warehouse.", responses=_RESPONSES),
    put=extend_schema(
        scope=Scope.OPERATE, description="Replace a warehouse.", responses=_RESPONSES
    ),
    patch=extend_schema(
        scope=Scope.OPERATE,
        description="Change a warehouse. Fields that are left out stay as they are.",
        responses=_RESPONSES,
    ),
    delete=extend_schema(
        scope=Scope.OPERATE,
        description="Delete a warehouse that was never used, and is not the default.",
        request=None,
        responses={204: None, **problems("warehouse-in-use")},
    ),
)
class WarehouseView(_WarehouseViewBase, generics.RetrieveUpdateDestroyAPIView[Warehouse]):
    """Show, change and delete one warehouse."""

    def perform_update(self, serializer: Any) -> None:
        self._save(serializer)

    def perform_destroy(self, instance: Warehouse) -> None:
        delete_unused(instance)
