"""The shop's URLs for its storefronts, in a namespace of its own."""

from django.urls import include, path

app_name = "shipping"

urlpatterns = [
    path("ship/", include("couriers.api.urls")),
    path("faults/", include("couriers.api.problem_urls")),
]
