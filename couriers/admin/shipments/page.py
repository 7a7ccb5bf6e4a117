"""Read-only admin of shipments and the rows that belong to them.

The consignee's phone and address are shown where a user who may see them asks for them, and
nowhere else (consignee.py).
"""

from __future__ import annotations

import json

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from unfold.decorators import action, display

from couriers.admin.base import ReadOnlyAdmin
from couriers.admin.dashboard import overview
from couriers.admin.export import Column
from couriers.admin.registration import page
from couriers.admin.shipments.attempts import CancelParcelMixin
from couriers.admin.shipments.consignee import ShowConsigneeMixin
from couriers.admin.shipments.correction import CorrectIdMixin
from couriers.admin.shipments.documents import ProofMixin
from couriers.admin.shipments.doubt import SettleDoubtMixin
from couriers.admin.shipments.export import more_columns
from couriers.admin.shipments.filters import CreatedFilter, ReasonFilter
from couriers.admin.shipments.finding import FindMixin
from couriers.admin.shipments.flags import ClearFlagMixin
from couriers.admin.shipments.head import STATUS_COLOURS
from couriers.admin.shipments.labels import LabelMixin
from couriers.admin.shipments.lifting import LiftStatusMixin
from couriers.admin.today.work_filter import WorkFilter
from couriers.contract.india.days import IST
from couriers.contract.platform_errors import UnreadableValue
from couriers.models import (
    IdempotencyKey,
    Scan,
    Shipment,
)
from couriers.models.fields import UNREADABLE_TEXT
from couriers.operations.staff import VIEW_AMOUNTS

# Of a stored response: the consignee's data and the goods, which the shipment's page shows to those
# who may see them, and what a merchant alone knows of.
_NOT_SHOWN = frozenset({"consignee", "items", "metadata"})


@page(Shipment)
class ShipmentAdmin(
    ShowConsigneeMixin,
    LabelMixin,
    FindMixin,
    SettleDoubtMixin,
    LiftStatusMixin,
    CorrectIdMixin,
    CancelParcelMixin,
    ClearFlagMixin,
    ProofMixin,
    ReadOnlyAdmin,
):
    company_path = "company"
    actions_list = ["overview", "find_several"]
    actions_detail = [
        "cancel_parcel", "settle_doubt", "lift_status", "correct_id", "clear_flag", "open_proof",
    ]  # fmt: skip
    list_display = (
        "order_number", "company", "courier", "status_label", "tracking_id", "payment_mode",
        "total_amount", "consignee_city", "test_label", "created",
    )  # fmt: skip
    search_fields = ("=id", "=order_number", "=tracking_id", "=waybill")
    list_filter = (
        ("created_at", CreatedFilter), WorkFilter, "status", ReasonFilter, "courier",
        "direction", "is_test", "company",
    )  # fmt: skip
    list_filter_submit = True
    list_select_related = ("company", "courier")
    amounts = ("total_amount", "cod_amount")

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        """The columns, without amounts for users who may not see them."""
        hidden = () if request.user.has_perm(VIEW_AMOUNTS) else self.amounts
        return tuple(name for name in self.list_display if name not in hidden)

    def get_export_columns(self, request: HttpRequest) -> list[Column]:
        """The columns of the list, and the consignee and the parcel of each shipment."""
        return [*super().get_export_columns(request), *more_columns(request)]

    @action(description="Overview", url_path="overview", permissions=["view"])
    def overview(self, request: HttpRequest) -> HttpResponse:
        """The button above the list, and its page: what an operator must do."""
        request.current_app = self.admin_site.name
        context = {
            **self.admin_site.each_context(request),
            "title": "Today",
            **overview(request, self.admin_site.name),
        }
        return TemplateResponse(request, "admin/shipcrowd_couriers/overview.html", context)

    @admin.display(description="Created (IST)")
    def created(self, shipment: Shipment) -> str:
        return f"{shipment.created_at.astimezone(IST):%Y-%m-%d %H:%M}"

    @display(description="Mode", label={"test": "info", "live": "default"})
    def test_label(self, shipment: Shipment) -> tuple[str, str]:
        return ("test", "Test") if shipment.is_test else ("live", "Live")

    @display(description="Status", ordering="status", label=STATUS_COLOURS)
    def status_label(self, shipment: Shipment) -> tuple[str, str]:
        return shipment.status, shipment.get_status_display()


@page(Scan)
class ScanAdmin(ReadOnlyAdmin):
    company_path = "shipment__company"
    list_display = (
        "shipment", "at", "status", "courier_type", "courier_status", "courier_code", "location",
        "ignored",
    )  # fmt: skip
    search_fields = ("=shipment__id",)
    list_filter = (WorkFilter, "ignored", "lifted", "status")
    list_select_related = ("shipment",)


@page(IdempotencyKey)
class IdempotencyKeyAdmin(ReadOnlyAdmin):
    company_path = "company"
    list_display = ("key", "scope", "company", "shipment", "response_status", "created_at")
    search_fields = ("=key", "=shipment__id")
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
        try:
            answer = key.answer()
        except UnreadableValue:
            return UNREADABLE_TEXT
        if answer is None:
            return ""
        shown = {k: v for k, v in json.loads(answer).items() if k not in _NOT_SHOWN}
        return json.dumps(shown, indent=1, ensure_ascii=False)
