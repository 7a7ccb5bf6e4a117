"""Read-only admin of shipments and the rows that belong to them.

The consignee's phone is masked, and the options, which may contain a second phone, are left out.
The address is shown on a shipment's own page alone: operators need it to answer a courier.
"""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from unfold.contrib.filters.admin import FieldTextFilter
from unfold.decorators import action, display

from couriers.admin.actions import ActionInline
from couriers.admin.base import ReadOnlyAdmin, ReadOnlyInline, mask_phone
from couriers.admin.correction import CorrectIdMixin
from couriers.admin.dashboard import IN_DOUBT, TO_BE_ACTED_ON, overview
from couriers.admin.documents import DocumentInline, ProofMixin
from couriers.admin.doubt import SettleDoubtMixin
from couriers.admin.flags import ClearFlagMixin
from couriers.admin.lifting import LiftStatusMixin
from couriers.admin.registration import page
from couriers.booking.answers import charges_of
from couriers.booking.shipment_actions import actions_allowed
from couriers.contract.statuses import Status
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
from couriers.models.fields import UNREADABLE_TEXT, readable_or
from couriers.operations.flags import sentence_of


class WorklistFilter(admin.SimpleListFilter):
    """Shipments that an operator must look at. The cards of the first page link here."""

    title = "worklist"
    parameter_name = "look"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("doubt", "In doubt"),
            ("attention", "Needs attention"),
            ("action", "Needs action at the courier"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Shipment]) -> QuerySet[Shipment]:
        if self.value() == "doubt":
            return queryset.filter(IN_DOUBT)
        if self.value() == "attention":
            flags = ShipmentFlag.objects.open().filter(shipment=OuterRef("pk"))
            return queryset.filter(Exists(flags))
        if self.value() == "action":
            return queryset.filter(TO_BE_ACTED_ON)
        return queryset


class FlagInline(ReadOnlyInline):
    model = ShipmentFlag
    fields = ("sentence", "raised_at", "cleared_at", "cleared_by", "clear_reason")
    readonly_fields = ("sentence",)

    @admin.display(description="What is wrong")
    def sentence(self, flag: ShipmentFlag) -> str:
        return sentence_of(flag)


class ScanInline(ReadOnlyInline):
    model = Scan
    fields = (
        "at", "status", "courier_type", "courier_status", "courier_code", "ndr_reason", "location",
        "description", "tracking_id", "ignored", "lifted",
    )  # fmt: skip


class CallInline(ReadOnlyInline):
    model = CourierCall
    fields = ("operation", "attempt", "outcome", "http_status", "message", "started_at")


class AuditInline(ReadOnlyInline):
    model = AuditEntry
    fields = ("at", "actor", "action", "reason")
    readonly_fields = fields


# The colour of each status. Unfold shows a status without a colour by its raw value.
STATUS_COLOURS = dict.fromkeys(Status, "default") | {
    Status.IN_DOUBT: "danger",
    Status.FAILED: "danger",
    Status.LOST: "danger",
    Status.DAMAGED: "danger",
    Status.DELIVERED: "success",
    Status.UNDELIVERED: "warning",
    Status.RTO_FAILED: "warning",
    Status.NOT_PICKED: "warning",
}


@page(Shipment)
class ShipmentAdmin(
    SettleDoubtMixin, LiftStatusMixin, CorrectIdMixin, ClearFlagMixin, ProofMixin, ReadOnlyAdmin
):
    actions_list = ["overview"]
    actions_detail = ["settle_doubt", "lift_status", "correct_id", "clear_flag", "open_proof"]
    list_display = (
        "order_number", "company", "courier", "status_label", "tracking_id", "payment_mode",
        "total_amount", "consignee_city", "created_at",
    )  # fmt: skip
    search_fields = ("=id", "=order_number", "=tracking_id", "=waybill")
    list_filter = (WorklistFilter, "status", "courier", "direction", "payment_mode", "company")
    list_select_related = ("company", "courier")
    inlines = (
        FlagInline,
        ActionInline,
        ScanInline,
        DocumentInline,
        CallInline,
        AuditInline,
    )
    exclude = (
        "consignee_phone",
        "consignee_address",
        "items",
        "former_tracking_ids",
        "options",
        "warnings",
        "charges",
    )
    readonly_fields = (
        "open_flags",
        "masked_phone",
        "address",
        "items_text",
        "former_ids",
        "warnings_text",
        "allowed",
        "charges_text",
    )

    @action(description="Overview", url_path="overview", permissions=["view"])
    def overview(self, request: HttpRequest) -> HttpResponse:
        """The button above the list, and its page: what an operator must do."""
        request.current_app = self.admin_site.name
        context = {
            **self.admin_site.each_context(request),
            "title": "Overview",
            **overview(self.admin_site.name),
        }
        return TemplateResponse(request, "admin/shipcrowd_couriers/overview.html", context)

    def get_fields(self, request: HttpRequest, obj: Shipment | None = None) -> list[Any]:
        """All fields, what is wrong with the shipment first."""
        others = [name for name in super().get_fields(request, obj) if name != "open_flags"]
        return ["open_flags", *others]

    @admin.display(description="Needs attention")
    def open_flags(self, shipment: Shipment) -> str:
        found = shipment.flags.filter(cleared_at__isnull=True).order_by("id")
        return " ".join(sentence_of(flag) for flag in found)

    @display(description="Status", ordering="status", label=STATUS_COLOURS)
    def status_label(self, shipment: Shipment) -> tuple[str, str]:
        return shipment.status, shipment.get_status_display()

    @admin.display(description="Consignee phone")
    def masked_phone(self, shipment: Shipment) -> str:
        phone = readable_or(shipment, "consignee_phone", None)
        return UNREADABLE_TEXT if phone is None else mask_phone(phone)

    @admin.display(description="Consignee address")
    def address(self, shipment: Shipment) -> str:
        return str(readable_or(shipment, "consignee_address", UNREADABLE_TEXT))

    @admin.display(description="Items")
    def items_text(self, shipment: Shipment) -> str:
        return "; ".join(f"{i['quantity']} of {i['name']}, ₹{i['value']}" for i in shipment.items)

    @admin.display(description="Warnings of the booking")
    def warnings_text(self, shipment: Shipment) -> str:
        return "; ".join(f"{w['field']}: {w['message']}" for w in shipment.warnings)

    @admin.display(description="Actions that the courier takes now")
    def allowed(self, shipment: Shipment) -> str:
        return ", ".join(kind.label for kind in actions_allowed(shipment))

    @admin.display(description="Charges")
    def charges_text(self, shipment: Shipment) -> str:
        charges = charges_of(shipment)
        if charges is None:
            return ""
        weight = charges["billed_weight_g"]
        parts = [f"{name} ₹{amount}" for name, amount in charges["parts"].items()]
        parts += [f"GST ₹{charges['gst']}"] if charges["gst"] is not None else []
        parts += [f"{weight} g billed"] if weight is not None else []
        return f"₹{charges['total']}" + (f" ({', '.join(parts)})" if parts else "")

    @admin.display(description="Former tracking ids")
    def former_ids(self, shipment: Shipment) -> str:
        return ", ".join(shipment.former_tracking_ids)


@page(Scan)
class ScanAdmin(ReadOnlyAdmin):
    list_display = (
        "shipment", "at", "status", "courier_type", "courier_status", "courier_code", "location",
        "ignored",
    )  # fmt: skip
    search_fields = ("=shipment__id", "=shipment__order_number", "=shipment__tracking_id")
    list_filter = ("ignored", "lifted", "status")
    list_select_related = ("shipment",)


@page(IdempotencyKey)
class IdempotencyKeyAdmin(ReadOnlyAdmin):
    list_display = ("key", "scope", "company", "shipment", "response_status", "created_at")
    search_fields = ("=key", "=shipment__id", "=shipment__order_number")
    list_filter = ("scope", ("response_status", admin.EmptyFieldListFilter), "company")
    list_select_related = ("company", "shipment")
    fields = (
        "company",
        "scope",
        "key",
        "shipment",
        "response_status",
        "response_text",
        "created_at",
    )
    readonly_fields = ("response_text",)

    @admin.display(description="Response")
    def response_text(self, key: IdempotencyKey) -> str:
        if key.response_body is None:
            return ""
        return json.dumps(json.loads(bytes(key.response_body)), indent=1, ensure_ascii=False)


class ChunkInline(ReadOnlyInline):
    model = ManifestChunk
    fields = ("position", "state", "attempts", "number", "url", "reason")


@page(Manifest)
class ManifestAdmin(ReadOnlyAdmin):
    list_display = ("id", "company", "account", "state", "created_at", "finished_at")
    search_fields = ("=id",)
    list_filter = ("state", "company")
    list_select_related = ("company", "account")
    inlines = (ChunkInline,)


@page(ManifestChunk)
class ManifestChunkAdmin(ReadOnlyAdmin):
    list_display = ("manifest", "position", "state", "attempts", "number", "reason")
    search_fields = ("=manifest__id", "=number")
    list_filter = ("state",)
    list_select_related = ("manifest",)


@page(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    list_display = ("at", "actor", "action", "shipment", "reason")
    search_fields = ("=shipment__id", "=shipment__order_number", "reason")
    list_filter = (("action", FieldTextFilter), "company")
    list_filter_submit = True
    list_select_related = ("actor", "shipment")
