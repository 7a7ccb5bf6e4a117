"""The URLs of the project: the admin, the core's and the inbox's."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView
from rest_framework_api_key.models import APIKey

from shipcrowd.admin_lookups import restrict_lookups
from webhooks.views import answer_probe

# The library's own keys belong to no company, so the API accepts none of them.
admin.site.unregister(APIKey)
restrict_lookups(admin.site)

urlpatterns: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
    path("", include("couriers.urls")),
    path("webhooks/", include("webhooks.urls")),
    path("webhooks", answer_probe),
]

handler400 = "couriers.api.problems.bad_request"
handler404 = "couriers.api.problems.page_not_found"
handler500 = "couriers.api.problems.server_error"
