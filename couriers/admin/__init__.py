"""The admin pages of operators, one module for each concept.

They are registered on `admin.site` where that is a site of unfold. A project with another site
of its own calls `register_pages`.
"""

from django.contrib import admin

from couriers.admin.registration import can_register, check_site, register


def register_pages(site: admin.AdminSite) -> None:
    """Register the pages of this app on the site, which is an UnfoldAdminSite.

    Raises ImproperlyConfigured where they would not work.
    """
    check_site(site)
    from couriers.admin import (  # noqa: F401 - the modules record their pages
        accounts,
        actions,
        companies,
        documents,
        flags,
        inquiries,
        jobs,
        products,
        shipments,
    )

    register("shipcrowd_couriers", site)


if can_register():
    register_pages(admin.site)
