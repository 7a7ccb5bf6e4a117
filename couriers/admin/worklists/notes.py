"""Read-only admin of notes and assignments. They are written on the work lists.

The text of a note is not shown here: it may contain the consignee's data.
"""

from __future__ import annotations

from couriers.admin.base import ReadOnlyAdmin
from couriers.admin.registration import page
from couriers.models import Assignment, ShipmentNote


@page(ShipmentNote)
class ShipmentNoteAdmin(ReadOnlyAdmin):
    company_path = "shipment__company"
    list_display = ("at", "author", "shipment")
    search_fields = ("=shipment__id", "=shipment__order_number")
    list_filter = ("author",)
    list_select_related = ("shipment", "author")
    exclude = ("text",)


@page(Assignment)
class AssignmentAdmin(ReadOnlyAdmin):
    company_path = "shipment__company"
    list_display = ("shipment", "user", "at")
    search_fields = ("=shipment__id", "=shipment__order_number")
    list_filter = ("user",)
    list_select_related = ("shipment", "user")
