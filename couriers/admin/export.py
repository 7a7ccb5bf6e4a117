"""Exporting a list as CSV, as it is filtered: a mixin of the admin page of every model.

The columns are those of the list, so that nothing is exported that no page shows. Rows are read in
pages by their key and sent as they come: the memory that it takes does not depend on their number,
and no statement takes long.
"""

from __future__ import annotations

import datetime as dt
import html
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import label_for_field, lookup_field
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import strip_tags
from django.utils.safestring import SafeString
from unfold.enums import ActionVariant

from couriers.conf import tunables
from couriers.contract.india.days import IST
from couriers.operations.exports import BYTE_ORDER_MARK, csv_line, record_export
from couriers.operations.staff import EXPORT, VIEW_AMOUNTS

CHUNK = 500  # rows that are read and sent at once
NO_FILTERS = ("p", "o", "e", "all")  # parameters of a list that do not choose rows


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the file: its heading, and its text for a row."""

    heading: str
    text: Callable[[Any], str]


class ExportMixin(admin.ModelAdmin):
    """Adds the button *Export* to a list, for users who may export, and its page.

    `amounts` are columns that only users who may see amounts get.
    """

    amounts: ClassVar[tuple[str, ...]] = ()

    def get_urls(self) -> list[URLPattern]:
        view = transaction.non_atomic_requests(self.admin_site.admin_view(self.export_page))
        return [path("export/", view, name=self._export_name()), *super().get_urls()]

    def _export_name(self) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_export"

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list, with the button. It keeps the filters of the list."""
        response = super().changelist_view(request, extra_context)
        context = getattr(response, "context_data", None)
        if context and "cl" in context and request.user.has_perm(EXPORT):
            url = reverse(f"admin:{self._export_name()}", current_app=self.admin_site.name)
            button = {
                "title": "Export",
                "path": url + context["cl"].get_query_string(remove=NO_FILTERS),
                "icon": "download",
                "variant": ActionVariant.DEFAULT,
                "attrs": {},
                "dialog": None,
            }
            context["actions_list"] = [*context.get("actions_list", ()), button]
        return response

    def get_export_columns(self, request: HttpRequest) -> list[Column]:
        """The columns of the file: those of the list that the user may see."""
        names = [name for name in self.get_list_display(request) if isinstance(name, str)]
        if not request.user.has_perm(VIEW_AMOUNTS):
            names = [name for name in names if name not in self.amounts]
        found = [(name, str(label_for_field(name, self.model, self))) for name in names]
        return [
            Column(heading[:1].upper() + heading[1:], self._text_of(name))
            for name, heading in found
            if heading  # a column without a heading is a link
        ]

    def _text_of(self, name: str) -> Callable[[Any], str]:
        def text(row: Model) -> str:
            try:
                field, _, value = lookup_field(name, row, self)
            except (ObjectDoesNotExist, ValueError):
                return ""
            if field is not None and getattr(field, "choices", None):
                value = getattr(row, f"get_{field.name}_display")()
            return as_text(value)

        return text

    def export_page(self, request: HttpRequest) -> HttpResponseBase:
        """Say what the file will have, and send it when that is confirmed."""
        if not (request.user.has_perm(EXPORT) and self.has_view_permission(request)):
            raise PermissionDenied("You may not export lists.")
        listing = reverse(
            f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist",
            current_app=self.admin_site.name,
        )
        try:
            changes = self.get_changelist_instance(request)
        except IncorrectLookupParameters:
            messages.error(request, "The filters of the list are not valid.")
            return redirect(listing)
        most = tunables().EXPORT_MAX_ROWS
        rows = changes.queryset.order_by("-pk")
        count = rows.order_by()[: most + 1].count()
        columns = self.get_export_columns(request)
        if request.method == "POST" and count <= most:
            return self._send(request, rows, count, columns)
        context = {
            **self.admin_site.each_context(request),
            "title": f"Export {self.opts.verbose_name_plural}",
            "count": count,
            "most": most,
            "columns": [column.heading for column in columns],
            "filters": filters_of(request),
            "back": listing + changes.get_query_string(remove=NO_FILTERS),
        }
        return TemplateResponse(request, "admin/shipcrowd_couriers/export.html", context)

    def _send(
        self, request: HttpRequest, rows: QuerySet[Any], count: int, columns: list[Column]
    ) -> StreamingHttpResponse:
        record_export(request.user, count, str(self.opts.verbose_name_plural), filters_of(request))
        name = f"{self.opts.model_name}s-{dt.datetime.now(IST):%Y-%m-%d-%H%M}.csv"
        return StreamingHttpResponse(
            lines_of(rows, columns, tunables().EXPORT_MAX_ROWS),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )


def filters_of(request: HttpRequest) -> dict[str, str]:
    """What the list is filtered by, as in its address."""
    return {name: str(value) for name, value in request.GET.items() if name not in NO_FILTERS}


def lines_of(rows: QuerySet[Any], columns: list[Column], most: int) -> Iterator[str]:
    """Yield the file in parts, the rows by their key, the newest first."""
    yield BYTE_ORDER_MARK + csv_line(column.heading for column in columns)
    last, left = None, most
    while left > 0:
        page = rows if last is None else rows.filter(pk__lt=last)
        asked = min(CHUNK, left)
        batch = list(page[:asked])
        yield "".join(csv_line(column.text(row) for column in columns) for row in batch)
        if len(batch) < asked:
            return
        last, left = batch[-1].pk, left - len(batch)


def as_text(value: Any) -> str:
    """Return a cell of a list as text: times in India's, no markup, "yes" and "no"."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dt.datetime):
        return value.astimezone(IST).strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, (tuple, list)):  # a label of unfold: the value, and its name
        return as_text(value[-1]) if value else ""
    if isinstance(value, SafeString):
        return html.unescape(strip_tags(value)).strip()
    return str(value)
