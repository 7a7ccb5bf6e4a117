"""Admin of bulk jobs with their orders, and of PDFs of many labels."""

from __future__ import annotations

from django.db.models import QuerySet
from django.http import HttpRequest

from couriers.admin.base import ReadOnlyAdmin, ReadOnlyInline
from couriers.admin.registration import page
from couriers.admin.today.work_filter import WorkFilter
from couriers.models import BulkJob, BulkOrder, BulkTurn, LabelJob


class BulkOrderInline(ReadOnlyInline):
    model = BulkOrder
    fields = ("position", "order_number", "outcome", "shipment", "tries", "reason")
    show_change_link = True
    per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet[BulkOrder]:
        return super().get_queryset(request).select_related("shipment").defer("request")


@page(BulkJob)
class BulkJobAdmin(ReadOnlyAdmin):
    company_path = "company"
    list_display = ("id", "company", "state", "total", "created_at", "finished_at")
    search_fields = ("=id",)
    list_filter = ("state", "company")
    list_select_related = ("company",)
    inlines = (BulkOrderInline,)


@page(BulkOrder)
class BulkOrderAdmin(ReadOnlyAdmin):
    """Orders of bulk jobs. The request is not shown: it contains the consignee's data."""

    company_path = "job__company"
    list_display = ("job", "position", "order_number", "outcome", "tries", "reason")
    search_fields = ("=job__id", "=order_number")
    list_filter = (WorkFilter, "outcome")
    list_select_related = ("job",)
    exclude = ("request",)


@page(BulkTurn)
class BulkTurnAdmin(ReadOnlyAdmin):
    """When each company's bulk work was served last."""

    company_path = "company"
    list_display = ("company", "served_at", "next_attempt_at", "lease_expires_at")
    search_fields = ("company__slug",)
    list_filter = ("served_at",)
    list_select_related = ("company",)
    ordering = ("served_at",)


@page(LabelJob)
class LabelJobAdmin(ReadOnlyAdmin):
    """PDFs of many labels. The file is not served here: it holds the data of many consignees."""

    company_path = "company"
    list_display = ("id", "company", "state", "page_format", "created_at", "finished_at")
    search_fields = ("=id",)
    list_filter = ("state", "company")
    list_select_related = ("company",)
    fields = (
        "id", "company", "page_format", "state", "shipments", "missing", "reason", "pages", "size",
        "attempts", "failures", "created_at", "finished_at",
    )  # fmt: skip
