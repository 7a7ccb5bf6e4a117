"""The shop's URLs. It is served below a SCRIPT_NAME, with every part under a prefix of its own."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("office/", admin.site.urls),
    path("in/couriers/", include("webhooks.urls")),
    path("back/", include("shop.shipping_urls", namespace="storefronts")),
    path("parcels/", include("couriers.tracking.urls", namespace="my-parcels")),
]
