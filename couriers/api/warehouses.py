"""The company's pickup addresses, and whether its couriers know them."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import generics, serializers
from rest_framework.exceptions import ValidationError

from couriers.api.authentication import company_of
from couriers.api.responses import PROBLEMS
from couriers.api.serializers import Strict, checked_pincode, text
from couriers.contract import india
from couriers.contract.text import has_control_characters
from couriers.models import Company, Warehouse, WarehouseRegistration

MAX_WAREHOUSES = 500  # of a company


class RegistrationSerializer(serializers.ModelSerializer[WarehouseRegistration]):
    """What a courier calls the warehouse: pending, synced, or failed with the reason."""

    courier = serializers.CharField(source="account.courier_id")

    class Meta:
        model = WarehouseRegistration
        fields = ("courier", "reference", "state", "reason")


class WarehouseSerializer(Strict, serializers.ModelSerializer[Warehouse]):
    """A pickup address of the company. `is_default` set to true takes it from another."""

    phone = text(30)
    pincode = text(6)
    state = text(100)
    registrations = RegistrationSerializer(many=True, read_only=True)

    class Meta:
        model = Warehouse
        fields = (
            "id", "name", "contact_name", "phone", "address", "city", "state", "pincode",
            "is_default", "registrations",
        )  # fmt: skip
        read_only_fields = ("id",)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        wrong = [
            name
            for name, value in attrs.items()
            if isinstance(value, str) and has_control_characters(value)
        ]
        if wrong:
            raise ValidationError({name: ["contains control characters"] for name in wrong})
        return attrs

    def validate_phone(self, value: str) -> str:
        phone = india.parse_phone(value)
        if phone is None:
            raise ValidationError("is not a ten-digit Indian phone number")
        return phone

    def validate_pincode(self, value: str) -> str:
        return checked_pincode(value)

    def validate_state(self, value: str) -> str:
        state = india.state_name(value)
        if state is None:
            raise ValidationError("is not a state of India")
        return state


class _Warehouses(generics.GenericAPIView[Warehouse]):
    """What both views share."""

    serializer_class = WarehouseSerializer
    queryset = Warehouse.objects.none()

    def get_queryset(self) -> QuerySet[Warehouse]:
        found = Warehouse.objects.filter(company=company_of(self.request))
        return found.prefetch_related("registrations__account")

    def _save(self, serializer: Any) -> None:
        """Store it, its name being the company's only one; at most one is the default."""
        company = company_of(self.request)
        name = serializer.validated_data.get("name")
        with transaction.atomic():
            # One writer at a time for a company, so that the checks hold until the commit.
            Company.objects.select_for_update(no_key=True).get(pk=company.pk)
            others = Warehouse.objects.filter(company=company)
            if serializer.instance is not None:
                others = others.exclude(pk=serializer.instance.pk)
            elif others.count() >= MAX_WAREHOUSES:
                raise ValidationError({"name": [f"there are {MAX_WAREHOUSES} warehouses already"]})
            if name is not None and others.filter(name=name).exists():
                raise ValidationError({"name": ["is the name of another warehouse"]})
            if serializer.validated_data.get("is_default"):
                others.filter(is_default=True).update(is_default=False)
            serializer.save(company=company)


@extend_schema_view(
    get=extend_schema(
        description="All of the company's warehouses.",
        responses={200: WarehouseSerializer(many=True), **PROBLEMS},
    ),
    post=extend_schema(
        description="A new warehouse. It is registered with a courier on first use.",
        responses={201: WarehouseSerializer, **PROBLEMS},
    ),
)
class WarehousesView(_Warehouses, generics.ListCreateAPIView[Warehouse]):
    """The company's pickup addresses."""

    filter_backends: list[Any] = []

    def perform_create(self, serializer: Any) -> None:
        self._save(serializer)


_ONE = extend_schema(responses={200: WarehouseSerializer, **PROBLEMS})


@extend_schema_view(get=_ONE, put=_ONE, patch=_ONE)
class WarehouseView(_Warehouses, generics.RetrieveUpdateAPIView[Warehouse]):
    """One pickup address."""

    def perform_update(self, serializer: Any) -> None:
        self._save(serializer)
