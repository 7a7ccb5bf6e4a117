"""The API and the public page."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from couriers.api import ops
from couriers.api import views as api
from couriers.api.returns import ReturnView
from couriers.views import tracking_page

app_name = "couriers"

router = SimpleRouter()
router.register("shipments", api.ShipmentViewSet, basename="shipment")

urlpatterns = [
    path(
        "api/v1/",
        include(
            [
                *router.urls,
                path("shipments/<str:pk>/return/", ReturnView.as_view(), name="return"),
                path("ops/in-doubt/", ops.InDoubtView.as_view(), name="in-doubt"),
                path("ops/in-doubt/<str:pk>/resolve/", ops.ResolveView.as_view(), name="resolve"),
                path("ops/in-doubt/<str:pk>/release/", ops.ReleaseView.as_view(), name="release"),
                path("ops/circuits/", ops.CircuitsView.as_view(), name="circuits"),
                path("ops/circuits/<str:pk>/", ops.CircuitView.as_view(), name="circuit"),
                path("rates/", api.RatesView.as_view(), name="rates"),
                path("serviceability/", api.ServiceabilityView.as_view(), name="serviceability"),
                path("warehouses/", api.WarehousesView.as_view(), name="warehouses"),
                path("warehouses/<str:pk>/", api.WarehouseView.as_view(), name="warehouse"),
            ]
        ),
    ),
    path("track/<str:shipment_id>/", tracking_page, name="tracking-page"),
]
