"""Finding shipments: the search box of their list, and the page of what several searches found.

The box is sent by POST: a phone that is typed there stands in no address, so neither in a log nor
in the browser's history. The list itself takes `?q=`, for numbers and names.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from unfold.decorators import action

from couriers.admin.base import admin_url, mask_phone
from couriers.admin.decision_pages import shipment_url
from couriers.contract.india.phones import parse_phone
from couriers.models.fields import readable_or
from couriers.operations.finding import MAX_FOUND, MAX_TERMS, MIN_NAME, Found, find_shipments
from couriers.resilience.unavailable import page_while_away

MAX_ADDRESS = 1000  # characters of a search that may stand in an address
COLUMNS = (
    "Order", "Consignee", "Phone", "Company", "Courier", "Status", "Tracking id", "Created",
)  # fmt: skip
_FOUND = "_shipcrowd_found"


def found_for(request: HttpRequest, text: str) -> Found:
    """What the text finds for the user of the request. It is looked for once a request."""
    kept: dict[str, Found] = request.__dict__.setdefault(_FOUND, {})
    if text not in kept:
        kept[text] = find_shipments(request.user, text)
    return kept[text]


def missing_words(found: Found) -> list[str]:
    """What no shipment has, as it may be shown: phones are masked."""
    return [mask_phone(parse_phone(term) or "") or term for term in found.missing]


class FindMixin(admin.ModelAdmin):
    """Adds the search to the list of shipments, and the page that looks for several."""

    @action(
        description="Find several",
        url_path="find-several",
        permissions=["view"],
        icon="manage_search",
    )
    def find_several(self, request: HttpRequest) -> HttpResponse:
        """The button above the list: redirect to the page."""
        return redirect(admin_url(self, "shipcrowd_find"))

    def get_urls(self) -> list[URLPattern]:
        view = page_while_away(self.admin_site.admin_view(self.find_page))
        return [path("find/", view, name="shipcrowd_find"), *super().get_urls()]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """The rows of the list that the search finds."""
        if not search_term.strip():
            return queryset, False
        return queryset.filter(pk__in=found_for(request, search_term).ids), False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list; or the shipment itself where a search without a filter finds exactly one."""
        text = request.GET.get("q", "")
        context = {"find_url": admin_url(self, "shipcrowd_find")}
        if request.method == "GET" and text.strip() and self.has_view_permission(request):
            found = found_for(request, text)
            if len(found.ids) == 1 and set(request.GET) == {"q"}:
                return redirect(shipment_url(self, found.ids[0]))
            context |= self._words(found)
        return super().changelist_view(request, context | (extra_context or {}))

    def find_page(self, request: HttpRequest) -> HttpResponseBase:
        """Show the form; or what it finds, the shipment itself where that is exactly one."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        text = request.POST.get("q", "")
        found = found_for(request, text)
        if len(found.ids) == 1 and not found.missing:
            return redirect(shipment_url(self, found.ids[0]))
        if self._fits_the_list(request, text, found):
            others = [pair for pair in self._filters(request) if pair[0] != "q"]
            listing = admin_url(self, "shipcrowd_couriers_shipment_changelist")
            return redirect(f"{listing}?{urlencode([('q', text), *others])}")
        context = {
            **self.admin_site.each_context(request),
            "title": "Find shipments",
            "text": text,
            "columns": COLUMNS,
            "rows": self._rows(request, found),
            **self._words(found),
        }
        return TemplateResponse(request, "admin/shipcrowd_couriers/find.html", context)

    def _fits_the_list(self, request: HttpRequest, text: str, found: Found) -> bool:
        """Whether the list can show it: one short search, without a phone, from the list's box."""
        short = len(text) <= MAX_ADDRESS and "\n" not in text.strip()
        return "from_list" in request.POST and short and not found.has_phone

    def _filters(self, request: HttpRequest) -> list[tuple[str, str]]:
        own = ("csrfmiddlewaretoken", "from_list", "q", "p")
        return [
            (name, value)
            for name, values in request.POST.lists()
            if name not in own
            for value in values
        ]

    def _rows(self, request: HttpRequest, found: Found) -> list[dict[str, Any]]:
        shipments = (
            self.get_queryset(request)
            .filter(pk__in=found.ids)
            .select_related("company", "courier")
            .defer("consignee_address", "options")
        )
        return [
            {
                "shipment": one,
                "url": shipment_url(self, one.pk),
                "phone": mask_phone(readable_or(one, "consignee_phone", "")),
            }
            for one in shipments
        ]

    def _words(self, found: Found) -> dict[str, Any]:
        """What the pages say about a search."""
        return {
            "found": found, "missing": missing_words(found), "max_found": MAX_FOUND,
            "max_terms": MAX_TERMS, "min_name": MIN_NAME,
        }  # fmt: skip
