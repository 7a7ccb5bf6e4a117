"""Shipments and what belongs to them, to be looked at.

The consignee's phone is masked, and the options, which may hold another, are left out; the address
is shown on a shipment's own page only, since an operator needs it to answer a courier's question.
"""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import FieldTextFilter
from unfold.decorators import display

from couriers.admin.base import RecordAdmin, RecordInline, masked
from couriers.admin.doubt import SettlesDoubt
from couriers.admin.lifting import LiftsEnds
from couriers.contract.statuses import STATUS_FACTS, Status
from couriers.models import (
    AuditEntry,
    CourierCall,
    IdempotencyKey,
    Manifest,
    ManifestChunk,
    Scan,
    Shipment,
    ShipmentFlag,
)
from couriers.operations.flags import sentence_of


class LookFilter(admin.SimpleListFilter):
    """What an operator should look at first."""

    title = "to look at"
    parameter_name = "look"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("doubt", "In doubt"), ("attention", "Needs attention"), ("action", "Needs action")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Shipment]) -> QuerySet[Shipment]:
        if self.value() == "doubt":
            return queryset.filter(status=Status.IN_DOUBT)
        if self.value() == "attention":
            open_flags = ShipmentFlag.objects.filter(
                shipment=OuterRef("pk"), cleared_at__isnull=True
            )
            return queryset.filter(Exists(open_flags))
        if self.value() == "action":
            return queryset.filter(
                status__in=[s for s, facts in STATUS_FACTS.items() if facts.needs_action]
            )
        return queryset


class FlagInline(RecordInline):
    model = ShipmentFlag
    fields = ("sentence", "raised_at", "cleared_at", "cleared_by", "clear_reason")
    readonly_fields = ("sentence",)

    @admin.display(description="What is wrong")
    def sentence(self, flag: ShipmentFlag) -> str:
        return sentence_of(flag)


class ScanInline(RecordInline):
    model = Scan
    fields = (
        "at", "status", "courier_status", "ndr_reason", "location", "description", "tracking_id",
        "ignored", "lifted",
    )  # fmt: skip


class CallInline(RecordInline):
    model = CourierCall
    fields = ("operation", "attempt", "outcome", "http_status", "message", "started_at")


class AuditInline(RecordInline):
    model = AuditEntry
    fields = ("at", "actor", "action", "reason")
    readonly_fields = fields


# One for every status: what has none is shown by its key.
LABELS = dict.fromkeys(Status, "default") | {
    Status.IN_DOUBT: "danger",
    Status.FAILED: "danger",
    Status.LOST: "danger",
    Status.DAMAGED: "danger",
    Status.DELIVERED: "success",
    Status.UNDELIVERED: "warning",
    Status.RTO_FAILED: "warning",
    Status.NOT_PICKED: "warning",
}


@admin.register(Shipment)
class ShipmentAdmin(SettlesDoubt, LiftsEnds, RecordAdmin):
    actions_detail = ["settle", "lift_end"]
    list_display = (
        "order_number", "company", "courier", "shown_status", "tracking_id", "payment_mode",
        "total_amount", "consignee_city", "created_at",
    )  # fmt: skip
    search_fields = ("=id", "=order_number", "=tracking_id", "=waybill")
    list_filter = (LookFilter, "status", "courier", "direction", "payment_mode", "company")
    list_select_related = ("company", "courier")
    inlines = (FlagInline, ScanInline, CallInline, AuditInline)
    exclude = ("consignee_phone", "items", "former_tracking_ids", "options")
    readonly_fields = ("shown_phone", "shown_items", "former_ids")

    @display(description="Status", ordering="status", label=LABELS)
    def shown_status(self, shipment: Shipment) -> tuple[str, str]:
        return shipment.status, shipment.get_status_display()

    @admin.display(description="Consignee phone")
    def shown_phone(self, shipment: Shipment) -> str:
        return masked(shipment.consignee_phone)

    @admin.display(description="Items")
    def shown_items(self, shipment: Shipment) -> str:
        return "; ".join(f"{i['quantity']} of {i['name']}, ₹{i['value']}" for i in shipment.items)

    @admin.display(description="Former tracking ids")
    def former_ids(self, shipment: Shipment) -> str:
        return ", ".join(shipment.former_tracking_ids)


@admin.register(ShipmentFlag)
class ShipmentFlagAdmin(RecordAdmin):
    list_display = ("shipment", "kind", "tracking_id", "raised_at", "cleared_at")
    search_fields = ("=shipment__id", "=shipment__order_number", "=tracking_id")
    list_filter = ("kind", ("cleared_at", admin.EmptyFieldListFilter))
    list_select_related = ("shipment",)


@admin.register(Scan)
class ScanAdmin(RecordAdmin):
    list_display = ("shipment", "at", "status", "courier_status", "location", "ignored")
    search_fields = ("=shipment__id", "=shipment__order_number", "=shipment__tracking_id")
    list_filter = ("ignored", "lifted", "status")
    list_select_related = ("shipment",)


@admin.register(IdempotencyKey)
class IdempotencyKeyAdmin(RecordAdmin):
    list_display = ("key", "company", "shipment", "response_status", "created_at")
    search_fields = ("=key", "=shipment__id", "=shipment__order_number")
    list_filter = (("response_status", admin.EmptyFieldListFilter), "company")
    list_select_related = ("company", "shipment")
    fields = ("company", "key", "shipment", "response_status", "shown_response", "created_at")
    readonly_fields = ("shown_response",)

    @admin.display(description="Response")
    def shown_response(self, key: IdempotencyKey) -> str:
        if key.response_body is None:
            return ""
        return json.dumps(json.loads(bytes(key.response_body)), indent=1, ensure_ascii=False)


class ChunkInline(RecordInline):
    model = ManifestChunk
    fields = ("position", "state", "attempts", "number", "url", "reason")


@admin.register(Manifest)
class ManifestAdmin(RecordAdmin):
    list_display = ("id", "company", "account", "state", "created_at", "finished_at")
    search_fields = ("=id",)
    list_filter = ("state", "company")
    list_select_related = ("company", "account")
    inlines = (ChunkInline,)


@admin.register(ManifestChunk)
class ManifestChunkAdmin(RecordAdmin):
    list_display = ("manifest", "position", "state", "attempts", "number", "reason")
    search_fields = ("=manifest__id", "=number")
    list_filter = ("state",)
    list_select_related = ("manifest",)


@admin.register(AuditEntry)
class AuditEntryAdmin(RecordAdmin):
    list_display = ("at", "actor", "action", "shipment", "reason")
    search_fields = ("=shipment__id", "=shipment__order_number", "reason")
    list_filter = (("action", FieldTextFilter), "company")
    list_filter_submit = True
    list_select_related = ("actor", "shipment")
