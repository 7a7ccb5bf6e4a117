"""System checks of the admin: why the pages of the apps are not on the project's admin site.

The pages are made with unfold. Where the project does not use it, or not fully, they are not
registered, because they would end in errors.
"""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.admin import sites
from django.core import checks
from django.core.checks import CheckMessage, register
from django.urls import get_resolver

ADMIN = "django.contrib.admin"
UNFOLD = "unfold"
FILTERS = "unfold.contrib.filters"
NOT_REGISTERED = "so the pages of the couriers and their callbacks are not in the admin"


def apps_problem() -> CheckMessage | None:
    """What is wrong in INSTALLED_APPS for pages on any site, or None."""
    if not apps.is_installed(UNFOLD):
        return checks.Warning(
            f"{UNFOLD!r} is not in INSTALLED_APPS, {NOT_REGISTERED}",
            hint=f"Add {UNFOLD!r} and {FILTERS!r} before {ADMIN!r}.",
            id="couriers.W003",
        )
    if not apps.is_installed(FILTERS):
        return checks.Warning(
            f"{FILTERS!r} is not in INSTALLED_APPS, {NOT_REGISTERED}",
            hint=f"Add it after {UNFOLD!r}.",
            id="couriers.W004",
        )
    names = [config.name for config in apps.get_app_configs()]
    if ADMIN in names and names.index(ADMIN) < names.index(UNFOLD):
        return checks.Warning(
            f"{ADMIN!r} stands before {UNFOLD!r} in INSTALLED_APPS, {NOT_REGISTERED}",
            hint=f"Move {UNFOLD!r} before {ADMIN!r}: its templates and its site must come first.",
            id="couriers.W005",
        )
    return None


def pages_problem() -> CheckMessage | None:
    """Why the pages cannot be registered on `admin.site`, or None."""
    if problem := apps_problem():
        return problem
    if is_unfold_site(sites.site):
        return None
    return checks.Warning(
        f"The default admin site is not an UnfoldAdminSite, {NOT_REGISTERED}",
        hint=f"Write {UNFOLD!r} in INSTALLED_APPS, not another configuration of it; or derive your "
        "site from unfold.sites.UnfoldAdminSite; or call couriers.admin.register_pages and "
        "webhooks.admin.register_pages with a site that is one.",
        id="couriers.W006",
    )


def is_unfold_site(site: Any) -> bool:
    """Whether the admin site is unfold's, or the project's own that derives from it."""
    from unfold.sites import UnfoldAdminSite

    return isinstance(site, UnfoldAdminSite)


@register(checks.Tags.admin)
def check_admin(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """couriers.W003 to W006: the pages are not in the admin."""
    problem = pages_problem()
    return [] if problem is None or _are_registered() else [problem]


def _are_registered() -> bool:
    """Whether some admin site of the project has a page of shipments."""
    from couriers.models import Shipment

    if getattr(settings, "ROOT_URLCONF", None):
        _ = get_resolver().url_patterns  # a project makes and fills a site of its own there
    return any(site.is_registered(Shipment) for site in sites.all_sites)
