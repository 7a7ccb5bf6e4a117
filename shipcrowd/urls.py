"""The URLs of the project: admin, API schema, health, metrics, and the apps' own."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework_api_key.models import APIKey

from couriers.operations.health import healthz, readyz
from couriers.operations.metrics import metrics

# The library's own keys belong to no company, so the API accepts none of them.
admin.site.unregister(APIKey)

urlpatterns: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
    path("", include("couriers.urls")),
    path("webhooks/", include("webhooks.urls")),
    path("api/v1/ops/", include("webhooks.ops_urls")),
    path(
        "api/schema/",
        SpectacularAPIView.as_view(authentication_classes=[], permission_classes=[]),
        name="schema",
    ),
    path(
        "api/docs/",
        SpectacularSwaggerSplitView.as_view(
            url_name="schema", authentication_classes=[], permission_classes=[]
        ),
        name="docs",
    ),
    path("healthz", healthz),
    path("readyz", readyz),
    path("metrics", metrics, name="metrics"),
]

handler400 = "couriers.api.problems.bad_request"
handler404 = "couriers.api.problems.page_not_found"
handler500 = "couriers.api.problems.server_error"
