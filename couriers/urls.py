"""All URLs of the core. A host project includes this module, or each part under its own prefix."""

from django.urls import include, path

from couriers.operations.health import healthz, readyz
from couriers.operations.metrics import metrics
from couriers.tracking.find_page import find_page

app_name = "couriers"

urlpatterns = [
    path("api/", include("couriers.api.urls")),
    path("problems/", include("couriers.api.problem_urls")),
    path("track/", include("couriers.tracking.urls")),
    path("track", find_page),
    path("healthz", healthz, name="healthz"),
    path("healthz/", healthz),
    path("readyz", readyz, name="readyz"),
    path("readyz/", readyz),
    path("metrics", metrics, name="metrics"),
    path("metrics/", metrics),
]
