"""Finding shipments and pages from anywhere: what unfold's command palette shows (Ctrl + K).

A project serves `palette` in place of unfold's own search, which keeps what it found for five
minutes, by what was typed, and shows nothing where it found nothing. `command_results` is for a
project that keeps unfold's search: it is a `search_callback` of UNFOLD["COMMAND"].
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.admin.utils import quote
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, reverse
from unfold.dataclasses import SearchResult

from couriers.models import Shipment
from couriers.operations.finding import find_shipments
from couriers.operations.staff import visible_to

MAX_SHIPMENTS = 20  # that are shown
MAX_PAGES = 10


def command_results(request: HttpRequest, search_term: str) -> list[SearchResult]:
    """The shipments that the typed text finds, for a user who may view shipments.

    Unfold gives the text in lower case, which is not how ids are written: it is read again.
    """
    text = request.GET.get("s", search_term)
    if not request.user.has_perm("shipcrowd_couriers.view_shipment"):
        return []
    try:
        listing = _url(request, "changelist")
    except NoReverseMatch:  # this site has no page of shipments
        return []
    found = find_shipments(request.user, text)
    rows = visible_to(request.user, Shipment.objects.filter(pk__in=found.ids[:MAX_SHIPMENTS]))
    results = [
        SearchResult(
            title=f"Order {one.order_number}",
            description=", ".join(
                str(part)
                for part in (
                    one.get_status_display(), one.company, one.courier, one.consignee_city,
                )
            ),
            link=_url(request, "change", quote(one.pk)),
            icon="package_2",
        )
        for one in rows.select_related("company", "courier").defer("consignee_address", "options")
    ]  # fmt: skip
    if len(found.ids) > MAX_SHIPMENTS:
        count = f"more than {len(found.ids)}" if found.is_cut else str(len(found.ids))
        address = "" if found.has_phone else f"?{urlencode({'q': text})}"
        results.append(
            SearchResult(f"All {count} shipments", "the list", listing + address, "list")
        )
    return results


def palette(request: HttpRequest) -> HttpResponse:
    """The results for what is typed: shipments first, then the pages of this name.

    It is served at the admin's `search/`, through the site's `admin_view`.
    """
    text = request.GET.get("s", "").strip()
    if not text:
        return HttpResponse()
    context: dict[str, Any] = {
        "results": [*command_results(request, text), *_pages(request, text.lower())]
    }
    try:
        context["find_url"] = reverse("admin:shipcrowd_find", current_app=_site(request))
    except NoReverseMatch:
        context["find_url"] = reverse("admin:index", current_app=_site(request))
    return TemplateResponse(request, "admin/shipcrowd_couriers/palette.html", context)


def _pages(request: HttpRequest, text: str) -> list[SearchResult]:
    models = (
        (app["name"], model)
        for app in admin.site.get_app_list(request)
        for model in app["models"]
        if model.get("admin_url")
    )
    found = [
        SearchResult(str(model["name"]), str(app), model["admin_url"], "tag")
        for app, model in models
        if text in str(model["name"]).lower()
    ]
    return found[:MAX_PAGES]


def _site(request: HttpRequest) -> str:
    """The name of the site that the request is for."""
    match = request.resolver_match
    return (match.namespace if match else "") or admin.site.name


def _url(request: HttpRequest, page: str, *args: Any) -> str:
    name = f"admin:shipcrowd_couriers_shipment_{page}"
    return reverse(name, args=args, current_app=_site(request))
