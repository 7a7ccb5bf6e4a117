"""The URLs of the project: the admin, the core's and the inbox's."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice
from rest_framework_api_key.models import APIKey

from couriers.admin.search import palette
from shipcrowd.admin_lookups import restrict_lookups
from shipcrowd.staff import users
from shipcrowd.staff.admin import register_pages
from shipcrowd.staff.middleware import PAGE
from shipcrowd.staff.views import second_factor_page
from webhooks.views import answer_probe

# The library's own keys belong to no company, so the API accepts none of them. Its pages of second
# factors show their secrets, and filter by them.
admin.site.unregister((APIKey, StaticDevice, TOTPDevice))
register_pages(admin.site)
users.register_pages(admin.site)
restrict_lookups(admin.site)

urlpatterns: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/second-factor/", admin.site.admin_view(second_factor_page), name=PAGE),
    path("admin/search/", admin.site.admin_view(palette)),
    path("admin/", admin.site.urls),
    path("", include("couriers.urls")),
    path("webhooks/", include("webhooks.urls")),
    path("webhooks", answer_probe),
]

handler400 = "couriers.api.problems.bad_request"
handler403 = "shipcrowd.staff.views.refused"
handler404 = "couriers.api.problems.page_not_found"
handler500 = "couriers.api.problems.server_error"
