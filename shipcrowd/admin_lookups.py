"""The admin pages of other packages, such as those of users, with the lookups of their filters."""

from __future__ import annotations

from django.contrib import admin

from couriers.admin.base import ListedLookups


def restrict_lookups(site: admin.AdminSite) -> None:
    """Register every page again that would be filtered by any column. To be called once all are."""
    for model, page in list(site._registry.items()):
        if not isinstance(page, ListedLookups):
            kind = type(page)
            site.unregister(model)
            site.register(model, type(kind.__name__, (ListedLookups, kind), {}))
