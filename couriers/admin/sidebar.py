"""The sidebar: what operators do, by task, with the numbers of the first page as badges.

A project has unfold draw it: UNFOLD["SIDEBAR"]["navigation"] = "couriers.admin.sidebar.navigation".
What is for the machinery, and every list that is named nowhere else, stands under "Advanced".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.contrib.admin.sites import all_sites
from django.http import HttpRequest
from django.urls import reverse

from couriers.admin.today.facts import tallies_for
from couriers.admin.today.work_filter import PARAMETER, url_of
from couriers.operations import worklists
from couriers.operations.worklists import Tally

Item = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Rows:
    """An item that leads to the list of a model, with the badge of a work list."""

    title: str
    icon: str
    model: str  # app_label.modelname
    badge: str = ""


@dataclass(frozen=True, slots=True)
class Work:
    """An item that leads to a work list, with its number as the badge."""

    title: str
    icon: str
    name: str


_APP = "shipcrowd_couriers"
DAILY = (
    Rows("Shipments", "local_shipping", f"{_APP}.shipment"),
    Work("Doubts", "contact_support", "doubts"),
    Work("NDR", "assignment_late", "ndr"),
    Work("Not picked", "remove_shopping_cart", "not-picked"),
    Work("Flags", "flag", "flags"),
    Rows("Callbacks", "webhook", "shipcrowd_webhooks.webhookevent", badge="callbacks"),
    Rows("Manifests", "assignment", f"{_APP}.manifest", badge="chunks"),
    Rows("Bulk jobs", "inventory_2", f"{_APP}.bulkjob", badge="bulk"),
    Rows("Performance", "insights", f"{_APP}.courierperformance"),
)
COMPANIES = (
    Rows("Companies", "store", f"{_APP}.company"),
    Rows("Accounts", "key", f"{_APP}.courieraccount"),
    Rows("Warehouses", "warehouse", f"{_APP}.warehouse", badge="registrations"),
    Rows("Courier rules", "alt_route", f"{_APP}.courierrule"),
    Rows("Products", "sell", f"{_APP}.product"),
    Rows("API keys", "vpn_key", f"{_APP}.companyapikey"),
)
SETTINGS = (
    Rows("Couriers", "tune", f"{_APP}.courier"),
    Rows("Audit trail", "history", f"{_APP}.auditentry"),
    Rows("Users", "person", "auth.user"),
    Rows("Groups", "group", "auth.group"),
)


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the groups of the sidebar that the user may see, for unfold."""
    site = request.resolver_match.namespace if request.resolver_match else "admin"
    found = tallies_for(request) or {}
    lists = _listed_models(request, site)
    today = {"title": "Today", "icon": "today", "link": reverse("admin:index", current_app=site)}
    groups: list[dict[str, Any]] = [
        {"items": [today, *_items(DAILY, lists, found, request, site)]},
        {"title": "Companies", "separator": True,
         "items": _items(COMPANIES, lists, found, request, site)},
        {"title": "Settings", "separator": True,
         "items": _items(SETTINGS, lists, found, request, site)},
    ]  # fmt: skip
    named = {one.model for one in (*DAILY, *COMPANIES, *SETTINGS) if isinstance(one, Rows)}
    advanced = [
        {"title": title, "icon": "list", "link": link}
        for model, (title, link) in lists.items()
        if model not in named
    ]
    groups.append({"title": "Advanced", "separator": True, "collapsible": True, "items": advanced})
    for group in groups:
        for item in group["items"]:
            item["active"] = _is_active(request, item["link"], today["link"])
    return [group for group in groups if group["items"]]


def _items(
    entries: Iterable[Rows | Work],
    lists: Mapping[str, tuple[str, str]],
    found: Mapping[str, Tally],
    request: HttpRequest,
    site: str,
) -> list[Item]:
    """Return those of the entries that the user may see and the site has."""
    items = []
    for entry in entries:
        if isinstance(entry, Rows):
            link: str | None = lists[entry.model][1] if entry.model in lists else None
            badge = entry.badge
        else:
            one = worklists.worklist(entry.name)
            link = url_of(one, site) if request.user.has_perm(one.permission) else None
            badge = entry.name
        if link:
            items.append(
                {"title": entry.title, "icon": entry.icon, "link": link} | _badge(found.get(badge))
            )
    return items


def _badge(tally: Tally | None) -> Item:
    if tally is None or not tally.count:
        return {}
    return {"badge": tally.count, "badge_variant": "danger"}


def _listed_models(request: HttpRequest, site: str) -> dict[str, tuple[str, str]]:
    """Return the name and the list of each model that the user may see, by its label."""
    found = next((one for one in all_sites if one.name == site), admin.site)
    return {
        model["model"]._meta.label_lower: (str(model["name"]), model["admin_url"])
        for app in found.get_app_list(request)
        for model in app["models"]
        if model["admin_url"]
    }


def _is_active(request: HttpRequest, link: str, first_page: str) -> bool:
    """Whether the page is the item's: the same list, with the same work list where it names one."""
    path, _, query = link.partition("?")
    if path == first_page:
        return request.path == path
    work = request.GET.get(PARAMETER)
    return request.path.startswith(path) and query == (f"{PARAMETER}={work}" if work else "")
