"""Products over the API: what a company's goods are, for orders that do not say it themselves."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from couriers.api.authentication import of_client
from couriers.api.base import ApiView
from couriers.api.fields import decimal, moment, optional_text, text
from couriers.api.pagination import PAGING, page
from couriers.api.schema import extend_schema
from couriers.api.serializers import StrictSerializer
from couriers.models import Company, Product, Scope
from couriers.models.addresses import path_of
from couriers.models.audit import record, record_change, values_of
from couriers.models.product import LARGEST, TEXT_LENGTHS, product_problems

SKU = OpenApiParameter(
    "sku",
    {"type": "string", "maxLength": TEXT_LENGTHS["sku"]},
    description="The product with this SKU alone.",
)


def _number(name: str) -> serializers.IntegerField:
    return serializers.IntegerField(
        required=False, allow_null=True, default=None, min_value=1, max_value=LARGEST[name]
    )


class ProductSerializer(StrictSerializer):
    """A product. What is blank or null is not known.

    The weight in grams and the sizes in centimetres are those of one packed unit.
    """

    id = serializers.CharField(read_only=True)
    sku = text(TEXT_LENGTHS["sku"])
    name = optional_text(TEXT_LENGTHS["name"])
    category = optional_text(TEXT_LENGTHS["category"])
    hsn_code = optional_text(10)
    gst_rate = decimal(5, min_value=0, max_value=100, required=False, allow_null=True, default=None)
    weight_g = _number("weight_g")
    length_cm = _number("length_cm")
    width_cm = _number("width_cm")
    height_cm = _number("height_cm")
    created_at = moment(read_only=True)
    updated_at = moment(read_only=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        problems: dict[str, list[str]] = {}
        for problem in product_problems(attrs):
            problems.setdefault(problem.field, []).append(problem.message)
        if problems:
            raise ValidationError(problems)
        return attrs


class ProductPageSerializer(serializers.Serializer[Any]):
    """A page of products, newest first. `next` is null on the last page."""

    results = ProductSerializer(many=True)
    next = serializers.URLField(allow_null=True)


class ProductsView(ApiView):
    """List and add products."""

    @extend_schema(parameters=[SKU, *PAGING], responses={200: ProductPageSerializer})
    def get(self, request: Request) -> Response:
        """A page of the company's products, newest first, or the product with an SKU."""
        rows = _company_products(request)
        if sku := request.query_params.get("sku"):
            if len(sku) > TEXT_LENGTHS["sku"]:
                raise ValidationError({"sku": [f"is longer than {TEXT_LENGTHS['sku']} characters"]})
            rows = rows.filter(sku=sku)
        found, following = page(request, rows, prefix="prd")
        results = [ProductSerializer(product).data for product in found]
        return Response({"results": results, "next": following})

    @extend_schema(
        scope=Scope.OPERATE, request=ProductSerializer, responses={201: ProductSerializer}
    )
    def post(self, request: Request) -> Response:
        """Add a product. Its SKU is unique in the company."""
        data = ProductSerializer.from_data(request.data).validated_data
        product = _store(Product(**of_client(request)), data)
        response = Response(ProductSerializer(product).data, status=201)
        response["Location"] = path_of("couriers_api:product", product.pk)
        return response


class ProductView(ApiView):
    """Show, change and delete one product."""

    @extend_schema(responses={200: ProductSerializer})
    def get(self, request: Request, pk: str) -> Response:
        """One product."""
        return Response(ProductSerializer(self.product(request, pk)).data)

    @extend_schema(
        scope=Scope.OPERATE, request=ProductSerializer, responses={200: ProductSerializer}
    )
    def put(self, request: Request, pk: str) -> Response:
        """Replace a product. Fields that are left out are then not known."""
        product = self.product(request, pk)
        data = ProductSerializer.from_data(request.data).validated_data
        return Response(ProductSerializer(_store(product, data)).data)

    @extend_schema(
        scope=Scope.OPERATE, request=ProductSerializer, responses={200: ProductSerializer}
    )
    def patch(self, request: Request, pk: str) -> Response:
        """Change a product. Fields that are left out stay as they are."""
        product = self.product(request, pk)
        serializer = ProductSerializer(data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        return Response(ProductSerializer(_store(product, serializer.validated_data)).data)

    @extend_schema(scope=Scope.OPERATE, responses={204: None})
    def delete(self, request: Request, pk: str) -> Response:
        """Delete a product. Shipments that were booked with its data keep it."""
        product = self.product(request, pk)
        with transaction.atomic():
            record(product, "delete", before={"sku": product.sku, "name": product.name})
            product.delete()
        return Response(status=204)

    def product(self, request: Request, pk: str) -> Product:
        """The product. Raises Http404 for another company's."""
        return get_object_or_404(_company_products(request), pk=pk)


def _company_products(request: Request) -> QuerySet[Product]:
    return Product.objects.filter(**of_client(request)).order_by("-id")


def _store(product: Product, data: dict[str, Any]) -> Product:
    """Store the product with these fields. Raises ValidationError for an SKU that another has."""
    with transaction.atomic():
        # The lock on the company keeps two products of one SKU from being stored at once.
        Company.objects.select_for_update(no_key=True).get(pk=product.company_id)
        mine = Product.objects.filter(company=product.company_id, is_test=product.is_test)
        others = mine.exclude(pk=product.pk)
        if "sku" in data and others.filter(sku=data["sku"]).exists():
            raise ValidationError({"sku": ["is the SKU of another product"]})
        before = None if product._state.adding else values_of(product, data)
        for name, value in data.items():
            setattr(product, name, value)
        product.save()
        record_change(product, before, data)
    return product
