"""Stored documents in the admin: a view checks the permission and serves the file.

A document holds a consignee's address. So it is stored encrypted, and is read through the admin
alone, whatever URLs the storage has. The admin's own pages, and so these, may be kept by no cache.
"""

from __future__ import annotations

from io import BytesIO
from typing import Any

from django.contrib import admin
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from unfold.decorators import action

from couriers.admin.base import ReadOnlyAdmin, ReadOnlyInline, admin_url, link
from couriers.admin.registration import page
from couriers.contract.content_policy import HEADER
from couriers.contract.logs import get_logger
from couriers.fulfilment.labels import read_stored
from couriers.models import StoredLabel

log = get_logger(__name__)


@page(StoredLabel)
class StoredLabelAdmin(ReadOnlyAdmin):
    list_display = ("tracking_id", "shipment", "stored_at", "document")
    search_fields = ("=tracking_id", "=shipment__id")
    list_filter = ("stored_at",)
    list_select_related = ("shipment",)
    fields = ("shipment", "tracking_id", "file_name", "stored_at")
    readonly_fields = ("file_name",)
    actions_detail = ["open_label"]

    @admin.display(description="File")
    def file_name(self, label: StoredLabel) -> str:
        return str(label.file.name)

    @admin.display(description="")
    def document(self, label: StoredLabel) -> str:
        return _link(self, label)

    @action(description="Open the label", url_path="open", permissions=["view"])
    def open_label(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """The button: serve the file, or say with a 404 that it is gone."""
        label = self.get_object(request, object_id)
        if label is None:
            raise Http404
        content = read_stored(label)
        if content is None:
            return _gone(self, request, label)
        log.info("label_opened", label=label.pk, actor=str(request.user.pk))
        response = FileResponse(
            BytesIO(content),
            content_type="application/pdf",
            filename=f"label-{label.tracking_id}.pdf",
        )
        response.headers["X-Content-Type-Options"] = "nosniff"
        # No `default-src`: browsers show a PDF by an embedded viewer of their own.
        response.headers[HEADER] = "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        return response


class LabelInline(ReadOnlyInline):
    """The labels of a shipment, on its page."""

    model = StoredLabel
    fields = ("tracking_id", "stored_at", "document")
    readonly_fields = ("stored_at", "document")

    @admin.display(description="Label")
    def document(self, label: StoredLabel) -> str:
        return _link(self, label)


def _link(model_admin: Any, label: StoredLabel) -> str:
    url = admin_url(model_admin, "shipcrowd_couriers_storedlabel_open_label", label.pk)
    return link(url, "Open")


def _gone(model_admin: Any, request: HttpRequest, label: StoredLabel) -> HttpResponse:
    context = {
        **model_admin.admin_site.each_context(request),
        "title": f"The label of {label.tracking_id} is gone",
        "label": label,
        "back": admin_url(model_admin, "shipcrowd_couriers_storedlabel_change", label.pk),
    }
    template = "admin/shipcrowd_couriers/label_gone.html"
    return TemplateResponse(request, template, context, status=404)
