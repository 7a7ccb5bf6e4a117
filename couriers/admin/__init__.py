"""The admin pages of operators, in rooms by concept.

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
    from couriers.admin import jobs  # noqa: F401 - the modules record their pages
    from couriers.admin.companies import accounts, logos, products, rules  # noqa: F401
    from couriers.admin.companies import page as companies  # noqa: F401
    from couriers.admin.shipments import (  # noqa: F401
        actions,
        documents,
        events,
        flags,
        inquiries,
        manifests,
    )
    from couriers.admin.shipments import page as shipments  # noqa: F401
    from couriers.admin.staff import scopes, trail  # noqa: F401
    from couriers.admin.today import figures_page, performance_page  # noqa: F401
    from couriers.admin.worklists import jobs as jobs_of_operators  # noqa: F401
    from couriers.admin.worklists import lists, notes, shipment_lists  # noqa: F401

    register("shipcrowd_couriers", site)


if can_register():
    register_pages(admin.site)
