"""The admin pages of the app. They are registered as those of couriers.admin are."""

from django.contrib import admin

from couriers.admin.registration import can_register, check_site, register


def register_pages(site: admin.AdminSite) -> None:
    """Register the pages of this app on the site, which is an UnfoldAdminSite.

    Raises ImproperlyConfigured where they would not work.
    """
    check_site(site)
    from webhooks.admin import (  # noqa: F401 - the modules record their pages
        endpoints,
        inbox,
        worklist,
    )

    register("shipcrowd_webhooks", site)


if can_register():
    register_pages(admin.site)
