"""The list of the audit trail: who did what, on what, why, before and after.

It is searched by index: a person's name, the key of a row, an order number or a tracking id.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import RangeDateFilter

from couriers.admin.base import FixedValuesFilter, ReadOnlyAdmin, admin_url, link
from couriers.admin.registration import page
from couriers.admin.staff import sentences
from couriers.models import AuditEntry, Shipment
from couriers.models.audit import Door
from couriers.operations.staff import visible_to

MAX_FOUND = 100  # shipments of an order number that are searched for


class DaysFilter(RangeDateFilter):
    """Entries from the first day to the last, both with all their hours in the site's time zone."""

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[AuditEntry]
    ) -> QuerySet[AuditEntry]:
        first, last = (self._day(end) for end in ("from", "to"))
        if first:
            queryset = queryset.filter(at__gte=first)
        return queryset.filter(at__lt=last + dt.timedelta(days=1)) if last else queryset

    def _day(self, end: str) -> dt.datetime | None:
        """Return the first moment of the day that was typed, None where there is none."""
        try:
            day = dt.date.fromisoformat(str(self.used_parameters.get(f"at_{end}", "")))
        except ValueError:
            return None
        return timezone.make_aware(dt.datetime.combine(day, dt.time.min))


class ActionFilter(FixedValuesFilter):
    title = parameter_name = "action"
    values = tuple(sentences.VERBS)


class DoorFilter(FixedValuesFilter):
    title = parameter_name = "door"
    values = tuple(Door.values)


@page(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    company_path = "company"
    list_display = ("at", "who", "what", "on_what", "changes", "reason", "door")
    list_display_links = ("at",)
    search_fields = ("=object_key",)  # get_search_results
    search_help_text = "A person, the key of a row, an order number or a tracking id, in full."
    list_filter = (("at", DaysFilter), ActionFilter, DoorFilter, "company")
    list_filter_submit = True
    list_select_related = ("actor", "shipment", "courier")
    fields = ("at", "who", "door", "what", "on_what", "changes", "reason", "company")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AuditEntry], search_term: str
    ) -> tuple[QuerySet[AuditEntry], bool]:
        """The entries of a person or a row, or of the shipments of an order."""
        term = search_term.strip()
        if not term:
            return queryset, False
        shipments = [term]
        for column in ("order_number", "tracking_id"):  # one index for each
            named = visible_to(request.user, Shipment.objects.filter(**{column: term}))
            shipments += named.order_by().values_list("pk", flat=True)[:MAX_FOUND]
        about = Q(object_key=term) | Q(actor_name=term) | Q(shipment__in=shipments)
        return queryset.filter(about), False

    @admin.display(description="Who", ordering="actor_name")
    def who(self, entry: AuditEntry) -> str:
        return sentences.who(entry)

    @admin.display(description="What", ordering="action")
    def what(self, entry: AuditEntry) -> str:
        return sentences.what(entry)

    @admin.display(description="On what")
    def on_what(self, entry: AuditEntry) -> str | SafeString:
        text = sentences.on_what(entry)
        url = self._url_of(entry) if text else ""
        return link(url, text) if url else text

    @admin.display(description="Before → after")
    def changes(self, entry: AuditEntry) -> SafeString:
        lines = ((one,) for one in sentences.changes(entry))
        return format_html("<div>{}</div>", format_html_join("", "<div>{}</div>", lines))

    def _url_of(self, entry: AuditEntry) -> str:
        """Return the URL of the row's page, "" where there is none: the row may be gone."""
        key, label = entry.object_key, entry.model
        if entry.shipment_id and not label:
            key, label = entry.shipment_id, Shipment._meta.label_lower
        if not key or entry.action == "delete":
            return ""
        try:
            model = apps.get_model(label)
            if "prefix" in {field.name for field in model._meta.concrete_fields}:
                return ""  # an API key, which is not named by its own key
            name = f"{model._meta.app_label}_{model._meta.model_name}_change"
            return admin_url(self, name, key)
        except (LookupError, ValueError, NoReverseMatch):
            return ""
