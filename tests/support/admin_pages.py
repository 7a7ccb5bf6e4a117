"""The URLs of all admin pages of the apps, for tests that open each of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.test import RequestFactory
from django.urls import reverse

LABELS = ("shipcrowd_couriers", "shipcrowd_webhooks", "shipcrowd_ekart")


def models_of_the_apps() -> list[type[Model]]:
    """The models of those of our apps that the project has installed."""
    return [
        model
        for config in apps.get_app_configs()
        if config.label in LABELS
        for model in config.get_models()
    ]


def admin_pages(user: Any, site: admin.AdminSite | None = None) -> Iterator[str]:
    """Yield the path of every page that the user may open on the site (`admin.site` if None).

    These are the first page, the pages of the apps, the overview, and for each model its list and
    the pages to add a row, and to change, delete or see the history of an existing row. Raises
    LookupError for a model without a page or a row.
    """
    site = site or admin.site
    request = RequestFactory().get("/")
    request.user = user
    models = models_of_the_apps()
    for model in models:
        if not site.is_registered(model):
            raise LookupError(f"{model.__name__} has no page on the site {site.name}")
    yield _url(site, "index")
    for label in sorted({model._meta.app_label for model in models}):
        yield _url(site, "app_list", label)
    yield _url(site, "shipcrowd_couriers_shipment_overview")
    for model in models:
        yield from _pages_of_model(site, model, request)


def _pages_of_model(
    site: admin.AdminSite, model: type[Model], request: HttpRequest
) -> Iterator[str]:
    row = model._default_manager.first()
    if row is None:
        raise LookupError(f"there is no row of {model.__name__}")
    page = site.get_model_admin(model)
    name = f"{model._meta.app_label}_{model._meta.model_name}"
    yield _url(site, f"{name}_changelist")
    if page.has_add_permission(request):
        yield _url(site, f"{name}_add")
    yield _url(site, f"{name}_change", row.pk)
    yield _url(site, f"{name}_history", row.pk)
    if page.has_delete_permission(request, row):
        yield _url(site, f"{name}_delete", row.pk)


def _url(site: admin.AdminSite, name: str, *args: Any) -> str:
    return reverse(f"admin:{name}", args=args, current_app=site.name)
