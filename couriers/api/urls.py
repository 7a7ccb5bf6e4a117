"""The URLs of the API, its schema and its documentation.

A path without its last slash is served, too. A redirect to the path with the slash would turn a
POST into a GET, which books nothing.
"""

from __future__ import annotations

from typing import Any

from django.urls import URLPattern, URLResolver, include, path, register_converter
from rest_framework.routers import SimpleRouter

from couriers.api import (
    documents,
    jobs,
    manifests,
    ops,
    pickups,
    products,
    rates,
    warehouses,
)
from couriers.api.documentation import DocumentationView, SchemaView
from couriers.api.returns import ReturnView
from couriers.api.routes import with_and_without_slash
from couriers.api.shipments import ShipmentViewSet
from couriers.models.converters import PublicId
from couriers.operations import staff_urls

app_name = "couriers_api"

register_converter(PublicId, "public_id")


class UnslashedShipments(ShipmentViewSet):
    """Shipments under paths without the last slash, which the schema does not list."""

    schema = None


shipments = SimpleRouter()
shipments.register("shipments", ShipmentViewSet, basename="shipment")
unslashed_shipments = SimpleRouter(trailing_slash=False)
unslashed_shipments.register("shipments", UnslashedShipments, basename="unslashed-shipment")

ROUTES: list[tuple[str, Any, str]] = [
    ("shipments/bulk/", jobs.BulkView, "bulk"),
    ("shipments/<public_id:pk>/return/", ReturnView, "return"),
    ("labels/", documents.LabelsView, "labels"),
    ("jobs/<public_id:pk>/", jobs.JobView, "job"),
    ("products/", products.ProductsView, "products"),
    ("products/<public_id:pk>/", products.ProductView, "product"),
    ("rates/", rates.RatesView, "rates"),
    ("serviceability/", rates.ServiceabilityView, "serviceability"),
    ("warehouses/", warehouses.WarehousesView, "warehouses"),
    ("warehouses/<public_id:pk>/", warehouses.WarehouseView, "warehouse"),
    ("warehouses/<public_id:pk>/pickups/", pickups.PickupsView, "pickups"),
    ("manifests/", manifests.ManifestsView, "manifests"),
    ("manifests/<public_id:pk>/", manifests.ManifestView, "manifest"),
    ("ops/in-doubt/", ops.InDoubtView, "in-doubt"),
    ("ops/in-doubt/<public_id:pk>/resolve/", ops.ResolveView, "resolve"),
    ("ops/in-doubt/<public_id:pk>/release/", ops.ReleaseView, "release"),
    ("ops/circuits/", ops.CircuitsView, "circuits"),
    ("ops/circuits/<public_id:pk>/", ops.CircuitView, "circuit"),
]

version_1: list[URLPattern | URLResolver] = [
    *with_and_without_slash(ROUTES),
    *shipments.urls,
    *unslashed_shipments.urls,
    *[path("ops/", include(module)) for module in staff_urls.registered()],
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("v1/", include(version_1)),
    *with_and_without_slash(
        [("schema/", SchemaView, "schema"), ("docs/", DocumentationView, "docs")]
    ),
]
