"""The URLs of the public tracking pages."""

from django.urls import path

from couriers.tracking.find_page import find_page
from couriers.tracking.logos import logo
from couriers.tracking.page import tracking_page

app_name = "couriers_tracking"

urlpatterns = [
    path("", find_page, name="find-any"),
    path("find/<slug:company>/", find_page, name="find"),
    path("find/<slug:company>", find_page),
    path("logos/<str:digest>", logo, name="logo"),
    path("logos/<str:digest>/", logo),
    path("<str:shipment_id>/", tracking_page, name="page"),
    path("<str:shipment_id>", tracking_page),
]
