"""What workers do and what was loaded: bulk jobs, stored labels, pincodes. Looked at only."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from couriers.admin.base import RecordAdmin, RecordInline
from couriers.models import BulkJob, BulkOrder, ServiceablePincode, StoredLabel


class BulkOrderInline(RecordInline):
    model = BulkOrder
    fields = ("position", "order_number", "outcome", "shipment", "tries", "reason")
    show_change_link = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[BulkOrder]:
        return super().get_queryset(request).select_related("shipment").defer("request")


@admin.register(BulkJob)
class BulkJobAdmin(RecordAdmin):
    list_display = ("id", "company", "state", "total", "created_at", "finished_at")
    search_fields = ("=id",)
    list_filter = ("state", "company")
    list_select_related = ("company",)
    inlines = (BulkOrderInline,)


@admin.register(BulkOrder)
class BulkOrderAdmin(RecordAdmin):
    """The request holds the consignee's data, and is not shown."""

    list_display = ("job", "position", "order_number", "outcome", "tries", "reason")
    search_fields = ("=job__id", "=order_number")
    list_filter = ("outcome",)
    list_select_related = ("job",)
    exclude = ("request",)


@admin.register(StoredLabel)
class StoredLabelAdmin(RecordAdmin):
    list_display = ("tracking_id", "shipment", "stored_at")
    search_fields = ("=tracking_id", "=shipment__id")
    list_filter = ("stored_at",)
    list_select_related = ("shipment",)


@admin.register(ServiceablePincode)
class ServiceablePincodeAdmin(RecordAdmin):
    list_display = (
        "pincode", "courier", "serviceable", "cod", "max_cod_amount", "forward_pickup",
        "forward_drop", "reverse_pickup", "reverse_drop", "loaded_at",
    )  # fmt: skip
    search_fields = ("=pincode", "city", "state")
    list_filter = ("courier", "serviceable", "cod")
    list_select_related = ("courier",)
