"""The API and the public page."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from couriers.api import views as api
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
                path("rates/", api.RatesView.as_view(), name="rates"),
                path("serviceability/", api.ServiceabilityView.as_view(), name="serviceability"),
                path("warehouses/", api.WarehousesView.as_view(), name="warehouses"),
                path("warehouses/<str:pk>/", api.WarehouseView.as_view(), name="warehouse"),
            ]
        ),
    ),
    path("track/<str:shipment_id>/", tracking_page, name="tracking-page"),
]
