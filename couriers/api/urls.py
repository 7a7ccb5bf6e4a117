"""The URLs of the API, its schema and its documentation.

A path without its last slash is served, too. A redirect to the path with the slash would turn a
POST into a GET, which books nothing.
"""

from __future__ import annotations

from typing import Any

from django.urls import URLPattern, URLResolver, include, path, register_converter
from rest_framework.routers import SimpleRouter

from couriers.api import (
    bulk,
    courier_rules,
    couriers,
    events,
    jobs,
    keys,
    labels,
    manifest_documents,
    manifests,
    ops,
    performance,
    pickups,
    products,
    rates,
    rule_trials,
    serviceability,
    warehouses,
)
from couriers.api.documentation import DocumentationView, SchemaView
from couriers.api.reference import operation_page, reference_index
from couriers.api.returns import ReturnView
from couriers.api.routes import with_and_without_slash
from couriers.api.shipments import ShipmentViewSet
from couriers.models.converters import PublicId
from couriers.operations import company_urls, staff_urls

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
    ("shipments/bulk/", bulk.BulkView, "bulk"),
    ("shipments/<public_id:pk>/return/", ReturnView, "return"),
    ("events/", events.EventsView, "events"),
    ("events/<public_id:pk>/", events.EventView, "event"),
    ("labels/", labels.LabelsView, "labels"),
    ("labels/<public_id:pk>/", labels.LabelJobView, "label-job"),
    ("labels/<public_id:pk>/file/", labels.LabelFileView, "label-file"),
    ("jobs/", jobs.JobsView, "jobs"),
    ("jobs/<public_id:pk>/", jobs.JobView, "job"),
    ("jobs/<public_id:pk>/orders/", jobs.JobOrdersView, "job-orders"),
    ("jobs/<public_id:pk>/cancel/", jobs.CancelJobView, "job-cancel"),
    ("products/", products.ProductsView, "products"),
    ("products/<public_id:pk>/", products.ProductView, "product"),
    ("couriers/", couriers.CouriersView, "couriers"),
    ("couriers/performance/", performance.PerformanceView, "performance"),
    ("couriers/<slug:code>/", couriers.CourierView, "courier"),
    ("courier-rules/", courier_rules.CourierRulesView, "courier-rules"),
    ("courier-rules/preview/", rule_trials.RulePreviewView, "courier-rules-preview"),
    ("courier-rules/simulation/", rule_trials.RuleSimulationView, "courier-rules-simulation"),
    ("courier-rules/reorder/", courier_rules.RuleOrderView, "courier-rules-reorder"),
    ("courier-rules/<public_id:pk>/", courier_rules.CourierRuleView, "courier-rule"),
    ("rates/", rates.RatesView, "rates"),
    ("serviceability/", serviceability.ServiceabilityView, "serviceability"),
    ("warehouses/", warehouses.WarehousesView, "warehouses"),
    ("warehouses/<public_id:pk>/", warehouses.WarehouseView, "warehouse"),
    ("warehouses/<public_id:pk>/pickups/", pickups.PickupsView, "pickups"),
    ("manifests/", manifests.ManifestsView, "manifests"),
    ("manifests/<public_id:pk>/", manifests.ManifestView, "manifest"),
    ("keys/", keys.KeysView, "keys"),
    ("keys/<public_id:pk>/", keys.KeyView, "key"),
    ("keys/<public_id:pk>/roll/", keys.RollView, "roll-key"),
    (
        "manifests/<public_id:pk>/documents/<int:number>/",
        manifest_documents.ManifestDocumentView,
        "manifest-document",
    ),
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
    *[path("", include(module)) for module in company_urls.registered()],
    *[path("ops/", include(module)) for module in staff_urls.registered()],
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("v1/", include(version_1)),
    *with_and_without_slash(
        [("schema/", SchemaView, "schema"), ("docs/", DocumentationView, "docs")]
    ),
    path("reference/", reference_index, name="reference"),
    path("reference", reference_index),
    path("reference/<slug:name>/", operation_page, name="operation"),
    path("reference/<slug:name>", operation_page),
]
