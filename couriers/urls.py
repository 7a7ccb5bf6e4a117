"""URLs of the API and of the public tracking page."""

from collections.abc import Iterable

from django.db import transaction
from django.urls import URLPattern, URLResolver, include, path, register_converter
from rest_framework.routers import SimpleRouter

from couriers.api import jobs, manifests, ops, rates, warehouses
from couriers.api.returns import ReturnView
from couriers.api.shipments import ShipmentViewSet
from couriers.models.converters import PublicId
from couriers.tracking.page import tracking_page

app_name = "couriers"

register_converter(PublicId, "public_id")

router = SimpleRouter()
router.register("shipments", ShipmentViewSet, basename="shipment")

urlpatterns: list[URLPattern | URLResolver] = [
    path(
        "api/v1/",
        include(
            [
                path("shipments/bulk/", jobs.BulkView.as_view(), name="bulk"),
                *router.urls,
                path("shipments/<public_id:pk>/return/", ReturnView.as_view(), name="return"),
                path("ops/in-doubt/", ops.InDoubtView.as_view(), name="in-doubt"),
                path(
                    "ops/in-doubt/<public_id:pk>/resolve/",
                    ops.ResolveView.as_view(),
                    name="resolve",
                ),
                path(
                    "ops/in-doubt/<public_id:pk>/release/",
                    ops.ReleaseView.as_view(),
                    name="release",
                ),
                path("ops/circuits/", ops.CircuitsView.as_view(), name="circuits"),
                path("ops/circuits/<public_id:pk>/", ops.CircuitView.as_view(), name="circuit"),
                path("jobs/<public_id:pk>/", jobs.JobView.as_view(), name="job"),
                path("rates/", rates.RatesView.as_view(), name="rates"),
                path("serviceability/", rates.ServiceabilityView.as_view(), name="serviceability"),
                path("warehouses/", warehouses.WarehousesView.as_view(), name="warehouses"),
                path(
                    "warehouses/<public_id:pk>/",
                    warehouses.WarehouseView.as_view(),
                    name="warehouse",
                ),
                path("manifests/", manifests.ManifestsView.as_view(), name="manifests"),
                path(
                    "manifests/<public_id:pk>/", manifests.ManifestView.as_view(), name="manifest"
                ),
            ]
        ),
    ),
    path("track/<str:shipment_id>/", tracking_page, name="tracking-page"),
]


def _without_atomic_requests(patterns: Iterable[URLPattern | URLResolver]) -> None:
    """Exempt the views from a host project's ATOMIC_REQUESTS.

    A booking is committed before the courier is called, so no transaction may be open around it.
    """
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            _without_atomic_requests(pattern.url_patterns)
        else:
            transaction.non_atomic_requests(pattern.callback)


_without_atomic_requests(urlpatterns)
