"""Which class shows which model in the admin, recorded apart from any site.

Imports nothing of unfold, so that it can be imported where the project does not use unfold.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from django.contrib import admin
from django.core.exceptions import ImproperlyConfigured
from django.db.models import Model

from couriers.operations.admin_checks import apps_problem, is_unfold_site, pages_problem

PageClass = TypeVar("PageClass", bound=type[admin.ModelAdmin])

_pages: dict[type[Model], type[admin.ModelAdmin]] = {}


def page(model: type[Model]) -> Callable[[PageClass], PageClass]:
    """Decorator of a model's admin class. Registers it on no site yet."""

    def record(page_class: PageClass) -> PageClass:
        _pages[model] = page_class
        return page_class

    return record


def recorded_page(model: type[Model]) -> type[admin.ModelAdmin] | None:
    """Return the model's admin class, None for a model without one of ours."""
    return _pages.get(model)


def can_register() -> bool:
    """Whether the pages work on the project's `admin.site`. Where not, a system check says why."""
    return pages_problem() is None


def check_site(site: admin.AdminSite) -> None:
    """Raise ImproperlyConfigured where the pages would not work on the site."""
    if problem := apps_problem():
        raise ImproperlyConfigured(f"{problem.msg}. {problem.hint}")
    if not is_unfold_site(site):
        raise ImproperlyConfigured(
            f"the admin site {site.name!r} is not an UnfoldAdminSite of unfold"
        )


def register(app_label: str, site: admin.AdminSite) -> None:
    """Register the recorded pages of the app on the site, but none in place of the project's."""
    for model, page_class in _pages.items():
        if model._meta.app_label == app_label and not site.is_registered(model):
            site.register(model, page_class)
