"""Read-only admin of what was asked of couriers: actions on shipments, pickups of warehouses."""

from __future__ import annotations

from django.contrib import admin
from unfold.decorators import display

from couriers.admin.base import ReadOnlyAdmin
from couriers.admin.registration import page
from couriers.admin.today.work_filter import WorkFilter
from couriers.models import ShipmentAction, WarehousePickup
from couriers.models.asked import AskedOfCourier, AskedState

# The colour of each state. Unfold shows a state without a colour by its raw value.
STATE_COLOURS = {
    AskedState.REQUESTED: "default",
    AskedState.ACCEPTED: "info",
    AskedState.DONE: "success",
    AskedState.REFUSED: "warning",
    AskedState.UNKNOWN: "danger",
}


class AskedAdmin(ReadOnlyAdmin):
    """What the pages of actions and of pickups share."""

    @display(description="State", ordering="state", label=STATE_COLOURS)
    def state_label(self, row: AskedOfCourier) -> tuple[str, str]:
        return row.state, AskedState(row.state).label

    @admin.display(description="Asked by")
    def asker(self, row: AskedOfCourier) -> str:
        if row.asked_by is not None:
            return str(row.asked_by)
        return f"API key {row.key_prefix}…" if row.key_prefix else "the platform"


@page(ShipmentAction)
class ShipmentActionAdmin(AskedAdmin):
    """Actions. What was asked with is not shown: it contains the consignee's data."""

    company_path = "shipment__company"
    list_display = ("shipment", "kind", "state_label", "day", "asker", "asked_at", "ended_at")
    search_fields = ("=id", "=shipment__id")
    list_filter = (WorkFilter, "state", "kind")
    list_select_related = ("shipment", "asked_by")
    exclude = ("asked", "asked_by", "key_prefix")
    readonly_fields = ("asker",)


@page(WarehousePickup)
class WarehousePickupAdmin(AskedAdmin):
    company_path = "account__company"
    list_display = ("warehouse", "account", "day", "slot", "count", "state_label", "asker")
    search_fields = ("=id", "=warehouse__id")
    list_filter = ("state",)
    list_select_related = ("warehouse", "account__company", "account__courier", "asked_by")
    exclude = ("asked_by", "key_prefix")
    readonly_fields = ("asker",)
