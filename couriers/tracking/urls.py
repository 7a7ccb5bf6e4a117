"""The URL of the public tracking page."""

from django.urls import path

from couriers.tracking.page import tracking_page

app_name = "couriers_tracking"

urlpatterns = [
    path("<str:shipment_id>/", tracking_page, name="page"),
    path("<str:shipment_id>", tracking_page),
]
