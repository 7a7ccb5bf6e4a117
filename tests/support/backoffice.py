"""URLs of a project with two admin sites: unfold's, and one of its own with another name."""

from django.contrib import admin
from django.urls import include, path
from unfold.sites import UnfoldAdminSite

import couriers.admin
import webhooks.admin


class BackofficeSite(UnfoldAdminSite):
    """A project's own admin site."""


site = BackofficeSite(name="backoffice")
couriers.admin.register_pages(site)
webhooks.admin.register_pages(site)

bare_site = UnfoldAdminSite(name="bare")  # without the pages of the apps

urlpatterns = [
    path("office/staff/", site.urls),
    path("bare/", bare_site.urls),
    path("admin/", admin.site.urls),
    path("", include("couriers.urls")),
]
